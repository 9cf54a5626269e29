"""Incoming mail is classified: bounces, complaints, unsubscribe requests, automatic replies, everything else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channel import LEAVE, MAIL
from channels.email.bounces import MailKind, classify
from tests.support.bounce_mails import LEAVING, MINE, complaint, letter, report
from tests.support.email_channel import LINKS


@pytest.mark.parametrize(
    ("status", "said", "kind"),
    [
        ("5.1.1", "", MailKind.GONE),
        ("5.1.6", "", MailKind.GONE),
        ("5.2.1", "", MailKind.STRIKE),
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
def test_a_bounce_counts_against_the_reader_only_for_their_mailbox(status: str, said: str, kind: MailKind) -> None:
    reading = classify(report(status, said), LINKS)
    assert (reading.kind, reading.token) == (kind, MINE)


def test_a_bounce_is_matched_by_the_returned_message_id() -> None:
    reading = classify(report("5.1.1", to="papers@example.org", returned=MINE), LINKS)
    assert (reading.kind, reading.purpose, reading.token) == (MailKind.GONE, MAIL, MINE)


def test_a_bounce_without_a_signed_token_is_ignored() -> None:
    forged = MINE[:-1] + ("0" if MINE[-1] != "0" else "1")
    for to in ("papers@example.org", f"bounces+{forged}@example.org", f"bounces+{LEAVING}@example.org"):
        assert classify(report("5.1.1", to=to), LINKS).kind is MailKind.JUNK


def test_a_delayed_delivery_is_no_bounce() -> None:
    assert classify(report("4.4.1", action="delayed"), LINKS).kind is MailKind.DELAYED


def test_a_token_in_capitals_is_recognised() -> None:
    assert classify(report("5.1.1", to=f"BOUNCES+{MINE.upper()}@EXAMPLE.ORG"), LINKS).token == MINE


def test_a_complaint_is_matched_by_the_returned_mail() -> None:
    reading = classify(complaint(), LINKS)
    assert (reading.kind, reading.token) == (MailKind.COMPLAINT, MINE)


@pytest.mark.parametrize("kind", ["not-spam", "auth-failure", "other", ""])
def test_only_feedback_of_type_abuse_is_a_complaint(kind: str) -> None:
    assert classify(complaint(kind), LINKS).kind is MailKind.JUNK


@pytest.mark.parametrize(
    "headers",
    [
        {"To": f"bounces+{LEAVING}@example.org", "Subject": "unsubscribe"},
        {"To": "papers@example.org", "Subject": f"unsubscribe {LEAVING}"},
        {"To": "a@b.example", "Delivered_To": f"bounces+{LEAVING}@example.org", "Subject": ""},
    ],
)
def test_mail_to_the_unsubscribe_address_unsubscribes(headers: dict[str, str]) -> None:
    reading = classify(letter(From="ada@example.com", **headers), LINKS)
    assert (reading.kind, reading.purpose, reading.token) == (MailKind.UNSUBSCRIBE, LEAVE, LEAVING)


def test_a_reply_with_the_subject_unsubscribe_unsubscribes() -> None:
    raw = letter(To="papers@example.org", Subject="Unsubscribe!", In_Reply_To=f"<{MINE}@example.org>")
    reading = classify(raw, LINKS)
    assert (reading.kind, reading.purpose, reading.token) == (MailKind.UNSUBSCRIBE, MAIL, MINE)


@pytest.mark.parametrize(
    "headers",
    [{"Auto_Submitted": "auto-replied"}, {"Precedence": "bulk"}, {"X_Autoreply": "yes"}],
)
def test_an_automatic_reply_changes_nothing(headers: dict[str, str]) -> None:
    raw = letter(To=f"bounces+{MINE}@example.org", Subject="unsubscribe", In_Reply_To=f"<{MINE}@x>", **headers)
    assert classify(raw, LINKS).kind is MailKind.AUTOMATIC


def test_an_ordinary_reply_that_quotes_our_mail_changes_nothing() -> None:
    assert classify(letter(To="papers@example.org", Subject="Re: Daily papers"), LINKS).kind is MailKind.JUNK


@given(st.binary(max_size=2_000))
def test_no_input_raises(raw: bytes) -> None:
    assert classify(raw, LINKS).kind in {MailKind.JUNK, MailKind.AUTOMATIC}


@given(st.data())
def test_a_report_with_changed_bytes_never_raises(data: st.DataObject) -> None:
    raw = bytearray(data.draw(st.sampled_from([report("5.1.1"), complaint()])))
    for _ in range(data.draw(st.integers(1, 8))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    assert classify(bytes(raw), LINKS).kind in set(MailKind)
