"""What comes back: bounces, complaints, wishes to leave, and all else that lands in a mailbox."""

import asyncio
import io
import mailbox
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update

from bot.channel import LEAVE, MAIL, Feedback
from bot.commands.process_feedback import FeedbackProcessor
from bot.model import Address, Cadence, Edition, Found, Preferences, Ranked, State, Status, Subscriber
from bot.signing import token_name
from bot.store import Store, edition_queries, paper_queries, reader_history, subscriber_queries
from bot.store.schema import deliveries
from bot.store.schema import subscribers as table
from channels.email.bounces import MailKind, classify
from channels.email.intake import process_mailbox
from channels.email.mailboxes import InboxError, read_inbox
from tests.support.email_channel import LINKS, NAME
from tests.support.fake_channel import DAY, NOW, paper
from tests.support.pages import Kept

MINE = LINKS.sign(MAIL, f"12.{NAME}")
LEAVING = LINKS.sign(LEAVE, NAME)


def report(
    status: str, said: str = "", *, action: str = "failed", to: str = f"bounces+{MINE}@example.org", returned: str = ""
) -> bytes:
    """A delivery status notification as Postfix writes it."""
    diagnostic = f"Diagnostic-Code: smtp; {said}\r\n" if said else ""
    return (
        "Return-Path: <>\r\nFrom: MAILER-DAEMON@relay.example.net\r\n"
        f"To: {to}\r\nSubject: Undelivered Mail Returned to Sender\r\nAuto-Submitted: auto-replied\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\nMIME-Version: 1.0\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nI'm sorry.\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; relay.example.net\r\n\r\n"
        f"Final-Recipient: rfc822; ada@example.com\r\nAction: {action}\r\nStatus: {status}\r\n{diagnostic}\r\n"
        f"--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: <{returned}@example.org>\r\n\r\n--b--\r\n"
    ).encode()


def complaint(kind: str = "abuse", returned: str = MINE) -> bytes:
    """A feedback report (RFC 5965)."""
    return (
        "From: fbl@provider.example\r\nTo: abuse@example.org\r\nSubject: complaint\r\n"
        'Content-Type: multipart/report; report-type=feedback-report; boundary="b"\r\nMIME-Version: 1.0\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nA complaint.\r\n"
        f"--b\r\nContent-Type: message/feedback-report\r\n\r\nFeedback-Type: {kind}\r\nUser-Agent: Provider/1\r\n\r\n"
        f"--b\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: <{returned}@example.org>\r\n"
        "Subject: x\r\n\r\nhi\r\n--b--\r\n"
    ).encode()


def letter(**headers: str) -> bytes:
    mail = EmailMessage()
    for name, value in headers.items():
        mail[name.replace("_", "-")] = value
    mail.set_content(f"Quoting you:\n> https://papers.example.org/unsubscribe/{LEAVING}\n")
    return mail.as_bytes()


@pytest.mark.parametrize(
    ("status", "said", "kind"),
    [
        ("5.1.1", "", MailKind.GONE),
        ("5.1.6", "", MailKind.GONE),
        ("5.2.1", "", MailKind.GONE),
        ("5.0.0", "550 5.1.1 user unknown", MailKind.GONE),
        ("5.2.2", "552 5.2.2 over quota", MailKind.STRIKE),
        ("4.2.2", "452 4.2.2 over quota", MailKind.STRIKE),
        ("5.4.4", "Host or domain name not found", MailKind.STRIKE),
        ("5.4.1", "550 5.4.1 no such host", MailKind.STRIKE),
        ("4.4.1", "connection timed out", MailKind.DELAYED),
        ("4.4.7", "delivery time expired", MailKind.DELAYED),
        ("5.7.1", "550 5.7.1 spam", MailKind.OURS),
        ("5.7.26", "", MailKind.OURS),
        ("4.4.7", "", MailKind.DELAYED),
        ("5.0.0", "", MailKind.DELAYED),
        ("nonsense", "", MailKind.DELAYED),
    ],
)
def test_a_bounce_blames_the_reader_only_for_a_mailbox_that_is_no_more(status: str, said: str, kind: MailKind) -> None:
    reading = classify(report(status, said), LINKS)
    assert (reading.kind, reading.token) == (kind, MINE)


