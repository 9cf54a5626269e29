"""Reads the report of a failed delivery out of a mail: as RFC 3464 writes it, or as text in the words of a mail system.

Pure. What the mail gives back of ours is cut off before anything is judged.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.header import decode_header, make_header
from email.message import Message

from channels.email.verdicts import ENHANCED, Spoken, Verdict, casts_doubt, verdict

MAX_PARTS = 50
"""MIME parts of a mail that are examined."""
MAX_TEXT = 6_000
"""Characters of a report's own words that are read."""
LONGEST_MARK = 200
"""Characters beyond MAX_TEXT in which the line may end that announces our mail."""
MAX_REPLIES = 8
"""Replies quoted in a text that are judged."""

_COPY = re.compile(
    r"^(?:[^\w\n]|_)*+"
    r"(?:(?:this is|below (?:this line )?is|included is|enclosed is|here is)\b.{0,40}\b(?:copy|header|message)"
    r"|(?:original|returned|unsent|undelivered) message\b|message headers? follow|header of the original|"
    r"the header of the original"
    r"|copy of the original|.{0,20}below this line is a copy|original message headers?|en-t[êe]tes de message|"
    r"received: ?from|return-path:)",
    re.IGNORECASE | re.MULTILINE,
)
"""Where a mail system's own words end and our mail begins."""
_DELAYED = re.compile(
    r"warning (?:message )?only|still being retried|will be retried|has(?: not yet been| been) delayed|"
    r"not yet (?:been delivered|received)"
    r"|only a (?:temporary|notification)|do not need to re-?send|no need to re-?send|message is delayed|"
    r"continue trying",
    re.IGNORECASE,
)
_NOT_FAILED = {"delayed", "delivered", "relayed", "expanded", "deliverable"}
_REPLY = re.compile(r"(?<![\w.\[-])([45]\d\d)(?:[ -]+(?:#?[45]\.\d{1,3}\.\d{1,3})|[ -](?=\D))|#(?=[45]\.\d\.\d)")
_AFTER = {
    Spoken.RCPT: re.compile(r"\brcpt\b|rcpt_to|does not like recipient|no valid recipients", re.IGNORECASE),
    Spoken.DATA: re.compile(
        r"end of data|text command|after i sent|>>> ?data|after data|\bdata\b(?: command)?\s*$",
        re.IGNORECASE | re.MULTILINE,
    ),
    Spoken.CONNECT: re.compile(
        r"\b(?:after|to|our) (?:initial|MAIL|EHLO|HELO)\b|>>> ?(?i:mail|ehlo|helo)|MAIL_FROM|refused to talk to me"
    ),
}  # fmt: skip
_TAG = re.compile(r"</?[a-z!][^<>@]*>", re.IGNORECASE)
_HIDDEN_OR_TAG = re.compile(rf"<(?:style|script)\b.*?</(?:style|script)>|{_TAG.pattern}", re.IGNORECASE | re.DOTALL)
_END_OF_HIDDEN = re.compile(r"</(?:style|script)>", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Report:
    """A delivery status report (DSN) about one recipient; our mails have no more."""

    verdict: Verdict
    said: str
    """The words that decide, on one line."""


def read_report(mail: Message) -> Report | None:
    """The failure that a mail reports; None if it reports a delay or a success."""
    recipients = list(_recipients(mail))
    actions = [str(each.get("Action", "")).strip().lower() for each in recipients]
    words = own_words(mail)
    if any(actions) and all(action in _NOT_FAILED or not action for action in actions):
        return None
    failed = next((each for each, action in zip(recipients, actions, strict=True) if action not in _NOT_FAILED), None)
    if "failed" not in actions and _DELAYED.search(words):
        return None
    spoken = _spoken(words)
    if failed is not None:
        about = _of_fields(failed, words, spoken)
    else:
        about = _of_words(words, spoken, None) or Report(Verdict.UNSAID, _line(words))
    if about.verdict is Verdict.UNSAID and verdict(title := subject(mail)) is Verdict.UNSURE:
        return Report(Verdict.UNSURE, title)
    if about.verdict is Verdict.NOBODY and (_is_own_rule(mail) or casts_doubt(words)):
        return Report(Verdict.UNSURE, about.said)
    return about


def _of_fields(failed: Message, words: str, spoken: Spoken) -> Report:
    """The verdict of a delivery status: its diagnostic, else the mail system's own words, else its status."""
    diagnostic = _line(re.sub(r"^\s*[\w-]+\s*;", "", str(failed.get("Diagnostic-Code", ""))))
    written = _line(str(failed.get("Status", "")))
    status = _status(written)
    beside = _status(diagnostic) or status
    if diagnostic:
        asked = _spoken(f"{words}\n{diagnostic}")
        judged = _judge(diagnostic, asked, beside)
        if judged is Verdict.NOBODY and _judge(diagnostic, asked, None) is Verdict.UNSAID:
            judged = Verdict.UNSURE  # a delivery program's error, such as procmail's, with a status that says more
        if judged is not Verdict.UNSAID:
            return Report(judged, f"{written} {diagnostic}".strip())
    comment = verdict(written, spoken=spoken, status=status)
    from_words = _of_words(words, spoken, status)
    if from_words is not None and from_words.verdict is not Verdict.UNSAID:
        return from_words
    return Report(comment, f"{written} {diagnostic}".strip())


def _of_words(words: str, spoken: Spoken, status: tuple[int, int, int] | None) -> Report | None:
    """The verdict of a text: of the first quoted reply that gives a reason, else of all of it."""
    for count, found in enumerate(_REPLY.finditer(words)):
        if count == MAX_REPLIES:
            break
        reply = _line(words[found.start() : found.start() + 400])
        judged = _judge(reply, spoken, status)
        if judged is not Verdict.UNSAID:
            return Report(judged, reply)
    judged = _judge(_line(words), spoken, status)
    return None if judged is Verdict.UNSAID else Report(judged, _line(words))


def _judge(said: str, spoken: Spoken, status: tuple[int, int, int] | None) -> Verdict:
    judged = verdict(said, spoken=spoken, status=status)
    temporary = re.match(r"4\d\d\b", said) is not None
    return Verdict.UNSURE if judged is Verdict.NOBODY and temporary else judged


def _recipients(mail: Message) -> Iterator[Message]:
    """The blocks of a delivery status that are about recipients."""
    for part in _parts(mail):
        if part.get_content_type() == "message/delivery-status":
            blocks = part.get_payload()
            for block in blocks if isinstance(blocks, list) else ():
                if isinstance(block, Message) and (block.get("Action") or block.get("Status")):
                    yield block


def _is_own_rule(mail: Message) -> bool:
    """Whether Amazon's receiving service answers, where "mailbox does not exist" stands for any rule of its owner."""
    for part in _parts(mail):
        blocks = part.get_payload()
        for block in blocks if isinstance(blocks, list) else ():
            if isinstance(block, Message) and re.search(
                r"\binbound-smtp\.[\w-]+\.amazonaws\.com", str(block.get("Reporting-MTA", ""))
            ):
                return True
    return False


def own_words(mail: Message) -> str:
    """The text of a mail, without what it gives back of ours, at most MAX_TEXT characters."""
    said: list[str] = []
    for part in [mail] if not mail.is_multipart() else _parts(mail):
        if part.get_content_maintype() == "text" and part.get_content_subtype() in {"plain", "html"}:
            text = _decoded(part)
            if part.get_content_subtype() == "html":
                text = "" if said else _without_tags(text)
            cut = _COPY.search(text, 0, MAX_TEXT + LONGEST_MARK)
            said.append(text[: cut.start()] if cut else text)
            if cut or sum(map(len, said)) > MAX_TEXT:
                break
    return "\n".join(said)[:MAX_TEXT]


def _without_tags(markup: str) -> str:
    """The text of a page. Style sheets and scripts are looked for only where one still ends, so each is read once."""
    end = max((found.end() for found in _END_OF_HIDDEN.finditer(markup)), default=0)
    return _HIDDEN_OR_TAG.sub(" ", markup[:end]) + _TAG.sub(" ", markup[end:])


def _decoded(part: Message) -> str:
    content = part.get_payload(decode=True)
    if not isinstance(content, bytes):
        return ""
    try:
        return content[: 8 * MAX_TEXT].decode(part.get_content_charset("utf-8"), "replace")
    except LookupError:
        return content[: 8 * MAX_TEXT].decode("latin-1")


def _parts(mail: Message) -> Iterator[Message]:
    """The parts of a report in order, without those of the returned mail."""
    left = [mail]
    for _ in range(MAX_PARTS):
        if not left:
            return
        part = left.pop(0)
        payload = part.get_payload()
        if part.get_content_maintype() == "multipart" and isinstance(payload, list):
            left[:0] = [each for each in payload if isinstance(each, Message)]
        else:
            yield part


def _spoken(words: str) -> Spoken:
    return next((command for command, marks in _AFTER.items() if marks.search(words)), Spoken.UNKNOWN)


def _status(written: str) -> tuple[int, int, int] | None:
    """The most specific status code: some systems write 5.0.0 where the remote reply said 5.1.1."""
    found = [(int(kind), int(subject), int(detail)) for kind, subject, detail in ENHANCED.findall(written)]
    return next((each for each in found if each[1:] != (0, 0)), found[0] if found else None)


def subject(mail: Message) -> str:
    """The subject of a mail, decoded."""
    try:
        return _line(str(make_header(decode_header(str(mail.get("Subject", ""))))))
    except (LookupError, ValueError):
        return ""


def _line(text: str) -> str:
    return " ".join(text.split())[:MAX_TEXT]
