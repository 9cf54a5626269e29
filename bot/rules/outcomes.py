"""Maps an outcome of sending to the next state of the delivery, the subscriber and the channel. Pure.

Only a reader's own fault can cost a subscription: never ours, and never the service's (docs/design.md, "Outcomes").
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import assert_never

from bot.channel import Barred, Deferred, Gone, Outcome, Rejected, Sent, Unknown
from bot.model import Delivery, Reason, State, Status
from bot.rules.answer_counts import AnswerCounts
from bot.rules.schedule import NEAR, Rhythm, waking

FIRST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(minutes=30)
"""Bounds of exponential backoff."""
JITTER = 0.2
"""Share of a backoff by which it is randomly longer or shorter."""
LONGEST_REASON = 300
"""Characters of a stored reason."""
REDACTED = "•••"
SHORTEST_REDACTED = 4
"""Characters of the shortest recipient id that is redacted; shorter ones would hit ordinary words."""
MAX_REPEATS = 2
"""Times that an unconfirmed message is sent again at most."""
REJECTIONS = 3
"""Distinct readers that must reject a rendering before it falls back to `headline`; also rejections of one delivery
before it falls back alone, and again before it ends."""
BAD_RENDERINGS = 3
"""Renderings of one edition that must fall back, with none of them accepted, before the channel halts."""
REJECTED_IN_A_ROW = 10
"""Readers whose fallback is rejected, with no success between them, before the channel halts."""
SPAM_DOMAINS = 2
"""Distinct domains that must call one edition spam before the channel halts."""
STRIKES = 3
"""Editions in a row that must fail to reach a reader, for the reader's own reasons, before they count as gone."""
STRIKES_SPAN = timedelta(days=7)
"""What these editions must span at least: a provider's bad days end no subscription."""
PROBE_EVERY = timedelta(minutes=30)
"""How often a halted channel tries one delivery."""


@dataclass(frozen=True, slots=True)
class NothingToSend:
    """The reader's filters left nothing of the edition; no empty message is sent."""


@dataclass(frozen=True, slots=True)
class Recalled:
    """The program is stopping, and the message had not been handed to the service."""


@dataclass(frozen=True, slots=True)
class RenderFailed:
    """The page could not be rendered: our own fault; no service has seen it."""

    reason: str


Result = Outcome | NothingToSend | Recalled | RenderFailed


@dataclass(frozen=True, slots=True)
class Consequence:
    """The changes that follow from an attempt: to the delivery's row, and perhaps to its subscriber."""

    state: State
    reason: str | None = None
    code: Reason = Reason.OTHER
    """The kind of `reason`, where there is one."""
    receipt: str | None = None
    next_at: datetime | None = None
    rejections: int | None = None
    """How often the message has been rejected by now; None leaves the count as it is."""
    status: Status | None = None
    """The subscriber's new status; None leaves it as it is."""
    moved_to: str | None = None


def in_time(delivery: Delivery, may_expire: bool) -> Delivery:
    """The delivery, and while clocks differ (not `may_expire`) as if it were never too late for another attempt."""
    return delivery if may_expire else replace(delivery, expires_at=datetime.max.replace(tzinfo=UTC))


def consequence(delivery: Delivery, result: Result, now: datetime) -> Consequence:
    """Map the result of an attempt to the changes of its delivery and subscriber."""
    match result:
        case Sent(receipt, moved_to):
            return Consequence(State.SENT, receipt=receipt, moved_to=moved_to)
        case Deferred(reason, retry_after, "channel"):
            return Consequence(State.OWED, short(reason), next_at=now + timedelta(seconds=retry_after or 0))
        case Deferred(reason, retry_after, strike=strike):
            wait = max(timedelta(seconds=retry_after or 0), backoff(delivery.attempts, f"{delivery.id}"))
            if strike:
                return _retry(delivery, Reason.NOT_REACHED.because(reason), now + wait, Reason.NOT_REACHED)
            return _retry(delivery, reason, now + wait)
        case Gone(reason):
            return Consequence(State.GONE, short(reason), Reason.UNREACHABLE, status=Status.GONE)
        case Barred(reason):
            return Consequence(State.BARRED, short(reason), Reason.NO_RIGHT, status=Status.PAUSED)
        case Rejected(reason):
            return _rejected(delivery, reason, now)
        case RenderFailed(reason):
            return _rejected(delivery, reason, now, Reason.NOT_RENDERED)
        case Unknown(reason):
            wait = backoff(delivery.repeats + 1, f"{delivery.id}")  # before it is sent again
            return Consequence(State.UNKNOWN, short(reason), next_at=now + wait)
        case NothingToSend():
            return Consequence(State.SKIPPED, Reason.NO_MATCH.text, Reason.NO_MATCH)
        case Recalled():
            return Consequence(State.OWED, next_at=now)
        case _:
            assert_never(result)


