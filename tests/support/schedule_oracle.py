"""A second implementation of the schedule for tests: steps through a reader's wall clock in quarters of an hour.

It is written from docs/design.md, "Schedule", and shares no code with `bot.rules.schedule`. It is valid while every
offset from UTC is a multiple of a quarter of an hour, as all are today.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

QUARTER, HOUR, DAY = timedelta(minutes=15), timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True)
class Clock:
    """A reader's zone, their hour in minutes after midnight, their weekdays as a set (Monday = 0)."""

    zone: str
    hour: int
    weekdays: frozenset[int]

    def strikes(self, day: date) -> datetime:
        """When the wall clock first shows the reader's hour on a local day, or leaps over it."""
        return _strikes(self.zone, self.hour, day)

    def around(self, at: datetime, days: int = 1) -> Iterator[datetime]:
        """The reader's hours of the days about `at`, chosen or not."""
        local = at.astimezone(ZoneInfo(self.zone)).date()
        return (self.strikes(local + n * DAY) for n in range(-days, days + 1))

    def slots(self, since: datetime, until: datetime) -> list[datetime]:
        """The hours of chosen weekdays after `since` and not after `until`."""
        zone, day = ZoneInfo(self.zone), since.astimezone(ZoneInfo(self.zone)).date() - DAY
        found = []
        while day <= until.astimezone(zone).date() + DAY:
            if day.weekday() in self.weekdays and since < self.strikes(day) <= until:
                found.append(self.strikes(day))
            day += DAY
        return found

    def may_disturb(self, at: datetime) -> bool:
        """By day, or close to the reader's own hour."""
        shown = at.astimezone(ZoneInfo(self.zone)).time()
        return time(7) <= shown < time(22) or any(own - HOUR <= at < own + HOUR for own in self.around(at))

    def awake(self, at: datetime) -> datetime:
        """The first moment from `at` on at which the reader may be disturbed."""
        while not self.may_disturb(at):
            at += QUARTER - (at - datetime.min.replace(tzinfo=UTC)) % QUARTER
        return at

    def due(self, published: datetime) -> datetime:
        """When an edition is due: at the next slot, or at once where one has just passed."""
        if self.slots(published - 3 * HOUR, published):
            return self.awake(published)
        return self.slots(published, published + 9 * DAY)[0]

    def until(self, published: datetime, due: datetime) -> datetime:
        """When an edition is too late: 18 hours after it was due, or at the slot after its own."""
        own, following = self.slots(published - 3 * HOUR, published + 17 * DAY)[:2]
        assert own <= due or due == self.awake(published)
        return min(due + 18 * HOUR, following)

    def new_until(self, published: datetime, now: datetime) -> datetime:
        """The same as of a change of hour, zone or weekdays."""
        booked = self.until(published, self.due(published))
        at = self.new_due(published, now)
        return booked if at < booked else min(at + 18 * HOUR, self.slots(at, at + 9 * DAY)[0])

    def new_due(self, published: datetime, now: datetime) -> datetime:
        """When an edition that is still owed is due, as of a change of hour, zone or weekdays."""
        due = self.due(published)
        return due if due > now else self.awake(now)

    def leaps_over(self, day: date) -> bool:
        """Whether the reader's hour does not exist on a day."""
        shown = self.strikes(day).astimezone(ZoneInfo(self.zone))
        return (shown.hour * 60 + shown.minute, shown.date()) != (self.hour, day)


@lru_cache(1_000_000)
def _strikes(name: str, hour: int, day: date) -> datetime:
    zone = ZoneInfo(name)
    wanted = datetime.combine(day, time(*divmod(hour, 60)))
    noon = datetime.combine(day, time(12), UTC).astimezone(zone).utcoffset()
    assert noon is not None
    at = (wanted - noon).replace(tzinfo=UTC) - 4 * HOUR
    while at.astimezone(zone).replace(tzinfo=None) < wanted:
        at += QUARTER
    return at


