"""Bounce mailboxes: Maildir, mbox, IMAP and standard input are read, and each mail is processed once."""

import asyncio
import io
import mailbox
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

import pytest

from bot.channel import Feedback
from channels.email.bounces import MailKind, classify
from channels.email.intake import process_mailbox
from channels.email.mailboxes import InboxError, read_inbox
from tests.support.bounce_mails import MINE, complaint, letter, report
from tests.support.email_channel import LINKS
from tests.support.pages import Kept


def fill(folder: Path) -> mailbox.Maildir:
    inbox = mailbox.Maildir(folder, create=True)
    for raw in (report("5.1.1"), letter(To="papers@example.org", Subject="hello")):
        inbox.add(raw)
    return inbox


def test_a_maildir_keeps_every_mail_and_yields_processed_ones_once(tmp_path: Path) -> None:
    fill(tmp_path / "m")
    seen = list(read_inbox(str(tmp_path / "m"), io.BytesIO()))
    assert len(seen) == 2
    for mail in seen:
        if classify(mail.raw, LINKS).kind is MailKind.GONE:
            mail.mark()
    left = list(read_inbox(str(tmp_path / "m"), io.BytesIO()))
    assert [classify(mail.raw, LINKS).kind for mail in left] == [MailKind.JUNK]
    assert len(mailbox.Maildir(tmp_path / "m")) == 2


def test_an_mbox_is_not_modified(tmp_path: Path) -> None:
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
def test_an_unreadable_mailbox_is_reported_in_one_sentence(place: str, says: str) -> None:
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


class RecordingHandler:
    """Records the feedback that it is given."""

    def __init__(self) -> None:
        self.taken: list[tuple[Feedback, str]] = []

    async def process(self, what: Feedback, purpose: str, token: str, reason: str, now: datetime) -> bool:
        self.taken.append((what, token))
        return True


async def test_an_imap_mailbox_is_read_and_processed_mails_marked_seen() -> None:
    server = Imap([report("5.1.1"), letter(Subject="hello"), complaint()])
    handler = RecordingHandler()
    async with server.running():
        counted = await process_mailbox(
            f"imap://ada:pw@127.0.0.1:{server.port}/INBOX", LINKS, handler, Kept(), dry_run=False
        )
        assert server.seen == {1, 3}
        with pytest.raises(InboxError, match="refuses the login"):
            await process_mailbox(f"imap://ada:no@127.0.0.1:{server.port}/", LINKS, handler, Kept(), dry_run=False)
    assert handler.taken == [(Feedback.GONE, MINE), (Feedback.COMPLAINT, MINE)]
    lines = ["3 mails", "hard bounces, no such mailbox: 1, 1 new", "complaints: 1, 1 new", "anything else: 1"]
    assert counted.lines() == lines
    rows = {row["kind"]: row for row in counted.rows()}
    assert rows["gone"] == {"kind": "gone", "means": "hard bounces, no such mailbox", "mails": 1, "new": 1}
    assert rows["unsubscribe"]["mails"] == rows["unsubscribe"]["new"] == 0
    assert rows["junk"]["new"] is None


async def test_a_mail_is_processed_once_although_it_stays_in_the_mailbox(tmp_path: Path) -> None:
    inbox = mailbox.mbox(tmp_path / "mbox")
    inbox.add(report("5.1.1"))
    inbox.close()
    handler, memory = RecordingHandler(), Kept()
    for _ in range(2):
        await process_mailbox(str(tmp_path / "mbox"), LINKS, handler, memory, dry_run=False)
    assert handler.taken == [(Feedback.GONE, MINE)]


@pytest.mark.parametrize("place", ["imap//user:secret@host", "IMAPX://user:secret@host/"])
def test_an_error_about_a_mailbox_does_not_show_its_password(place: str) -> None:
    with pytest.raises(InboxError) as refused:
        list(read_inbox(place, io.BytesIO()))
    assert "secret" not in str(refused.value)


async def test_a_dry_run_changes_nothing(tmp_path: Path) -> None:
    fill(tmp_path / "m")
    handler = RecordingHandler()
    counted = await process_mailbox(str(tmp_path / "m"), LINKS, handler, Kept(), dry_run=True)
    assert handler.taken == []
    assert counted.lines() == ["2 mails", "hard bounces, no such mailbox: 1", "anything else: 1"]
    assert len(list(read_inbox(str(tmp_path / "m"), io.BytesIO()))) == 2
