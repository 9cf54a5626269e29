"""Due when, expired when, for whom. Pure: a reader's hour, weekdays and zone and an instant in, instants out.

A reader's slot is their chosen local hour on a chosen weekday. An hour that does not exist on a day (clocks go
forward) or comes twice (clocks go back) makes one slot: `datetime.combine` takes the first of two, and reads an
hour in the gap with the offset from before it.
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
"""Whoever's hour passed this recently before publication gets the edition at once."""
LIFETIME = timedelta(hours=18)
"""An edition that could not be delivered for this long is yesterday's news."""
WAKING = time(7), time(22)
"""Local hours in which retries, catch-up and grace may run."""
NEAR = timedelta(hours=1)
"""They may also run this close to the reader's own hour, whenever that is."""


@dataclass(frozen=True, slots=True)
class Rhythm:
    """When a reader wants to be reached: minutes after local midnight, a bit per weekday, an IANA zone name."""

    timezone: str
    hour: int
    weekdays: int

    def slots(self, since: datetime) -> Iterator[datetime]:
        """The reader's slots after `since`, in UTC, without end."""
        zone = zone_of(self.timezone)
        day = since.astimezone(zone).date() - DAY
        while True:
            slot = self.slot(day, zone)
            if self.weekdays >> day.weekday() & 1 and slot > since:
                yield slot
            day += DAY

    def slot(self, day: date, zone: ZoneInfo) -> datetime:
        """The reader's hour on a local day, whether they chose its weekday or not."""
        at = time(*divmod(self.hour, 60))
        return datetime.combine(day, at, zone).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Window:
    """When a delivery becomes due and when it is too late for it."""

    due_at: datetime
    expires_at: datetime


@cache
def zone_of(name: str) -> ZoneInfo:
    """A zone of the tz database; UTC for one that is not known here, so that it stops nobody else's edition."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        log.error("unknown time zone, taken for UTC", extra={"zone": name})
        return ZoneInfo("UTC")


def window(rhythm: Rhythm, published_at: datetime) -> Window:
    """When the edition published at `published_at` is due for a reader with this rhythm, and until when."""
    slots = rhythm.slots(published_at - GRACE)
    slot = next(slots)
    due_at = slot if slot > published_at else waking(rhythm, published_at)
    return Window(due_at, min(due_at + LIFETIME, next(slots)))


def welcome(rhythm: Rhythm, now: datetime) -> Window:
    """A new subscriber gets the latest edition at once, whatever the hour: it is their own act.

    A slot that is only moments away does not end it.
    """
    return Window(now, min(now + LIFETIME, next(rhythm.slots(now + GRACE))))


def announced(rhythm: Rhythm, at: datetime) -> Window:
    """When an announcement made at `at` is due for a reader with this rhythm: at their next waking moment.

    Their hour and weekdays are for editions; it waits for neither, and ends at no slot.
    """
    due_at = waking(rhythm, at)
    return Window(due_at, due_at + LIFETIME)


def rebook(rhythm: Rhythm, published_at: datetime, now: datetime, *, is_note: bool = False) -> Window:
    """When an edition that is still owed becomes due for a reader who has changed their rhythm.

    At the hour it would have had from the beginning; where that has passed, at the next waking moment.
    """
    booked = announced(rhythm, published_at) if is_note else window(rhythm, published_at)
    if booked.due_at > now:
        return booked
    at = waking(rhythm, now)
    if at < booked.expires_at:
        return Window(at, booked.expires_at)
    return Window(at, at + LIFETIME if is_note else min(at + LIFETIME, next(rhythm.slots(at))))


def waking(rhythm: Rhythm, at: datetime) -> datetime:
    """The first instant from `at` on at which the reader may be disturbed outside their own slot."""
    zone = zone_of(rhythm.timezone)
    local = at.astimezone(zone)
    wake, sleep = WAKING
    if wake <= local.time() < sleep:
        return at
    own = (rhythm.slot(local.date() + n * DAY, zone) for n in (-1, 0, 1))
    near = [slot for slot in own if at < slot + NEAR]
    morning = datetime.combine(local.date() + (DAY if local.time() >= sleep else timedelta()), wake, zone)
    return max(at, min([morning.astimezone(UTC), *(slot - NEAR for slot in near)]))
