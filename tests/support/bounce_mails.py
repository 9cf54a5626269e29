"""Bounces, complaints and replies as mail systems write them, with signed tokens of ours."""

from email.message import EmailMessage

from bot.channel import LEAVE, MAIL
from tests.support.email_channel import LINKS, NAME

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


def prose(subject: str, said: str, **headers: str) -> bytes:
    """A report of a failure in a mail system's own words; `headers` replace its own."""
    known = {
        "Return-Path": "<>",
        "From": "MAILER-DAEMON@relay.example.net",
        "To": f"bounces+{MINE}@example.org",
        "Subject": subject,
        "Content-Type": "text/plain; charset=utf-8",
    }
    lines = [f"{name}: {value}" for name, value in (known | headers).items()]
    return "\r\n".join([*lines, "", *said.splitlines()]).encode()
