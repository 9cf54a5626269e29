"""When a delivery is due and when it expires. Pure: a reader's hour, weekdays and time zone in, times in UTC out.

A reader's slot is their local hour on one of their weekdays. An hour that daylight saving skips or repeats makes one
slot: `datetime.combine` takes the first of two, and gives an hour in the gap the offset from before it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

log = logging.getLogger(__name__)

DAY = timedelta(days=1)
GRACE = timedelta(hours=3)
"""A reader whose slot was this recently before publication gets the edition at once."""
LIFETIME = timedelta(hours=18)
"""How long after its due time a delivery expires."""
WAKING = time(7), time(22)
"""Local times between which messages may be sent outside a reader's own slot: retries, late editions."""
NEAR = timedelta(hours=1)
"""How close to the reader's own hour they may be sent as well, even at night."""


@dataclass(frozen=True, slots=True)
class Rhythm:
    """When a reader wants editions: IANA time zone, minutes after local midnight, a bit per weekday (Monday = 0)."""

    timezone: str
    hour: int
    weekdays: int

    def slots(self, since: datetime) -> Iterator[datetime]:
        """The reader's slots after `since`, in UTC, endlessly."""
        zone = zone_of(self.timezone)
        day = since.astimezone(zone).date() - DAY
        while True:
            slot = self.slot(day, zone)
            if self.weekdays >> day.weekday() & 1 and slot > since:
                yield slot
            day += DAY

    def slot(self, day: date, zone: ZoneInfo) -> datetime:
        """The reader's hour on a local day, in UTC, whatever its weekday."""
        at = time(*divmod(self.hour, 60))
        return datetime.combine(day, at, zone).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Window:
    """When a delivery becomes due and when it expires."""

    due_at: datetime
    expires_at: datetime


@cache
def zone_of(name: str) -> ZoneInfo:
    """A zone of the tz database; UTC for an unknown one, so that one bad row cannot stop everybody's edition."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        log.error("unknown time zone, using UTC", extra={"zone": name})
        return ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class Lateness:
    """How late an edition was published: when it should have been (`closing`), and when the next one will be."""

    closing: datetime
    next_closing: datetime


def window(rhythm: Rhythm, published_at: datetime, late: Lateness | None = None) -> Window:
    """When an edition published at `published_at` is due for a reader, and when it expires.

    With `late`: a reader whose slot it missed, and who would have the next edition before their next slot, gets it at
    once if they are awake, since it would otherwise never reach them.
    """
    slots = rhythm.slots(published_at - GRACE)
    slot = next(slots)
    due_at = slot if slot > published_at else waking(rhythm, published_at)
    if late is not None and window(rhythm, late.closing).due_at <= published_at and due_at >= late.next_closing:
        at_once = waking(rhythm, published_at)
        if at_once < late.next_closing:
            return Window(at_once, min(at_once + LIFETIME, slot))
    return Window(due_at, min(due_at + LIFETIME, next(slots)))


def welcome(rhythm: Rhythm, now: datetime) -> Window:
    """The window of a new subscriber's first edition: due at once, at any hour, since they asked for it.

    It expires at their next slot, but not at one within `GRACE`.
    """
    return Window(now, min(now + LIFETIME, next(rhythm.slots(now + GRACE))))


def announced(rhythm: Rhythm, at: datetime) -> Window:
    """The window of an announcement made at `at`: due at the reader's next waking time.

    It ignores their hour and weekdays, and does not expire at their next slot.
    """
    due_at = waking(rhythm, at)
    return Window(due_at, due_at + LIFETIME)


def rebook(rhythm: Rhythm, published_at: datetime, now: datetime, *, is_note: bool = False) -> Window:
    """The new window of a pending delivery after the reader changed hour, weekdays or time zone.

    It is due when it would have been with that rhythm from the start; if that has passed, at the next waking time.
    """
    booked = announced(rhythm, published_at) if is_note else window(rhythm, published_at)
    if booked.due_at > now:
        return booked
    at = waking(rhythm, now)
    if at < booked.expires_at:
        return Window(at, booked.expires_at)
    return Window(at, at + LIFETIME if is_note else min(at + LIFETIME, next(rhythm.slots(at))))


def waking(rhythm: Rhythm, at: datetime) -> datetime:
    """The first time from `at` on when the reader may get a message outside their own slot (`WAKING`, `NEAR`)."""
    zone = zone_of(rhythm.timezone)
    local = at.astimezone(zone)
    wake, sleep = WAKING
    if wake <= local.time() < sleep:
        return at
    own = (rhythm.slot(local.date() + n * DAY, zone) for n in (-1, 0, 1))
    near = [slot for slot in own if at < slot + NEAR]
    morning = datetime.combine(local.date() + (DAY if local.time() >= sleep else timedelta()), wake, zone)
    return max(at, min([morning.astimezone(UTC), *(slot - NEAR for slot in near)]))