def test_a_bounce_is_known_by_the_mail_that_it_returns() -> None:
    reading = classify(report("5.1.1", to="papers@example.org", returned=MINE), LINKS)
    assert (reading.kind, reading.purpose, reading.token) == (MailKind.GONE, MAIL, MINE)


def test_a_bounce_without_a_token_of_ours_is_nobodys() -> None:
    forged = MINE[:-1] + ("0" if MINE[-1] != "0" else "1")
    for to in ("papers@example.org", f"bounces+{forged}@example.org", f"bounces+{LEAVING}@example.org"):
        assert classify(report("5.1.1", to=to), LINKS).kind is MailKind.JUNK


def test_a_mail_system_that_still_tries_has_not_failed() -> None:
    assert classify(report("4.4.1", action="delayed"), LINKS).kind is MailKind.DELAYED


def test_an_address_in_capitals_is_read_all_the_same() -> None:
    assert classify(report("5.1.1", to=f"BOUNCES+{MINE.upper()}@EXAMPLE.ORG"), LINKS).token == MINE


def test_a_complaint_names_its_mail() -> None:
    reading = classify(complaint(), LINKS)
    assert (reading.kind, reading.token) == (MailKind.COMPLAINT, MINE)


@pytest.mark.parametrize("kind", ["not-spam", "auth-failure", "other", ""])
def test_only_abuse_is_a_complaint(kind: str) -> None:
    assert classify(complaint(kind), LINKS).kind is MailKind.JUNK


@pytest.mark.parametrize(
    "headers",
    [
        {"To": f"bounces+{LEAVING}@example.org", "Subject": "unsubscribe"},
        {"To": "papers@example.org", "Subject": f"unsubscribe {LEAVING}"},
        {"To": "a@b.example", "Delivered_To": f"bounces+{LEAVING}@example.org", "Subject": ""},
    ],
)
def test_mail_to_the_unsubscribe_address_is_a_wish_to_leave(headers: dict[str, str]) -> None:
    reading = classify(letter(From="ada@example.com", **headers), LINKS)
    assert (reading.kind, reading.purpose, reading.token) == (MailKind.LEAVING, LEAVE, LEAVING)


def test_an_answer_that_says_unsubscribe_is_a_wish_to_leave() -> None:
    raw = letter(To="papers@example.org", Subject="Unsubscribe!", In_Reply_To=f"<{MINE}@example.org>")
    reading = classify(raw, LINKS)
    assert (reading.kind, reading.purpose, reading.token) == (MailKind.LEAVING, MAIL, MINE)


@pytest.mark.parametrize(
    "headers",
    [{"Auto_Submitted": "auto-replied"}, {"Precedence": "bulk"}, {"X_Autoreply": "yes"}],
)
def test_an_answer_that_nobody_wrote_is_left_alone(headers: dict[str, str]) -> None:
    raw = letter(To=f"bounces+{MINE}@example.org", Subject="unsubscribe", In_Reply_To=f"<{MINE}@x>", **headers)
    assert classify(raw, LINKS).kind is MailKind.AUTOMATIC


def test_a_letter_that_quotes_a_mail_of_ours_is_just_a_letter() -> None:
    assert classify(letter(To="papers@example.org", Subject="Re: Daily papers"), LINKS).kind is MailKind.JUNK


@given(st.binary(max_size=2_000))
def test_nothing_that_anybody_sends_is_an_error(raw: bytes) -> None:
    assert classify(raw, LINKS).kind in {MailKind.JUNK, MailKind.AUTOMATIC}


