"""What follows from an outcome. Pure: a delivery, what became of it and *now* in, what to write down out.

Who is to blame decides: what is our fault, or the service's, never costs a subscriber.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import assert_never

from bot.channel import Barred, Deferred, Gone, Outcome, Rejected, Sent, Unknown
from bot.model import Delivery, Reason, State, Status
from bot.rules.schedule import NEAR, Rhythm, waking

FIRST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(minutes=30)
JITTER = 0.2
LONGEST_REASON = 300
BLOT = "•••"
SHORTEST_RECIPIENT = 4
"""Shorter recipient ids are not blotted out of reasons: they would tear holes into ordinary words."""
REPEATS = 2
"""A message that may have arrived is sent again at most so often."""
REJECTIONS = 3
"""So many readers of one variant that nobody takes, and it falls back to `headline`. So many rejections of one
delivery, and it falls back alone; so many after that, and it ends."""
BAD_RENDERINGS = 3
"""So many variants of an edition that had to fall back while nobody took any, and the channel halts."""
IN_A_ROW = 10
"""So many readers whose fall-back was rejected without a success between, and the channel halts: nothing that we say is
taken."""
JUDGES = 2
"""So many domains that take us for spam, and the channel halts."""
STRIKES = 3
"""So many editions in a row that a reader could not be reached with, for reasons of their own, and they are gone."""
STRIKE = "not reached: "
"""How the reason begins that is written down for such an edition, whatever its delivery's state."""
PROBE = timedelta(minutes=30)
"""How often a halted channel tries one delivery."""


@dataclass(frozen=True, slots=True)
class NothingToSend:
    """The reader's own filters left nothing of an edition: no message is better than an empty one."""


@dataclass(frozen=True, slots=True)
class Recalled:
    """The program stops, and the message had not left yet."""


@dataclass(frozen=True, slots=True)
class RenderFailed:
    """The page could not be made a message: our own fault, in which no reader's service had a say."""

    reason: str


Result = Outcome | NothingToSend | Recalled | RenderFailed


@dataclass(frozen=True, slots=True)
class Consequence:
    """What an attempt changes: the delivery's row and perhaps its subscriber."""

    state: State
    reason: str | None = None
    receipt: str | None = None
    next_at: datetime | None = None
    rejections: int | None = None
    """How often its message was refused so far; None where that is as before."""
    status: Status | None = None
    moved_to: str | None = None


def consequence(delivery: Delivery, result: Result, now: datetime) -> Consequence:
    """What follows for `delivery` and its subscriber from `result`."""
    match result:
        case Sent(receipt, moved_to):
            return Consequence(State.SENT, receipt=receipt, moved_to=moved_to)
        case Deferred(reason, retry_after, "channel", _):
            return Consequence(State.OWED, short(reason), next_at=now + timedelta(seconds=retry_after or 0))
        case Deferred(reason, retry_after, _, strike):
            reason = f"{STRIKE}{reason}" if strike else reason
            wait = max(timedelta(seconds=retry_after or 0), back_off(delivery.attempts, f"{delivery.id}"))
            return _again(delivery, short(reason), now + wait)
        case Gone(reason):
            return Consequence(State.GONE, short(reason), status=Status.GONE)
        case Barred(reason):
            return Consequence(State.BARRED, short(reason), status=Status.PAUSED)
        case Rejected(reason) | RenderFailed(reason):
            return _rejected(delivery, short(reason), now)
        case Unknown(reason):
            wait = back_off(delivery.repeats + 1, f"{delivery.id}")  # before it is sent again
            return Consequence(State.UNKNOWN, short(reason), next_at=now + wait)
        case NothingToSend():
            return Consequence(State.SKIPPED, Reason.NO_MATCH.value)
        case Recalled():
            return Consequence(State.OWED, next_at=now)
        case _:
            assert_never(result)


def put_off(delivery: Delivery, now: datetime) -> datetime | None:
    """Until when a delivery that comes late has to wait, so as not to wake its reader; None where it need not.

    An announcement is in nobody's slot, and so is late at once.
    """
    if now < delivery.due_at + NEAR and not delivery.is_note:
        return None
    at = waking(_rhythm(delivery), now)
    return at if at > now else None


def repeat_at(delivery: Delivery, now: datetime) -> datetime | None:
    """When a delivery that nobody knows the end of is sent again; None where it is left to the operator."""
    at = waking(_rhythm(delivery), now)
    return at if delivery.repeats < REPEATS and at < delivery.expires_at else None