def is_first_refusal(delivery: Delivery, result: Result) -> bool:
    """Whether the service refused a message that it had not refused before: its verdict counts once per reader."""
    return isinstance(result, Rejected) and not delivery.rejections


def is_given_up(struck: Sequence[date]) -> bool:
    """Whether a reader counts as gone, whom the editions of these days in a row did not reach."""
    return len(struck) >= STRIKES and max(struck) - min(struck) >= STRIKES_SPAN


def postpone_until(delivery: Delivery, now: datetime) -> datetime | None:
    """Until when a late delivery has to wait so as not to wake its reader; None to send it now.

    An announcement has no slot of the reader's, so it always counts as late.
    """
    if now < delivery.due_at + NEAR and not delivery.is_note:
        return None
    at = waking(_rhythm(delivery), now)
    return at if at > now else None


def repeat_at(delivery: Delivery, now: datetime) -> datetime | None:
    """When to send an unconfirmed delivery again; None leaves it to the operator."""
    at = waking(_rhythm(delivery), now)
    return at if delivery.repeats < MAX_REPEATS and at < delivery.expires_at else None


@dataclass(frozen=True, slots=True)
class ChannelState:
    """The channel's circuit breaker: closed, waiting (flood wait, outage) or halted. Stored, to survive restarts."""

    waits_until: datetime | None = None
    waits_for: str | None = None
    failures: int = 0
    """Waits of the whole channel in a row, without a success between them."""
    halted_at: datetime | None = None
    halted_for: str | None = None
    probe_at: datetime | None = None
    """When a halted channel tries one delivery."""
    rejected_in_a_row: int = 0
    """Readers whose fallback was rejected since the last success."""
    spam_domains: tuple[str, ...] = ()
    """Who called an edition spam, each written `edition id:domain`."""
    counts: AnswerCounts = field(default_factory=AnswerCounts)
    """What the service answered today."""

    def may_claim(self, now: datetime, free: int, in_flight: int) -> int:
        """How many deliveries may be claimed now, with `free` slots and `in_flight` sends going on."""
        if self.waits_until is not None and now < self.waits_until:
            return 0
        if self.halted_at is not None:
            return 1 if not in_flight and self.probe_at is not None and now >= self.probe_at else 0
        return free

    def after_claim(self, now: datetime) -> ChannelState:
        """The state once deliveries were claimed: a halted channel schedules its next probe."""
        return self if self.halted_at is None else replace(self, probe_at=now + PROBE_EVERY)


def changes_only_counts(state: ChannelState) -> bool:
    """Whether a message that is accepted changes nothing but how many were: nothing has failed or been refused."""
    return not (state.failures or state.rejected_in_a_row or state.halted_at or state.counts.judges)