@given(st.data())
def test_a_report_with_any_bytes_changed_is_read_or_passed_over(data: st.DataObject) -> None:
    raw = bytearray(data.draw(st.sampled_from([report("5.1.1"), complaint()])))
    for _ in range(data.draw(st.integers(1, 8))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    assert classify(bytes(raw), LINKS).kind in set(MailKind)


# Inboxes


def fill(folder: Path) -> mailbox.Maildir:
    inbox = mailbox.Maildir(folder, create=True)
    for raw in (report("5.1.1"), letter(To="papers@example.org", Subject="hello")):
        inbox.add(raw)
    return inbox


def test_a_maildir_keeps_everything_and_shows_what_was_dealt_with_once(tmp_path: Path) -> None:
    fill(tmp_path / "m")
    seen = list(read_inbox(str(tmp_path / "m"), io.BytesIO()))
    assert len(seen) == 2
    for mail in seen:
        if classify(mail.raw, LINKS).kind is MailKind.GONE:
            mail.mark()
    left = list(read_inbox(str(tmp_path / "m"), io.BytesIO()))
    assert [classify(mail.raw, LINKS).kind for mail in left] == [MailKind.JUNK]
    assert len(mailbox.Maildir(tmp_path / "m")) == 2


def test_an_mbox_is_only_read(tmp_path: Path) -> None:
    file = tmp_path / "mbox"
    inbox = mailbox.mbox(file)
    inbox.add(report("5.1.1"))
    inbox.add(complaint())
    inbox.close()
    before = file.read_bytes()
    verdicts = [classify(mail.raw, LINKS).kind for mail in read_inbox(str(file), io.BytesIO())]
    assert verdicts == [MailKind.GONE, MailKind.COMPLAINT]
    assert file.read_bytes() == before


@pytest.mark.parametrize("prefix", [b"", b"From relay@example.net Thu Jan  1 00:00:00 2026\n"])
def test_standard_input_is_one_mail(prefix: bytes) -> None:
    [mail] = read_inbox("-", io.BytesIO(prefix + report("5.2.2")))
    assert classify(mail.raw, LINKS).kind is MailKind.STRIKE


@pytest.mark.parametrize(
    ("place", "says"),
    [
        ("no/such/place", "no folder and no file"),
        ("imap://ada:pw@mail.example.org/", "in the clear"),
        ("imaps:///INBOX", "imaps://user:password@host"),
        ("imap://ada:pw@127.0.0.1:1/", "cannot be reached"),
    ],
)
def test_an_inbox_that_cannot_be_read_is_told_in_a_sentence(place: str, says: str) -> None:
    with pytest.raises(InboxError, match=says) as error:
        list(read_inbox(place, io.BytesIO()))
    assert "pw" not in str(error.value)


class Imap:
    """As much of an IMAP server as it takes to read a mailbox."""

    def __init__(self, mails: list[bytes]) -> None:
        self.mails = mails
        self.seen: set[int] = set()
        self.port = 0

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        async with server:
            yield

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"* OK ready\r\n")
        while line := await reader.readline():
            tag, _, asked = line.decode().strip().partition(" ")
            verb = asked.upper()
            if verb.startswith("CAPABILITY"):
                writer.write(b"* CAPABILITY IMAP4rev1\r\n")
            elif verb.startswith("LOGIN") and '"pw"' not in asked:
                writer.write(f"{tag} NO denied\r\n".encode())
                continue
            elif verb.startswith("SELECT"):
                writer.write(f"* {len(self.mails)} EXISTS\r\n".encode())
            elif verb.startswith("UID SEARCH"):
                unseen = [n for n in range(1, len(self.mails) + 1) if n not in self.seen]
                writer.write(f"* SEARCH {' '.join(map(str, unseen))}\r\n".encode())
            elif verb.startswith("UID FETCH"):
                number = int(asked.split()[2])
                raw = self.mails[number - 1]
                writer.write(f"* {number} FETCH (UID {number} BODY[]<0> {{{len(raw)}}}\r\n".encode() + raw + b")\r\n")
            elif verb.startswith("UID STORE"):
                self.seen.add(int(asked.split()[2]))
            elif verb.startswith("LOGOUT"):
                writer.write(f"* BYE\r\n{tag} OK\r\n".encode())
                break
            writer.write(f"{tag} OK done\r\n".encode())
        writer.close()


class Door:
    """A door that notes what comes through it."""

    def __init__(self) -> None:
        self.taken: list[tuple[Feedback, str]] = []

    async def take(self, what: Feedback, purpose: str, token: str, reason: str, now: datetime) -> bool:
        self.taken.append((what, token))
        return True


