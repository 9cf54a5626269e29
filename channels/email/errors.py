"""What a relay's answers mean, and who is to blame. Pure: an answer in, an outcome out.

Only three codes say that an address is no more (RFC 3463): 5.1.1 and 5.1.6, no such mailbox or moved away, and 5.2.1,
disabled. Everything that a policy says (5.7.x) is about us, and costs no reader.
"""

from __future__ import annotations

from bot.channel import Deferred, Gone, Outcome, Rejected
from channels.email.smtp import Reply, Stage

RETRY_SECONDS = 1800.0
"""A mail that was put off is tried again after half an hour (RFC 5321 section 4.5.4.1)."""
GONE = {(1, 1), (1, 6), (2, 1)}
"""Subject and detail of the codes that blame the reader."""
FULL = (2, 2)
STRIKES = {FULL, (1, 2), (1, 3), (1, 10)}
"""The codes that count against a reader when three editions in a row are answered so: a full mailbox, a domain that
is not there or takes no mail. One day of a relay that is out of order costs nobody."""
UNROUTABLE = {(4, 1), (4, 4)}
"""Codes that count as well where they are final: the domain's hosts are not there. Where they are not, or time ran out
(4.4.7), our own relay may have lost its way, and to everybody at once."""
NO_MAILBOX = {"user unknown", "unknown user", "no such user", "no such recipient", "mailbox not found"}
"""What relays say in place of an enhanced code: the words of Postfix, Exim, qmail and Sendmail."""


def outcome_of(reply: Reply, stage: Stage, judge: str) -> Outcome:
    """What became of a mail that was refused with `reply` at `stage`; `judge` is its recipient's domain."""
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
    """Before anybody was named: whatever it says is about us or the relay; but for a mail that is too large."""
    if stage is Stage.MAIL and (reply.code == 552 or _code(reply) in {(3, 4), (2, 3)}):
        return Rejected(reason)
    return Deferred(reason, scope="channel")


def _of_address(reply: Reply, stage: Stage, reason: str, judge: str) -> Outcome:
    code = _code(reply)
    if code in GONE or (code is None and stage is Stage.RCPT and _says_nobody(reply)):
        return Gone(reason)
    if code is not None and code[0] == 7:
        return Rejected(reason, judge=judge)
    if code in {(1, 7), (1, 8)}:  # the sender's address is no good
        return Deferred(reason, scope="channel")
    if code is not None and code[0] in {5, 6}:  # what we say, or how we say it
        return Rejected(reason)
    if stage is Stage.RCPT and (code == (2, 3) or reply.code == 552):  # a limit of this mailbox alone
        return Deferred(reason, RETRY_SECONDS, strike=code in STRIKES)
    if code in {(3, 4), (2, 3)} or (reply.code == 552 and code != FULL):
        return Rejected(reason)
    if stage is Stage.DOT and code is None:  # the text was read and refused: a filter's verdict, in other words
        return Rejected(reason, judge=judge)
    return Deferred(reason, RETRY_SECONDS, strike=code in STRIKES | UNROUTABLE)


def _code(reply: Reply) -> tuple[int, int] | None:
    enhanced = reply.enhanced
    return None if enhanced is None or enhanced[0] != 5 or enhanced[1:] == (0, 0) else enhanced[1:]


def _says_nobody(reply: Reply) -> bool:
    return reply.code in {550, 551} and any(words in reply.text.lower() for words in NO_MAILBOX)
