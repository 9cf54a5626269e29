"""What a mail that came back means: bounces (RFC 3464), complaints (RFC 5965), wishes to leave, and everything else.

Pure: bytes in, a verdict out. All of it is written by strangers, so the only thing that is believed is a token that
we signed; what is no report and no wish is left alone, as are answers that nobody wrote (RFC 3834).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import policy
from email.message import Message
from email.parser import BytesParser
from enum import StrEnum

from bot.channel import LEAVE, MAIL, Feedback, Links
from channels.email.errors import GONE, STRIKES, UNROUTABLE

MAX_BYTES = 1_000_000
"""So much of a mail is read; a report stands at its beginning."""
MAX_PARTS = 50
"""So many parts of a mail are looked at."""

_TOKEN = re.compile(r"(?<![0-9a-z.])[0-9a-z]{1,12}(?:\.[0-9a-z]{1,12}){1,2}-[0-9a-f]{32}(?![0-9a-z])", re.IGNORECASE)
_STATUS = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])")
_ADDRESSED = ("Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To", "To")
"""Where the address that a mail came to is found; the first ones are written by our own mail system."""
_WISH = re.compile(r"\W*unsubscribe\W*", re.IGNORECASE)


class MailKind(StrEnum):
    """What a mail was, as `papers email bounces` counts it."""

    GONE = "cannot be reached any more"
    STRIKE = "could not be reached this time"
    OURS = "refused for what we are or say"
    DELAYED = "delayed, or refused for other reasons"
    COMPLAINT = "complaints"
    LEAVING = "want to leave"
    AUTOMATIC = "answers that nobody wrote"
    JUNK = "anything else"


FEEDBACK_OF = {
    MailKind.GONE: Feedback.GONE,
    MailKind.STRIKE: Feedback.STRIKE,
    MailKind.COMPLAINT: Feedback.COMPLAINT,
    MailKind.LEAVING: Feedback.LEAVING,
}
"""What the core has to know."""


@dataclass(frozen=True, slots=True)
class Classified:
    """A mail as it was understood, and the token by which its reader is known."""

    kind: MailKind
    purpose: str = ""
    token: str = ""
    reason: str = ""


def classify(raw: bytes, links: Links) -> Classified:
    """Understand a mail that came back. Never raises: strangers write what they like."""
    try:
        mail = BytesParser(policy=policy.compat32).parsebytes(raw[:MAX_BYTES])
        return _read(mail, links)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return Classified(MailKind.JUNK)


def _read(mail: Message, links: Links) -> Classified:
    kind = str(mail.get_param("report-type", "")).lower()
    if mail.get_content_type() == "multipart/report":
        if kind == "feedback-report":
            return _complaint(mail, links)
        if kind == "delivery-status":
            return _bounce(mail, links)
    leaving = _first(links, LEAVE, [*_values(mail, *_ADDRESSED), *_values(mail, "Subject")])
    if leaving is not None:
        return Classified(MailKind.LEAVING, LEAVE, leaving, "by mail")
    if _is_automatic(mail):
        return Classified(MailKind.AUTOMATIC)
    if _WISH.fullmatch(str(mail.get("Subject", "")).removeprefix("Re:")):
        answered = _first(links, MAIL, _values(mail, "In-Reply-To", "References"))
        if answered is not None:
            return Classified(MailKind.LEAVING, MAIL, answered, "by mail")
    return Classified(MailKind.JUNK)


def _complaint(mail: Message, links: Links) -> Classified:
    """A feedback report: what kind, and about which of our mails."""
    fields = next((part for part in _parts(mail) if part.get_content_type() == "message/feedback-report"), None)
    said = _fields(fields) if fields is not None else {}
    kind = said.get("feedback-type", "").lower()
    token = _ours(mail, links, said.get("original-mail-from", ""))
    if token is None or kind != "abuse":
        return Classified(MailKind.JUNK)
    return Classified(MailKind.COMPLAINT, MAIL, token, f"complaint by {said.get('user-agent', 'a mail system')}")


def _bounce(mail: Message, links: Links) -> Classified:
    """A delivery status notification; one of ours is about one recipient."""
    token = _ours(mail, links)
    report = next((part for part in _parts(mail) if part.get_content_type() == "message/delivery-status"), None)
    if token is None or report is None:
        return Classified(MailKind.JUNK)
    blocks = report.get_payload()
    recipients = [block for block in blocks if isinstance(block, Message)] if isinstance(blocks, list) else []
    failed = next((each for each in recipients if str(each.get("Action", "")).strip().lower() == "failed"), None)
    if failed is None:
        return Classified(MailKind.DELAYED)
    said = " ".join(str(failed.get("Diagnostic-Code", "")).split())[:200]
    status = _status(str(failed.get("Status", "")), said)
    return Classified(_verdict(status), MAIL, token, f"{'.'.join(map(str, status))} {said}".strip())


def _verdict(status: tuple[int, int, int]) -> MailKind:
    kind, subject, detail = status
    # A relay that has tried for days says 4.2.2 as well.
    if (subject, detail) in STRIKES or (kind == 5 and (subject, detail) in UNROUTABLE):
        return MailKind.STRIKE
    if kind == 5 and (subject, detail) in GONE:
        return MailKind.GONE
    return MailKind.OURS if subject == 7 else MailKind.DELAYED


def _status(written: str, diagnostic: str) -> tuple[int, int, int]:
    """The status that says most: some systems write 5.0.0 where the answer that they got said 5.1.1."""
    found = [tuple(map(int, each)) for each in _STATUS.findall(f"{written} {diagnostic}")]
    alerting = next((each for each in found if each[1:] != (0, 0)), None)
    kind, subject, detail = alerting or (found[0] if found else (5, 0, 0))
    return kind, subject, detail


def _ours(mail: Message, links: Links, *more: str) -> str | None:
    """The token of the mail that a report is about: in the address it came to, else in the mail that it returns."""
    returned = [
        value
        for part in _parts(mail)
        if part.get_content_type() in {"message/rfc822", "text/rfc822-headers", "message/rfc822-headers"}
        for value in _returned(part)
    ]
    return _first(links, MAIL, [*_values(mail, *_ADDRESSED), *more, *returned])


def _returned(part: Message) -> Iterator[str]:
    """What of a returned mail may carry our token."""
    payload = part.get_payload()
    if isinstance(payload, list):
        for each in payload:
            if isinstance(each, Message):
                yield from _values(each, "Message-ID", "Return-Path", "X-Message-ID")
        return
    content = part.get_payload(decode=True)
    if isinstance(content, bytes):
        headers = BytesParser(policy=policy.compat32).parsebytes(content, headersonly=True)
        yield from _values(headers, "Message-ID", "Return-Path", "X-Message-ID")


def _first(links: Links, purpose: str, texts: list[str]) -> str | None:
    """The first token in some texts that we signed for a purpose."""
    for text in texts:
        for token in _TOKEN.findall(text):
            if links.read(purpose, token) is not None:
                return str(token).lower()
    return None


def _is_automatic(mail: Message) -> bool:
    """Whether nobody wrote it (RFC 3834 section 5; the other headers are older habits)."""
    submitted = str(mail.get("Auto-Submitted", "no")).partition(";")[0].strip().lower()
    habits = ("X-Autoreply", "X-Autorespond", "X-Auto-Response-Suppress")
    bulk = str(mail.get("Precedence", "")).strip().lower() in {"bulk", "auto_reply", "junk"}
    return submitted != "no" or bulk or any(name in mail for name in habits)


def _values(mail: Message, *names: str) -> list[str]:
    return [str(value)[:2000] for name in names for value in mail.get_all(name, [])[:10]]


def _fields(part: Message) -> dict[str, str]:
    """The fields of a feedback report, which the standard library takes for a mail's headers, or for text."""
    payload = part.get_payload()
    inner = payload[0] if isinstance(payload, list) and payload else None
    if not isinstance(inner, Message):
        content = part.get_payload(decode=True)
        inner = BytesParser(policy=policy.compat32).parsebytes(content if isinstance(content, bytes) else b"")
    return {name.lower(): " ".join(str(value).split())[:200] for name, value in inner.items()}


def _parts(mail: Message) -> Iterator[Message]:
    """The parts of a report, but not those of the mail that it returns."""
    payload = mail.get_payload()
    for part in payload[:MAX_PARTS] if isinstance(payload, list) else ():
        if isinstance(part, Message):
            yield part