async def test_an_imap_mailbox_is_read_and_marked() -> None:
    server = Imap([report("5.1.1"), letter(Subject="hello"), complaint()])
    door = Door()
    async with server.running():
        lines = await process_mailbox(
            f"imap://ada:pw@127.0.0.1:{server.port}/INBOX", LINKS, door, Kept(), dry_run=False
        )
        assert server.seen == {1, 3}
        with pytest.raises(InboxError, match="refuses the login"):
            await process_mailbox(f"imap://ada:no@127.0.0.1:{server.port}/", LINKS, door, Kept(), dry_run=False)
    assert door.taken == [(Feedback.GONE, MINE), (Feedback.COMPLAINT, MINE)]
    assert lines == ["3 mails", "hard bounces, no such mailbox: 1, 1 new", "complaints: 1, 1 new", "anything else: 1"]


async def test_what_was_dealt_with_once_is_not_again_wherever_it_lies(tmp_path: Path) -> None:
    inbox = mailbox.mbox(tmp_path / "mbox")
    inbox.add(report("5.1.1"))
    inbox.close()
    door, memory = Door(), Kept()
    for _ in range(2):
        await process_mailbox(str(tmp_path / "mbox"), LINKS, door, memory, dry_run=False)
    assert door.taken == [(Feedback.GONE, MINE)]


@pytest.mark.parametrize("place", ["imap//user:secret@host", "IMAPX://user:secret@host/"])
def test_a_place_that_is_none_does_not_show_its_password(place: str) -> None:
    with pytest.raises(InboxError) as refused:
        list(read_inbox(place, io.BytesIO()))
    assert "secret" not in str(refused.value)


async def test_a_dry_run_changes_nothing(tmp_path: Path) -> None:
    fill(tmp_path / "m")
    door = Door()
    lines = await process_mailbox(str(tmp_path / "m"), LINKS, door, Kept(), dry_run=True)
    assert door.taken == []
    assert lines == ["2 mails", "hard bounces, no such mailbox: 1", "anything else: 1"]
    assert len(list(read_inbox(str(tmp_path / "m"), io.BytesIO()))) == 2


# The core's door


ADA = Address("email", "ada@example.com")


async def add(store: Store) -> Subscriber:
    async with store.write() as connection:
        await subscriber_queries.add(connection, ADA, Preferences(), now=NOW)
    return await reader(store)


async def reader(store: Store) -> Subscriber:
    async with store.read() as connection:
        found = await subscriber_queries.get(connection, ADA)
    assert found is not None
    return found


def named(ada: Subscriber, edition: int | None = None) -> tuple[str, str]:
    name = token_name(ada.id, ada.created_at)
    return (LEAVE, LINKS.sign(LEAVE, name)) if edition is None else (MAIL, LINKS.sign(MAIL, f"{edition}.{name}"))


async def sent(store: Store, ada: Subscriber, days_later: int, state: State = State.SENT) -> int:
    """An edition of a later day that reached the reader, as far as anybody knew."""
    day, now = DAY + timedelta(days=days_later), NOW + timedelta(days=days_later)
    async with store.write() as connection:
        found = paper(days_later, day)
        await paper_queries.keep(connection, Found([found], frozenset({day})))
        edition_id = await edition_queries.add(connection, Edition(Cadence.DAY, day, now, (Ranked(1, found, 1),)))
        assert edition_id is not None
        await connection.execute(
            deliveries.insert().values(
                edition_id=edition_id,
                subscriber_id=ada.id,
                channel="email",
                state=state.value,
                due_at=now,
                next_at=now,
                expires_at=now,
            )
        )
    return edition_id


async def test_who_complained_is_unsubscribed_and_never_imported_again(store: Store) -> None:
    ada = await add(store)
    door = FeedbackProcessor(store, LINKS)
    assert await door.take(Feedback.COMPLAINT, *named(ada, 1), "spam", NOW)
    assert not await door.take(Feedback.COMPLAINT, *named(ada, 1), "spam", NOW)
    assert (await reader(store)).status is Status.UNSUBSCRIBED
    async with store.read() as connection:
        assert await subscriber_queries.is_suppressed(connection, ADA)


