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
from channels.email.reports import MAX_PARTS, own_words, read_report, subject
from channels.email.unsubscribe_words import asks_to_unsubscribe
from channels.email.verdicts import Verdict

MAX_BYTES = 1_000_000
"""Bytes of a mail that are read; a report stands at its beginning."""

_TOKEN = re.compile(r"(?<![0-9a-z.])[0-9a-z]{1,12}(?:\.[0-9a-z]{1,12}){1,2}-[0-9a-f]{32}(?![0-9a-z])", re.IGNORECASE)
_ADDRESSED = ("Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To", "To")
"""Headers that may hold the envelope recipient; our own mail system writes all but To."""
_JMRP = re.compile(r"complaint about message from\b", re.IGNORECASE)
COMPLAINTS = frozenset({"abuse", "fraud", "opt-out", "opt-out-list"})
"""The types of feedback (RFC 5965 and its registry at IANA) by which a reader says that they want no more."""
_DAEMON = re.compile(r"mailer-?daemon|post-?master|mail delivery|mail administrator", re.IGNORECASE)
_VACATION = re.compile(
    r"out of (?:the )?office|auto(?:matic)?[ -]?(?:reply|response|antwort)|vacation|abwesen|absen[ct]"
    r"|不在|부재|自动回复|自動返信"
    r"|^(?:read|delivered): ",
    re.IGNORECASE,
)


class MailKind(StrEnum):
    """Kinds of incoming mail; the value is the line of `papers email bounces`."""

    GONE = "hard bounces, no such mailbox"
    STRIKE = "soft bounces that count against the reader"
    OURS = "refused for our reputation or content"
    DELAYED = "delayed, or refused for other reasons"
    COMPLAINT = "complaints"
    UNSUBSCRIBE = "unsubscribe requests"
    AUTOMATIC = "automatic replies"
    JUNK = "anything else"


KIND_OF = {
    Verdict.NOBODY: MailKind.GONE,
    Verdict.UNSURE: MailKind.STRIKE,
    Verdict.FULL: MailKind.STRIKE,
    Verdict.SENDER: MailKind.OURS,
    Verdict.QUOTA: MailKind.OURS,
    Verdict.LATER: MailKind.DELAYED,
    Verdict.UNSAID: MailKind.DELAYED,
}
FEEDBACK_OF = {
    MailKind.GONE: Feedback.GONE,
    MailKind.STRIKE: Feedback.STRIKE,
    MailKind.COMPLAINT: Feedback.COMPLAINT,
    MailKind.UNSUBSCRIBE: Feedback.UNSUBSCRIBE,
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
    if _is_complaint(mail):
        return _complaint(mail, links)
    token = _first(links, MAIL, _values(mail, *_ADDRESSED))
    if mail.get_content_type() == "multipart/report" and _report_type(mail) == "delivery-status":
        return _bounce(mail, token or _ours(mail, links))
    asked = _first(links, LEAVE, [*_values(mail, *_ADDRESSED), *_values(mail, "Subject")])
    if asked is not None:
        return Classified(MailKind.UNSUBSCRIBE, LEAVE, asked, "by mail")
    if token is not None and _from_mail_system(mail):
        return _bounce(mail, token)
    if _is_automatic(mail):
        return Classified(MailKind.AUTOMATIC)
    if asks_to_unsubscribe(subject(mail)) or asks_to_unsubscribe(_first_line(mail)):
        answered = token or _first(links, MAIL, _values(mail, "In-Reply-To", "References"))
        if answered is not None:
            return Classified(MailKind.UNSUBSCRIBE, MAIL, answered, "by mail")
    return Classified(MailKind.JUNK)


def _first_line(mail: Message) -> str:
    """The first line that somebody wrote, above what they quote."""
    lines = (line.strip() for line in own_words(mail).splitlines())
    return next((line for line in lines if line), "")


def _report_type(mail: Message) -> str:
    return str(mail.get_param("report-type", "")).lower()


def _is_complaint(mail: Message) -> bool:
    """Whether a mail is a feedback report (ARF), or one of Hotmail's older kind (Junk Mail Reporting Program)."""
    if mail.get_content_type() == "multipart/report" and _report_type(mail) == "feedback-report":
        return True
    return _JMRP.match(str(mail.get("Subject", ""))) is not None and mail.is_multipart()


def _complaint(mail: Message, links: Links) -> Classified:
    """A feedback report (ARF, RFC 5965)."""
    fields = next((part for part in _parts(mail) if part.get_content_type() == "message/feedback-report"), None)
    said = {"feedback-type": "abuse"} if fields is None else _fields(fields)
    kind = said.get("feedback-type", "").lower()
    token = _ours(mail, links, said.get("original-mail-from", ""))
    if token is None or kind not in COMPLAINTS:
        return Classified(MailKind.JUNK)
    return Classified(MailKind.COMPLAINT, MAIL, token, f"complaint by {said.get('user-agent', 'a mail system')}")


def _from_mail_system(mail: Message) -> bool:
    """Whether a mail without a standard report was written by a mail system about a mail of ours.

    Such mail has a null sender (RFC 5321 section 4.5.5), or names itself in From; automatic replies of people have a
    null sender as well, but say what they are (RFC 3834), and vacation notices have words of their own.
    """
    if "X-Failed-Recipients" in mail or any(
        part.get_content_type() == "message/delivery-status" for part in _parts(mail)
    ):
        return True
    writer = any(_DAEMON.search(value) for value in _values(mail, "From", "Return-Path"))
    null = any(value.strip() == "<>" for value in _values(mail, "From", "Return-Path"))
    if not (writer or null) or _VACATION.search(str(mail.get("Subject", ""))):
        return False
    if mail.get_content_type() == "multipart/report" and _report_type(mail) == "disposition-notification":
        return False
    return writer or not _is_automatic(mail)


def _bounce(mail: Message, token: str | None) -> Classified:
    """A report of a failed delivery."""
    if token is None:
        return Classified(MailKind.JUNK)
    report = read_report(mail)
    if report is None:
        return Classified(MailKind.DELAYED)
    return Classified(KIND_OF[report.verdict], MAIL, token, f"{report.verdict.value}: {report.said}"[:300])


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