def next_channel_state(
    state: ChannelState, delivery: Delivery, result: Result, now: datetime, *, bad_renderings: int = 0
) -> ChannelState:
    """The channel's state after `result`.

    `bad_renderings` counts the edition's renderings that fell back, if this rejection made one more of them fall back.
    An announcement halts the channel only when it is called spam: it is the operator's own words that are refused.
    Few refusals among many answers halt nothing (`state.counts`, in which a first refusal is counted already).
    """
    match result:
        case Sent():
            if state.failures or state.rejected_in_a_row:
                state = replace(state, failures=0, rejected_in_a_row=0)
            if state.halted_at is None:
                return state
            counts = state.counts.restarted()  # else the refusals it halted for would halt it with the next one
            return replace(state, halted_at=None, halted_for=None, probe_at=None, spam_domains=(), counts=counts)
        case Deferred(reason, retry_after, "channel"):
            if state.waits_until is not None and now < state.waits_until and retry_after is None:
                return state  # sends that were in flight together met the same fault
            wait = timedelta(seconds=retry_after) if retry_after else backoff(state.failures + 1, reason)
            until = max(now + wait, state.waits_until or now)
            return replace(state, waits_until=until, waits_for=short(reason), failures=state.failures + 1)
        case Rejected(reason) | RenderFailed(reason):
            domains = _spam_domains(state, delivery, result.judge if isinstance(result, Rejected) else None)
            first_fallback = delivery.fell_back and delivery.rejections <= REJECTIONS and not delivery.is_note
            state = replace(state, spam_domains=domains, rejected_in_a_row=state.rejected_in_a_row + first_fallback)
            refused = state.rejected_in_a_row >= REJECTED_IN_A_ROW or len(domains) >= SPAM_DOMAINS
            if state.counts.is_enough and isinstance(result, Rejected):
                refused = is_first_refusal(delivery, result) and state.counts.refuses
            halts = refused or (bad_renderings >= BAD_RENDERINGS and not delivery.is_note)
            if halts and state.halted_at is None:
                return replace(state, halted_at=now, halted_for=short(reason), probe_at=now + PROBE_EVERY)
            return state
        case _:
            return state


def _spam_domains(state: ChannelState, delivery: Delivery, domain: str | None) -> tuple[str, ...]:
    """Add `domain` to those that called this edition spam; verdicts on earlier editions are dropped."""
    edition = f"{delivery.edition_id}:"
    known = {each for each in state.spam_domains if each.startswith(edition)}
    return tuple(sorted(known | ({f"{edition}{domain.replace(',', '')}"} if domain else set())))


def backoff(attempts: int, key: str) -> timedelta:
    """Exponential backoff after the given number of attempts, with jitter that `key` seeds.

    Jitter keeps those that failed together from coming back together; the seed makes it repeatable.
    """
    wait: timedelta = min(FIRST_WAIT * 2 ** min(max(attempts - 1, 0), 10), LONGEST_WAIT)
    return wait * (1 + random.Random(f"{key}.{attempts}").uniform(-JITTER, JITTER))


def redact(text: str, recipient: str) -> str:
    """`text` without a reader's recipient id in it."""
    if len(recipient) < SHORTEST_REDACTED:
        return text
    return re.sub(re.escape(recipient), REDACTED, text, flags=re.IGNORECASE)


def short(reason: str) -> str:
    """A reason as it is stored: one line of at most `LONGEST_REASON` characters."""
    return " ".join(reason.split())[:LONGEST_REASON]


def _rejected(delivery: Delivery, reason: str, now: datetime, code: Reason = Reason.OTHER) -> Consequence:
    """Our message is bad: retry it, first as it is, then as a fallback, and end it after as many rejections of that."""
    rejections = max(delivery.rejections, REJECTIONS if delivery.fell_back else 0) + 1
    if rejections >= 2 * REJECTIONS:
        return Consequence(State.REJECTED, short(reason), code, rejections=rejections)
    wait = backoff(rejections - REJECTIONS, f"{delivery.id}") if delivery.fell_back else timedelta()
    return replace(_retry(delivery, reason, now + wait, code), rejections=rejections)


def _retry(delivery: Delivery, reason: str, at: datetime, code: Reason = Reason.OTHER) -> Consequence:
    """Try again at `at` or when the reader next may be disturbed; expire where that is too late."""
    at = waking(_rhythm(delivery), at)
    if at >= delivery.expires_at:
        return Consequence(State.EXPIRED, short(reason), code)
    return Consequence(State.OWED, short(reason), code, next_at=at)


def _rhythm(delivery: Delivery) -> Rhythm:
    wanted = delivery.reader.preferences
    return Rhythm(wanted.timezone, wanted.hour, wanted.weekdays)