async def test_whoever_wishes_to_leave_is_let_go_once_and_for_ever(store: Store) -> None:
    ada = await add(store)
    door = FeedbackProcessor(store, LINKS)
    later = NOW + timedelta(days=4_000)
    assert await door.take(Feedback.LEAVING, *named(ada), "by mail", later)
    assert not await door.take(Feedback.LEAVING, *named(ada), "by mail", later)
    assert (await reader(store)).status is Status.UNSUBSCRIBED


async def test_a_bounce_lets_go_of_the_reader_and_of_what_they_are_owed(store: Store) -> None:
    ada = await add(store)
    edition = await sent(store, ada, 0, State.OWED)
    assert await FeedbackProcessor(store, LINKS).take(Feedback.GONE, *named(ada, edition), "5.1.1", NOW)
    assert (await reader(store)).status is Status.GONE
    async with store.read() as connection:
        entry = await reader_history.entry(connection, ada.id, edition)
    assert entry is not None
    assert entry.state is State.GONE


async def test_three_editions_in_a_row_that_found_a_mailbox_full_are_enough(store: Store) -> None:
    ada = await add(store)
    door = FeedbackProcessor(store, LINKS)
    first, second, third = [await sent(store, ada, n) for n in range(3)]
    for edition in (first, second):
        assert await door.take(Feedback.STRIKE, *named(ada, edition), "full", NOW)
        assert not await door.take(Feedback.STRIKE, *named(ada, edition), "full", NOW), "the same again"
        assert (await reader(store)).status is Status.ACTIVE
    assert await door.take(Feedback.STRIKE, *named(ada, third), "full", NOW)
    assert (await reader(store)).status is Status.GONE


async def test_an_edition_that_arrived_between_begins_the_count_anew(store: Store) -> None:
    ada = await add(store)
    door = FeedbackProcessor(store, LINKS)
    numbers = [await sent(store, ada, n) for n in range(5)]
    for edition in (*numbers[:2], *numbers[3:]):
        await door.take(Feedback.STRIKE, *named(ada, edition), "full", NOW)
    assert (await reader(store)).status is Status.ACTIVE


async def test_a_token_of_somebody_who_was_forgotten_is_nobody_elses(store: Store) -> None:
    ada = await add(store)
    token = named(ada)
    async with store.write() as connection:
        await subscriber_queries.forget(connection, ada.id, now=NOW)
        await subscriber_queries.add(connection, ADA, Preferences(), now=NOW + timedelta(days=1))
        await connection.execute(update(table).values(id=ada.id))  # the number is given again
    assert not await FeedbackProcessor(store, LINKS).take(Feedback.LEAVING, *token, "by mail", datetime.now(UTC))
    assert (await reader(store)).status is Status.ACTIVE


@pytest.mark.parametrize(
    ("purpose", "token"),
    [(LEAVE, "junk"), (MAIL, LEAVING), (LEAVE, MINE), ("settings", LINKS.sign("settings", NAME)), (LEAVE, LEAVING)],
)
async def test_a_token_opens_only_what_it_was_made_for(store: Store, purpose: str, token: str) -> None:
    await add(store)
    assert not await FeedbackProcessor(store, LINKS).take(Feedback.LEAVING, purpose, token, "", NOW)
    assert (await reader(store)).status is Status.ACTIVE


@pytest.mark.parametrize("what", [Feedback.GONE, Feedback.STRIKE])
async def test_what_a_mail_system_says_names_no_reader(
    store: Store, what: Feedback, caplog: pytest.LogCaptureFixture
) -> None:
    ada = await add(store)
    edition = await sent(store, ada, 0)
    said = f"550 5.1.1 <{ADA.recipient.upper()}>: unknown, forwarded to ada.l@home.example {'x' * 400}"
    with caplog.at_level("INFO"):
        assert await FeedbackProcessor(store, LINKS).take(what, *named(ada, edition), said, NOW)
    async with store.read() as connection:
        found = await reader_history.entry(connection, ada.id, edition)
    kept = f"{(await reader(store)).reason} {found}"
    assert "550 5.1.1 <•••>: unknown, forwarded to •••" in kept
    logged = "".join(str(vars(record)) for record in caplog.records)
    assert "returned" in logged
    for name in ("ada@example.com", "ada.l@home.example"):
        assert name not in f"{kept}{logged}".casefold()
