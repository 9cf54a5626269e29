"""What relays and mailboxes really say: the same words mean the same on the wire and in a bounce."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channel import Deferred, Gone, Outcome, Rejected
from channels.email.bounces import KIND_OF, MailKind, classify
from channels.email.errors import outcome_of
from channels.email.smtp import Reply, Stage
from channels.email.verdicts import Spoken, Verdict, verdict
from tests.support.bounce_mails import MINE, prose, report
from tests.support.email_channel import LINKS

NOBODY, STRIKE, LATER = "nobody", "strike", "later"
OURS, QUOTA = "ours", "quota"

SAID = [
    # where it was seen, the answer to a command, what it means
    ("Outlook.com", Stage.RCPT, "550 5.5.0 Requested action not taken: mailbox unavailable", NOBODY),
    ("Yahoo", Stage.DOT, "554 delivery error: dd This user doesn't have a yahoo.com account (a@yahoo.com) [0]", NOBODY),
    ("Yahoo", Stage.DOT, "552 1 Requested mail action aborted, mailbox not found", NOBODY),
    (
        "Gmail",
        Stage.RCPT,
        "550 5.2.1 The user you are trying to contact is receiving mail at a rate that prevents",
        LATER,
    ),
    ("Gmail", Stage.RCPT, "552 5.2.2 The recipient's inbox is out of storage space", STRIKE),
    ("Gmail as relay", Stage.RCPT, "550 5.4.5 Daily user sending limit exceeded", QUOTA),
    ("Gmail as relay", Stage.DOT, "550 5.4.5 Daily user sending limit exceeded", QUOTA),
    ("Microsoft 365", Stage.RCPT, "550 5.4.1 Recipient address rejected: Access denied. AS(201806281)", NOBODY),
    (
        "Microsoft 365",
        Stage.RCPT,
        "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP lookup",
        NOBODY,
    ),
    ("Microsoft 365", Stage.RCPT, "550 5.1.351 Remote server returned unknown recipient", NOBODY),
    ("Microsoft 365", Stage.RCPT, "550 5.1.351", NOBODY),
    ("iCloud", Stage.DOT, "554 5.7.1 [HM08] Message rejected due to local policy", OURS),
    ("GMX", Stage.RCPT, "550 Requested action not taken: mailbox unavailable", NOBODY),
    ("QQ", Stage.DOT, "550 The recipient may contain a non-existent account, please check", NOBODY),
    ("163", Stage.RCPT, "550 User not found: a@163.com", NOBODY),
    ("163", Stage.DOT, "554 DT:SPM 163 smtp1,see http://mail.163.com/help", OURS),
    ("Mimecast", Stage.RCPT, "550 Invalid Recipient - https://community.mimecast.com/docs/DOC-1369", NOBODY),
    ("Orange", Stage.RCPT, "550 5.5.0 Adresse destinataire invalide. Invalid recipient.", NOBODY),
    ("any", Stage.RCPT, "554 Service unavailable; Client host [1.2.3.4] blocked using zen.spamhaus.org", OURS),
    ("SES", Stage.DOT, "554 Message rejected: Email address is not verified.", QUOTA),
    ("SES", Stage.DOT, "454 Throttling failure: Maximum sending rate exceeded.", QUOTA),
    ("SES", Stage.DOT, "454 Throttling failure: Daily message quota exceeded.", QUOTA),
    ("Sendmail", Stage.RCPT, "550 5.7.1 IP address blacklisted by recipient", OURS),
    ("Exim", Stage.RCPT, "550 User unknown", NOBODY),
    ("Exim", Stage.RCPT, "550 Unrouteable address", NOBODY),
    ("docomo", Stage.DOT, "550 Unknown user ada@docomo.ne.jp", STRIKE),
    ("GoDaddy", Stage.RCPT, "550 5.1.1 <a@b.c> - 203.0.113.2 has sent to too many recipients this hour", LATER),
    ("Postfix", Stage.RCPT, "554 5.3.0 <a@b.c>: Recipient address rejected: Mailer error", LATER),
    ("Gmail", Stage.RCPT, "550 5.2.1 The email account that you tried to reach is disabled", STRIKE),
    ("any", Stage.RCPT, "550 5.1.1 Rejected: poor reputation, see https://x.example/user-unknown", OURS),
    ("any", Stage.RCPT, "550 5.1.2 Host or domain name not found", STRIKE),
]


@pytest.mark.parametrize(("where", "stage", "said", "meaning"), SAID)
def test_an_answer_on_the_wire(where: str, stage: Stage, said: str, meaning: str) -> None:
    assert meaning_of(outcome_of(Reply(int(said[:3]), said[4:]), stage, "example.com")) == meaning


def meaning_of(became: Outcome) -> str:
    match became:
        case Gone():
            return NOBODY
        case Rejected(judge="example.com"):
            return OURS
        case Deferred(scope="channel"):
            return QUOTA
        case Deferred(strike=True):
            return STRIKE
    assert isinstance(became, Deferred)
    return LATER


@pytest.mark.parametrize(("where", "stage", "said", "meaning"), [each for each in SAID if each[1] is Stage.RCPT])
def test_the_same_answer_in_a_bounce(where: str, stage: Stage, said: str, meaning: str) -> None:
    kinds = {NOBODY: MailKind.GONE, STRIKE: MailKind.STRIKE, LATER: MailKind.DELAYED}
    expected = kinds.get(meaning, MailKind.OURS)
    in_prose = prose("Mail delivery failed", f"SMTP error after RCPT TO:<ada@example.com>:\n{said}")
    for raw in (report("5.0.0", f"{said} (in reply to RCPT TO command)"), in_prose):
        assert classify(raw, LINKS).kind is expected


def test_the_words_of_an_answer_win_over_a_reports_status() -> None:
    for said in (
        "550 5.7.1 IP address blacklisted by recipient",
        "550-5.2.1 The user you are trying to contact is receiving mail at a rate that",
        "550 5.1.1 sent to too many recipients this hour",
    ):
        assert classify(report("5.1.1", said), LINKS).kind in {MailKind.OURS, MailKind.DELAYED}


@pytest.mark.parametrize("said", ["procmail: cannot lock the spool file", "Command died with status 77", "255"])
def test_an_error_of_a_delivery_program_makes_nobody_gone(said: str) -> None:
    for status in ("5.1.1", "5.3.0", "5.0.0"):
        assert classify(report(status, said), LINKS).kind in {MailKind.STRIKE, MailKind.DELAYED}


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("Sorry, no mailbox here by that name. (#5.1.1)", MailKind.GONE),  # qmail
        ("Remote host said: 550 5.1.1 <a@b.example>... User Unknown [RCPT_TO]", MailKind.GONE),  # Yahoo
        (
            "SMTP error after RCPT command:\nhost: mx.b.example\n5.1.1 <a@b.example>... User Unknown",
            MailKind.GONE,
        ),  # GMX
        ("a@b.example Invalid Address, ERROR_CODE :550, mailbox unavailable", MailKind.STRIKE),  # Zoho
        ("The error that the other server returned was: 550 550 5.1.1 user unknown", MailKind.GONE),  # Gmail, formerly
        ("a@b.example: 550 5.1.1 User unknown", MailKind.GONE),  # OpenSMTPD
        ("a@b.example: Domain does not exist", MailKind.STRIKE),
        ("Remote Server returned '550 5.1.1 RESOLVER.ADR.RecipNotFound; not found'", MailKind.GONE),  # Exchange
        ("User mailbox exceeds allowed size: a@b.example", MailKind.STRIKE),
        ("Remote host said: 552 Error: disk quota exceeded", MailKind.STRIKE),
        ("a@b.example: user unknown", MailKind.STRIKE),  # no command, no code: not certain
        ("Could not deliver for the last 432000 seconds. Giving up.", MailKind.DELAYED),
        ("A problem occurred.", MailKind.DELAYED),
    ],
)
def test_the_prose_of_mail_systems_is_read(words: str, kind: MailKind) -> None:
    quoted = "\n------ This is a copy of the message ------\nSubject: user unknown, mailbox full 550 5.1.1\n"
    for subject in ("failure notice", "Undeliverable Mail", "Mail delivery failed: returning message to sender"):
        reading = classify(prose(subject, f"I could not deliver your mail.\n{words}{quoted}"), LINKS)
        assert (reading.kind, reading.token) == (kind, MINE)


@pytest.mark.parametrize(
    ("subject", "headers", "kind"),
    [
        ("Warning: message delayed 24 hours", {}, MailKind.DELAYED),
        ("Out of office: Ada", {"From": "ada@example.com", "Auto-Submitted": "auto-replied"}, MailKind.AUTOMATIC),
        ("Vacation", {"From": "ada@example.com"}, MailKind.JUNK),
        ("Re: Daily papers", {"From": "ada@example.com", "Return-Path": "<ada@example.com>"}, MailKind.JUNK),
    ],
)
def test_what_is_no_failure_changes_nothing(subject: str, headers: dict[str, str], kind: MailKind) -> None:
    said = "Your mail has not yet been delivered. 550 5.1.1 user unknown after RCPT. It will be retried."
    assert classify(prose(subject, said, **headers), LINKS).kind is kind


@pytest.mark.parametrize("action", ["delayed", "delivered", "relayed", "expanded"])
def test_a_report_of_another_action_is_no_bounce(action: str) -> None:
    assert classify(report("5.1.1", "550 5.1.1 user unknown", action=action), LINKS).kind is MailKind.DELAYED


@given(st.text(max_size=200), st.sampled_from(Spoken))
def test_any_words_have_a_verdict(said: str, spoken: Spoken) -> None:
    assert verdict(said, spoken=spoken) in Verdict


def test_every_verdict_is_a_kind_of_mail() -> None:
    assert set(KIND_OF) == set(Verdict)


def test_a_long_answer_is_judged_in_a_moment() -> None:
    for piece in ("user ", "mailbox unavailable ", "a.", "quota exceeded over ", "550 5.", "domain "):
        verdict(piece * 1_000)


CORPUS = Path(os.environ.get("PAPERS_REFERENCE", "")) / "corpora" / "bounces"


@pytest.mark.skipif(not (CORPUS / "expected.json").is_file(), reason="no recorded bounces (PAPERS_REFERENCE)")
def test_recorded_bounces_are_judged_within_the_bounds(capsys: pytest.CaptureFixture[str]) -> None:
    from benchmarks.bounces import judge, misses

    assert misses(judge(CORPUS), show=True) == [], capsys.readouterr().out