Latest = tuple[str, date, datetime] | None
"""The newest edition of a cadence: its cadence, its day, when it was published."""


class End(StrEnum):
    """How an edition ended for a reader, in the states' own names."""

    OWED = "owed"
    SENT = "sent"
    SKIPPED = "skipped"
    EXPIRED = "expired"


@dataclass
class Owed:
    """An edition owed to a reader."""

    published: datetime
    due: datetime
    clock: Clock
    """By which it is due."""
    until: datetime
    """When it is too late for it."""
    next: datetime | None = None
    """When it is handed out, where that is later than it was due: it was taken back for a while."""
    end: End = End.OWED
    at: datetime | None = None
    """When it was sent."""
    greeting: bool = False


@dataclass
class Life:
    """One reader's life with the newsletter: told what happens, it knows what they must have got, and when."""

    clock: Clock
    cadence: str
    active: bool = True
    subscribed: bool = True
    paused_until: datetime | None = None
    editions: dict[tuple[str, date], Owed] = field(default_factory=dict)
    owed: list[Owed] = field(default_factory=list)

    def open(self) -> list[Owed]:
        self.owed = [each for each in self.owed if each.end is End.OWED]
        return self.owed

    def owe(self, key: tuple[str, date], owed: Owed) -> None:
        self.editions[key] = owed
        self.owed.append(owed)

    def publish(self, cadence: str, day: date, at: datetime) -> None:
        if self.subscribed and not self.active and self.paused_until is not None:
            theirs = cadence == self.cadence and self.paused_until <= self.clock.due(at)
            if theirs or self.paused_until <= at:
                self.active, self.paused_until = True, None
        if not (self.active and self.subscribed and cadence == self.cadence):
            return
        for older in self.open():
            older.end = End.EXPIRED
        due = self.clock.due(at)
        self.owe((cadence, day), Owed(at, due, self.clock, self.clock.until(at, due)))

    def change(self, clock: Clock, at: datetime) -> None:
        moved = clock != self.clock
        self.clock = clock
        for each in self.open() if moved else ():
            each.due, each.until = clock.new_due(each.published, at), clock.new_until(each.published, at)
            each.clock, each.next = clock, None

    def choose(self, cadence: str, latest: Latest, at: datetime) -> None:
        if cadence != self.cadence:
            self._skip()
            self.cadence = cadence
            if self.active:
                self._take_back(latest, at)

    def pause(self, until: datetime | None) -> None:
        if self.subscribed:
            self.active, self.paused_until = False, until
            self._skip()

    def resume(self, latest: Latest, at: datetime) -> None:
        if self.subscribed:
            self.active, self.paused_until = True, None
            self._take_back(latest, at)

    def leave(self) -> None:
        self.subscribed = self.active = False
        self._skip()

    def come_back(self, latest: Latest, at: datetime) -> None:
        if self.active:
            return
        self.subscribed = self.active = True
        self.paused_until = None
        if latest is None:
            return
        known = self.editions.get(latest[:2])
        if known is None or known.end is End.SKIPPED:
            until = min(at + 18 * HOUR, self.clock.slots(at + 3 * HOUR, at + 9 * DAY)[0])
            self.owe(latest[:2], Owed(latest[2], at, self.clock, until, greeting=True))

    def hand_out(self, at: datetime) -> None:
        for each in self.open():
            if (each.next or each.due) <= at:
                each.end, each.at = End.SENT, at

    def _take_back(self, latest: Latest, at: datetime) -> None:
        """What the reader had skipped by their own act is theirs again, if it is not too late for it."""
        known = None if latest is None else self.editions.get(latest[:2])
        if known is not None and known.end is End.SKIPPED and known.until > at:
            known.end = End.OWED
            known.next = known.due if known.due > at else self.clock.awake(at)
            self.owed.append(known)

    def _skip(self) -> None:
        for each in self.open():
            each.end = End.SKIPPED
