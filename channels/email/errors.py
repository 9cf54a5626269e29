"""Maps an SMTP refusal to an outcome. Pure.

Only three codes say that a mailbox is gone (RFC 3463): 5.1.1 and 5.1.6, no such mailbox or moved, and 5.2.1, disabled.
Policy refusals (5.7.x) are about the sender and never cost a reader.
"""

from __future__ import annotations

from bot.channel import Deferred, Gone, Outcome, Rejected
from channels.email.smtp import Reply, Stage

RETRY_SECONDS = 1800.0
"""Seconds before a deferred mail is retried (RFC 5321 section 4.5.4.1: at least 30 minutes)."""
GONE = {(1, 1), (1, 6), (2, 1)}
"""Codes (subject, detail) of a mailbox that does not exist."""
FULL = (2, 2)
STRIKES = {FULL, (1, 2), (1, 3), (1, 10)}
"""Codes of a soft bounce that counts as a strike: a full mailbox, a domain that does not exist or takes no mail. Only
three editions in a row make a reader gone, so that a day-long relay outage loses no subscribers."""
UNROUTABLE = {(4, 1), (4, 4)}
"""Codes that are a strike where they are permanent: the domain has no hosts. Where they are temporary, or the relay
gave up (4.4.7), our own relay's network may be at fault, for every reader at once."""
NO_MAILBOX = {"user unknown", "unknown user", "no such user", "no such recipient", "mailbox not found"}
"""Words of a missing mailbox in replies without an enhanced code: Postfix, Exim, qmail, Sendmail."""


def outcome_of(reply: Reply, stage: Stage, judge: str) -> Outcome:
    """The outcome of a mail refused with `reply` to `stage`; `judge` is the recipient's domain, for spam verdicts."""
    reason = f"{reply} (to {stage})"
    if reply.code == 421:
        return Deferred(reason, scope="channel")
    if stage in {Stage.LOGIN, Stage.MAIL}:
        return _of_sender(reply, stage, reason)
    if reply.code < 500:
        system = reply.enhanced is not None and reply.enhanced[1] == 3 and stage is not Stage.RCPT
        return Deferred(reason, RETRY_SECONDS, scope="channel" if system else "recipient")
    return _of_address(reply, stage, reason, judge)


def _of_sender(reply: Reply, stage: Stage, reason: str) -> Outcome:
    """A refusal before any recipient was named: about us or the relay, unless the mail is too large."""
    if stage is Stage.MAIL and (reply.code == 552 or _code(reply) in {(3, 4), (2, 3)}):
        return Rejected(reason)
    return Deferred(reason, scope="channel")


def _of_address(reply: Reply, stage: Stage, reason: str, judge: str) -> Outcome:
    code = _code(reply)
    if code in GONE or (code is None and stage is Stage.RCPT and _says_nobody(reply)):
        return Gone(reason)
    if code is not None and code[0] == 7:
        return Rejected(reason, judge=judge)
    if code in {(1, 7), (1, 8)}:  # the sender's address is bad
        return Deferred(reason, scope="channel")
    if code is not None and code[0] in {5, 6}:  # protocol or content
        return Rejected(reason)
    if stage is Stage.RCPT and (code == (2, 3) or reply.code == 552):  # a limit of this mailbox only
        return Deferred(reason, RETRY_SECONDS, strike=code in STRIKES)
    if code in {(3, 4), (2, 3)} or (reply.code == 552 and code != FULL):
        return Rejected(reason)
    if stage is Stage.DOT and code is None:  # refused after the content was seen: a spam filter's verdict
        return Rejected(reason, judge=judge)
    return Deferred(reason, RETRY_SECONDS, strike=code in STRIKES | UNROUTABLE)


def _code(reply: Reply) -> tuple[int, int] | None:
    enhanced = reply.enhanced
    return None if enhanced is None or enhanced[0] != 5 or enhanced[1:] == (0, 0) else enhanced[1:]


def _says_nobody(reply: Reply) -> bool:
    return reply.code in {550, 551} and any(words in reply.text.lower() for words in NO_MAILBOX)