@dataclass(frozen=True, slots=True)
class ChannelState:
    """How a channel stands. Stored, so that a restart forgets no wait and no halt."""

    waits_until: datetime | None = None
    waits_for: str | None = None
    failures: int = 0
    """Times in a row that the whole channel had to wait."""
    halted_at: datetime | None = None
    halted_for: str | None = None
    probe_at: datetime | None = None
    in_a_row: int = 0
    """Readers whose fall-back was rejected since the last success."""
    judges: tuple[str, ...] = ()
    """Who took the edition that they name for spam."""

    def may_claim(self, now: datetime, free: int, flying: int) -> int:
        """How many deliveries may be taken up now, with `free` slots and `flying` in the air."""
        if self.waits_until is not None and now < self.waits_until:
            return 0
        if self.halted_at is not None:
            return 1 if not flying and self.probe_at is not None and now >= self.probe_at else 0
        return free

    def probing(self, now: datetime) -> ChannelState:
        """How the channel stands once deliveries were taken up: a halted one has had its probe for now."""
        return self if self.halted_at is None else replace(self, probe_at=now + PROBE)


def _judges(standing: ChannelState, delivery: Delivery, judge: str | None) -> tuple[str, ...]:
    """Who took this edition for spam; verdicts on earlier ones are forgotten."""
    edition = f"{delivery.edition_id}:"
    known = {each for each in standing.judges if each.startswith(edition)}
    return tuple(sorted(known | ({f"{edition}{judge.replace(',', '')}"} if judge else set())))


def stand(
    standing: ChannelState, delivery: Delivery, result: Result, now: datetime, *, bad_renderings: int = 0
) -> ChannelState:
    """How the channel stands after `result`.

    `bad_renderings` counts the edition's variants that had to fall back, where this rejection made one more of them.
    An operator's own words that a service will not have are no reason to hold up editions, unless it takes us for spam.
    """
    match result:
        case Sent():
            standing = replace(standing, failures=0, in_a_row=0)
            if standing.halted_at is None:
                return standing
            return replace(standing, halted_at=None, halted_for=None, probe_at=None, judges=())
        case Deferred(reason, retry_after, "channel", _):
            if standing.waits_until is not None and now < standing.waits_until and retry_after is None:
                return standing  # others in flight at the same moment met the same fault
            wait = timedelta(seconds=retry_after) if retry_after else back_off(standing.failures + 1, reason)
            until = max(now + wait, standing.waits_until or now)
            return replace(standing, waits_until=until, waits_for=short(reason), failures=standing.failures + 1)
        case Rejected(reason) | RenderFailed(reason):
            judge = result.judge if isinstance(result, Rejected) else None
            judges = _judges(standing, delivery, judge)
            ours = delivery.fallen and delivery.rejections <= REJECTIONS and not delivery.is_note
            standing = replace(standing, judges=judges, in_a_row=standing.in_a_row + ours)
            bad = (
                (bad_renderings >= BAD_RENDERINGS and not delivery.is_note)
                or standing.in_a_row >= IN_A_ROW
                or len(judges) >= JUDGES
            )
            if bad and standing.halted_at is None:
                return replace(standing, halted_at=now, halted_for=short(reason), probe_at=now + PROBE)
            return standing
        case _:
            return standing


def back_off(attempts: int, key: str) -> timedelta:
    """Twice as long after every attempt, spread so that those who failed together do not come back together."""
    wait: timedelta = min(FIRST_WAIT * 2 ** min(max(attempts - 1, 0), 10), LONGEST_WAIT)
    return wait * (1 + random.Random(f"{key}.{attempts}").uniform(-JITTER, JITTER))


def blot(text: str, recipient: str) -> str:
    """A text without a reader's recipient id in it."""
    if len(recipient) < SHORTEST_RECIPIENT:
        return text
    return re.sub(re.escape(recipient), BLOT, text, flags=re.IGNORECASE)


def short(reason: str) -> str:
    """A reason as it is stored: one line, bounded."""
    return " ".join(reason.split())[:LONGEST_REASON]


def _rejected(delivery: Delivery, reason: str, now: datetime) -> Consequence:
    """Our message is bad: the row is owed again, and ends only when the plainest style was refused it thrice."""
    refused = max(delivery.rejections, REJECTIONS if delivery.fallen else 0) + 1
    if refused >= 2 * REJECTIONS:
        return Consequence(State.REJECTED, reason, rejections=refused)
    wait = back_off(refused - REJECTIONS, f"{delivery.id}") if delivery.fallen else timedelta()
    return replace(_again(delivery, reason, now + wait), rejections=refused)


def _again(delivery: Delivery, reason: str, until: datetime) -> Consequence:
    at = waking(_rhythm(delivery), until)
    if at >= delivery.expires_at:
        return Consequence(State.EXPIRED, reason)
    return Consequence(State.OWED, reason, next_at=at)


def _rhythm(delivery: Delivery) -> Rhythm:
    wanted = delivery.preferences
    return Rhythm(wanted.timezone, wanted.hour, wanted.weekdays)
