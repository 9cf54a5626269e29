"""Maps an SMTP refusal to an outcome. Pure.

What the answer's words and code mean is judged by `channels.email.verdicts`, as in a bounce. Refusals for policy, rate
or reputation are about the sender and never cost a reader.
"""

from __future__ import annotations

from bot.channel import Deferred, Gone, Outcome, Rejected
from channels.email.smtp import Reply, Stage
from channels.email.verdicts import Spoken, Verdict, verdict

RETRY_SECONDS = 1800.0
"""Seconds before a deferred mail is retried (RFC 5321 section 4.5.4.1: at least 30 minutes)."""


def outcome_of(reply: Reply, stage: Stage, judge: str) -> Outcome:
    """The outcome of a mail refused with `reply` to `stage`; `judge` is the recipient's domain, for spam verdicts."""
    reason = f"{reply} (to {stage})"
    if reply.code == 421:
        return Deferred(reason, scope="channel")
    if stage in {Stage.LOGIN, Stage.MAIL}:
        return _of_sender(reply, stage, reason)
    if reply.code < 500:
        judged = verdict(reply.text, status=reply.enhanced)
        if judged is Verdict.QUOTA:
            return Deferred(reason, RETRY_SECONDS, scope="channel")
        if judged is Verdict.FULL:
            return Deferred(reason, RETRY_SECONDS, strike=True)
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
    judged = verdict(reply.text, spoken=Spoken.RCPT if stage is Stage.RCPT else Spoken.DATA, status=reply.enhanced)
    if judged is Verdict.NOBODY:
        return Gone(reason)
    if judged is Verdict.QUOTA or code in {(1, 7), (1, 8)}:  # our account at the relay, or our own address
        return Deferred(reason, RETRY_SECONDS if judged is Verdict.QUOTA else None, scope="channel")
    if judged in {Verdict.FULL, Verdict.UNSURE}:
        return Deferred(reason, RETRY_SECONDS, strike=True)
    if judged is Verdict.LATER:
        return Deferred(reason, RETRY_SECONDS)
    if code in {(3, 4), (2, 3)} or reply.code == 552:  # too large: for this mailbox, or for anybody
        return Deferred(reason, RETRY_SECONDS) if stage is Stage.RCPT else Rejected(reason)
    if judged is Verdict.SENDER:
        return Rejected(reason, judge=judge)
    if code is not None and code[0] in {5, 6}:  # protocol or content
        return Rejected(reason)
    if stage is Stage.DOT and code is None:  # refused after the content was seen: a spam filter's verdict
        return Rejected(reason, judge=judge)
    return Deferred(reason, RETRY_SECONDS)


def _code(reply: Reply) -> tuple[int, int] | None:
    enhanced = reply.enhanced
    return None if enhanced is None or enhanced[0] != 5 or enhanced[1:] == (0, 0) else enhanced[1:]
