"""Classifies incoming mail: bounces (RFC 3464), complaints (ARF, RFC 5965), unsubscribe requests, everything else.

Pure. Strangers write these mails, so a reader is identified only by a token that we signed. Automatic replies
(RFC 3834) and ordinary mail change nothing.
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
"""Bytes of a mail that are read; a report stands at its beginning."""
MAX_PARTS = 50
"""MIME parts of a mail that are examined."""

_TOKEN = re.compile(r"(?<![0-9a-z.])[0-9a-z]{1,12}(?:\.[0-9a-z]{1,12}){1,2}-[0-9a-f]{32}(?![0-9a-z])", re.IGNORECASE)
_STATUS = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])")
_ADDRESSED = ("Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To", "To")
"""Headers that may hold the envelope recipient; our own mail system writes all but To."""
_UNSUBSCRIBE = re.compile(r"\W*unsubscribe\W*", re.IGNORECASE)


class MailKind(StrEnum):
    """Kinds of incoming mail; the value is the line of `papers email bounces`."""

    GONE = "hard bounces, no such mailbox"
    STRIKE = "soft bounces that count against the reader"
    OURS = "refused for our reputation or content"
    DELAYED = "delayed, or refused for other reasons"
    COMPLAINT = "complaints"
    LEAVING = "unsubscribe requests"
    AUTOMATIC = "automatic replies"
    JUNK = "anything else"


FEEDBACK_OF = {
    MailKind.GONE: Feedback.GONE,
    MailKind.STRIKE: Feedback.STRIKE,
    MailKind.COMPLAINT: Feedback.COMPLAINT,
    MailKind.LEAVING: Feedback.LEAVING,
}
"""The kinds that the core acts on."""


@dataclass(frozen=True, slots=True)
class Classified:
    """A mail's kind, and the signed token that names its reader, with the token's purpose."""

    kind: MailKind
    purpose: str = ""
    token: str = ""
    reason: str = ""


def classify(raw: bytes, links: Links) -> Classified:
    """Classify a mail. Never raises, whatever strangers wrote."""
    try:
        mail = BytesParser(policy=policy.compat32).parsebytes(raw[:MAX_BYTES])
        return _classify(mail, links)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return Classified(MailKind.JUNK)


def _classify(mail: Message, links: Links) -> Classified:
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
    if _UNSUBSCRIBE.fullmatch(str(mail.get("Subject", "")).removeprefix("Re:")):
        answered = _first(links, MAIL, _values(mail, "In-Reply-To", "References"))
        if answered is not None:
            return Classified(MailKind.LEAVING, MAIL, answered, "by mail")
    return Classified(MailKind.JUNK)


def _complaint(mail: Message, links: Links) -> Classified:
    """A feedback report (ARF, RFC 5965)."""
    fields = next((part for part in _parts(mail) if part.get_content_type() == "message/feedback-report"), None)
    said = _fields(fields) if fields is not None else {}
    kind = said.get("feedback-type", "").lower()
    token = _ours(mail, links, said.get("original-mail-from", ""))
    if token is None or kind != "abuse":
        return Classified(MailKind.JUNK)
    return Classified(MailKind.COMPLAINT, MAIL, token, f"complaint by {said.get('user-agent', 'a mail system')}")


def _bounce(mail: Message, links: Links) -> Classified:
    """A delivery status notification (RFC 3464); our mails have one recipient each."""
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
    """The most specific status: some systems write 5.0.0 where the remote reply said 5.1.1."""
    found = [tuple(map(int, each)) for each in _STATUS.findall(f"{written} {diagnostic}")]
    specific = next((each for each in found if each[1:] != (0, 0)), None)
    kind, subject, detail = specific or (found[0] if found else (5, 0, 0))
    return kind, subject, detail


def _ours(mail: Message, links: Links, *more: str) -> str | None:
    """The token of the mail that a report is about: from the recipient address, else from the returned mail."""
    returned = [
        value
        for part in _parts(mail)
        if part.get_content_type() in {"message/rfc822", "text/rfc822-headers", "message/rfc822-headers"}
        for value in _returned(part)
    ]
    return _first(links, MAIL, [*_values(mail, *_ADDRESSED), *more, *returned])


def _returned(part: Message) -> Iterator[str]:
    """The headers of a returned mail that may hold our token."""
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
    """The first token in `texts` that we signed for a purpose, None without one."""
    for text in texts:
        for token in _TOKEN.findall(text):
            if links.read(purpose, token) is not None:
                return str(token).lower()
    return None


def _is_automatic(mail: Message) -> bool:
    """Whether a mail is an automatic reply (RFC 3834 section 5) or has one of the older headers that say so."""
    submitted = str(mail.get("Auto-Submitted", "no")).partition(";")[0].strip().lower()
    older = ("X-Autoreply", "X-Autorespond", "X-Auto-Response-Suppress")
    bulk = str(mail.get("Precedence", "")).strip().lower() in {"bulk", "auto_reply", "junk"}
    return submitted != "no" or bulk or any(name in mail for name in older)


def _values(mail: Message, *names: str) -> list[str]:
    return [str(value)[:2000] for name in names for value in mail.get_all(name, [])[:10]]


def _fields(part: Message) -> dict[str, str]:
    """The fields of a feedback report, by name in lower case; the standard library parses them as a mail or as text."""
    payload = part.get_payload()
    inner = payload[0] if isinstance(payload, list) and payload else None
    if not isinstance(inner, Message):
        content = part.get_payload(decode=True)
        inner = BytesParser(policy=policy.compat32).parsebytes(content if isinstance(content, bytes) else b"")
    return {name.lower(): " ".join(str(value).split())[:200] for name, value in inner.items()}


def _parts(mail: Message) -> Iterator[Message]:
    """The top-level parts of a report, without those of the returned mail."""
    payload = mail.get_payload()
    for part in payload[:MAX_PARTS] if isinstance(payload, list) else ():
        if isinstance(part, Message):
            yield part
