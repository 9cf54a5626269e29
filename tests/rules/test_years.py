"""Years of editions for readers in all zones, hour by hour through the real parts, held against an oracle.

Readers change their minds at the worst moments: a minute before closing, at their own hour, while clocks leap. Each
must get each edition exactly when the design says: never at night, never twice, never not at all.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import pytest
from sqlalchemy import select

from bot.channel import (
    CommandName,
    Message,
    Outcome,
    Pace,
    Personal,
    Requester,
    Sent,
    command_line,
)
from bot.commands import ReaderCommands
from bot.delivery.dispatcher import Dispatcher
from bot.model import ALL_WEEK, Address, Cadence, Found, Paper, Preferences
from bot.publishing.publisher import Publisher
from bot.rules.preferences import PREFERENCES
from bot.runtime.locks import holding, make_locks
from bot.store import Store, subscriber_queries
from bot.store.edition_report import reports
from bot.store.schema import deliveries, editions
from bot.store.schema import subscribers as readers_table
from tests.support.databases import fresh_store
from tests.support.fake_channel import FakeChannel, paper, settle
from tests.support.schedule_oracle import Clock, End, Life

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
CLOSES = time(22)
ODD = [
    "Asia/Kathmandu",
    "Australia/Eucla",
    "Pacific/Chatham",
    "Australia/Lord_Howe",
    "America/St_Johns",
    "Antarctica/Troll",
    "Pacific/Marquesas",
    "Asia/Kolkata",
    "Pacific/Kiritimati",
    "Pacific/Midway",
    "Africa/Cairo",
    "America/Santiago",
]
ZONES = sorted(available_timezones() - {"localtime", "Factory"})
CHANGES_A_YEAR = 14
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass
class Lists:
    """A feed with one paper for each weekday."""

    async def newest_day(self, until: date) -> date | None:
        return until - max(0, until.weekday() - 4) * DAY

    async def poll(self, days: list[date], *, now: datetime, progress: object = None) -> Found:
        listed = [self.paper(day) for day in days if day.weekday() < 5 and day <= now.date()]
        return Found(listed, frozenset(days))

    def paper(self, day: date) -> Paper:
        return replace(paper(1, day), id=f"{day:%y%m}.{day.toordinal() % 100_000:05}")


@dataclass
class Recorder(FakeChannel):
    """A channel that accepts everything and records who got it when."""

    now: datetime = LONG_AGO
    reached_at: list[tuple[str, str, datetime]] = field(default_factory=list)

    async def send(self, to: str, message: Message, personal: Personal) -> Outcome:
        self.reached_at.append((to, personal.key, self.now))
        return Sent()


@dataclass(frozen=True)
class Act:
    """What a reader does, and when."""

    at: datetime
    name: str
    command: str
    value: object = None

    @property
    def line(self) -> str:
        """The command line."""
        preference = next((each for each in PREFERENCES if each.command == self.command), None)
        if preference is not None:
            return preference.line(self.value)
        return command_line(self.command, "" if self.value is None else f"{self.value}")


def weekdays_of(bits: int) -> frozenset[int]:
    return frozenset(day for day in range(7) if bits >> day & 1)


def clock_of(wanted: Preferences) -> Clock:
    return Clock(wanted.timezone, wanted.hour, weekdays_of(wanted.weekdays))


def people(count: int, chance: random.Random) -> dict[str, Preferences]:
    """Readers of every kind, the odd zones first."""
    others = [zone for zone in chance.sample(ZONES, len(ZONES)) if zone not in ODD]
    zones = (ODD + others)[:count]
    return {f"r{number}": wish(zone, chance) for number, zone in enumerate(zones)}


def wish(zone: str, chance: random.Random) -> Preferences:
    cadence = chance.choices(list(Cadence), [7, 2, 1])[0]
    weekdays = ALL_WEEK if chance.random() < 0.5 else chance.randrange(1, ALL_WEEK + 1)
    hour = 15 * chance.randrange(96)
    return Preferences(timezone=zone, hour=hour, weekdays=weekdays, cadence=cadence)


def bad_moment(wanted: Preferences, first: date, days: int, chance: random.Random) -> datetime:
    """A moment at which it is easy to be wrong."""
    day = first + chance.randrange(days) * DAY
    closing = datetime.combine(day, CLOSES, UTC)
    own = clock_of(wanted).strikes(day)
    candidates = [closing, closing - MINUTE, closing + MINUTE, own, own - MINUTE, own + MINUTE, own - 3 * HOUR]
    candidates += [closing + chance.randrange(24 * 60) * MINUTE, *leaps(wanted.timezone, day)]
    return max(chance.choice(candidates), datetime.combine(first, CLOSES, UTC))


def leaps(zone: str, day: date) -> Iterator[datetime]:
    """The hours of a day about which a zone's clock leaps, if it does."""
    hours = [datetime.combine(day, time(), UTC) + n * HOUR for n in range(25)]
    for before, after in pairwise(hours):
        if before.astimezone(ZoneInfo(zone)).utcoffset() != after.astimezone(ZoneInfo(zone)).utcoffset():
            yield from (before, after, after - MINUTE)


def act(name: str, wanted: Preferences, first: date, days: int, chance: random.Random) -> Act:
    at = bad_moment(wanted, first, days, chance)
    local = at.astimezone(ZoneInfo(wanted.timezone)).date()
    requests: list[tuple[str, object]] = [
        (CommandName.TIME, 15 * chance.randrange(96)),
        (CommandName.ZONE, chance.choice(ZONES)),
        (CommandName.WEEKDAYS, chance.randrange(1, ALL_WEEK + 1)),
        (CommandName.CADENCE, chance.choice(list(Cadence))),
        (CommandName.PAUSE, None),
        (CommandName.PAUSE, local + chance.randrange(1, 9) * DAY),
        (CommandName.RESUME, None),
        (CommandName.RESUME, None),
        (CommandName.UNSUBSCRIBE, None),
        (CommandName.SUBSCRIBE, None),
        (CommandName.SUBSCRIBE, None),
    ]
    return Act(at, name, *chance.choice(requests))


@dataclass
class World:
    """The real parts and the oracle, told the same story."""

    store: Store
    readers: dict[str, Preferences]
    lives: dict[str, Life] = field(default_factory=dict)
    latest: dict[str, tuple[str, date, datetime]] = field(default_factory=dict)
    closed: list[tuple[str, date, datetime]] = field(default_factory=list)

    async def live(self, first: date, days: int, acts: list[Act]) -> Recorder:
        start = datetime.combine(first, CLOSES, UTC)
        channel = Recorder(pace=Pace(concurrency=500))
        publisher = Publisher(self.store, Lists(), interval=timedelta(minutes=15), closes=CLOSES)
        commands = ReaderCommands(self.store, [channel], fallback=Preferences(), closes=CLOSES)
        locks = make_locks(self.store.engine.url, self.store.path)
        dispatcher = Dispatcher(self.store, channel, locks)
        await publisher.step(start - DAY)
        await self._published(start - DAY)
        self.closed.clear()  # before anybody was there to read it; whoever comes back may still be greeted with it
        async with self.store.write() as connection:
            for name, wanted in self.readers.items():
                await subscriber_queries.add(connection, Address("fake", name), wanted, now=start - HOUR)
                self.lives[name] = Life(clock_of(wanted), wanted.cadence)
        queue = sorted(acts, key=lambda each: each.at)
        hours = {start + n * HOUR for n in range(days * 24)}
        async with holding(locks, *dispatcher.roles()):
            for now in sorted(hours | {each.at for each in queue}):
                channel.now = now
                if now.time() == CLOSES:
                    await publisher.step(now)
                    await self._published(now)
                while queue and queue[0].at == now:
                    doing = queue.pop(0)
                    answer = await commands.ask(Requester(Address("fake", doing.name)), doing.line, now)
                    assert "Something went wrong" not in " ".join(answer.says)
                    self._did(doing)
                await settle(dispatcher, now)
                for life in self.lives.values():
                    life.hand_out(now)
        return channel

    async def _published(self, now: datetime) -> None:
        async with self.store.read() as connection:
            query = select(editions.c.cadence, editions.c.day).where(editions.c.closed_at == now)
            for row in await connection.execute(query):
                self.closed.append((row.cadence, row.day, now))
                self.latest[row.cadence] = (row.cadence, row.day, now)
                for life in self.lives.values():
                    life.publish(row.cadence, row.day, now)

    def _did(self, doing: Act) -> None:
        life = self.lives[doing.name]
        clock = life.clock
        match doing.command, doing.value:
            case CommandName.TIME, int(hour):
                life.change(replace(clock, hour=hour), doing.at)
            case CommandName.ZONE, str(zone):
                life.change(replace(clock, zone=zone), doing.at)
            case CommandName.WEEKDAYS, int(bits):
                life.change(replace(clock, weekdays=weekdays_of(bits)), doing.at)
            case CommandName.CADENCE, Cadence() as cadence:
                life.choose(cadence, self.latest.get(cadence), doing.at)
            case CommandName.PAUSE, None:
                life.pause(None)
            case CommandName.PAUSE, date() as until:
                life.pause(datetime.combine(until, time(), ZoneInfo(clock.zone)).astimezone(UTC))
            case CommandName.RESUME, _:
                life.resume(self.latest.get(life.cadence), doing.at)
            case CommandName.UNSUBSCRIBE, _:
                life.leave()
            case CommandName.SUBSCRIBE, _:
                life.come_back(self.latest.get(life.cadence), doing.at)
            case other:
                raise AssertionError(other)


async def told(store: Store) -> dict[tuple[str, str, date], Any]:
    """What is written down: by reader, cadence and day."""
    query = (
        select(readers_table.c.recipient, editions.c.cadence, editions.c.day, deliveries)
        .join(deliveries, deliveries.c.subscriber_id == readers_table.c.id)
        .join(editions, editions.c.id == deliveries.c.edition_id)
    )
    async with store.read() as connection:
        return {(row.recipient, row.cadence, row.day): row for row in await connection.execute(query)}


@pytest.mark.timeout(1200)
async def test_everybody_gets_every_edition_when_the_design_says(tmp_path: Path, long: bool) -> None:
    first, days, count = (date(2025, 1, 1), 730, 400) if long else (date(2026, 3, 5), 33, 48)
    chance = random.Random(2026)
    readers = people(count, chance)
    acts = [
        act(name, wanted, first, days, chance)
        for name, wanted in readers.items()
        for _ in range(max(2, CHANGES_A_YEAR * days // 365))
    ]
    store = fresh_store(tmp_path)
    try:
        world = World(store, readers)
        channel = await world.live(first, days, acts)
        rows = await told(store)
        async with store.read() as connection:
            assert all(report.adds_up for report in await reports(connection, limit=10_000))
    finally:
        await store.close()
    kinds = Counter(cadence for cadence, _, _ in world.closed)
    weeks = {day - day.weekday() * DAY for _, day, _ in world.closed}
    assert kinds[Cadence.DAY] == sum((first + n * DAY).weekday() < 5 for n in range(days))
    assert kinds[Cadence.WEEK] in {len(weeks) - 1, len(weeks)}
    assert kinds[Cadence.MONTH] >= days // 31
    compare(world, rows)
    sent = Counter(key for _, key, _ in channel.reached_at)
    assert set(sent.values()) == {1}  # never twice
    assert len(sent) == sum(row.state == "sent" for row in rows.values())
    at = {(to, key): moment for to, key, moment in channel.reached_at}
    for (name, cadence, day), row in rows.items():
        expected = world.lives[name].editions[cadence, day]
        if expected.end is End.SENT and not leapt(expected.clock, row.due_at):
            assert at[name, f"{row.edition_id}.{row.subscriber_id}"] == expected.at, (name, cadence, day)


def compare(world: World, rows: dict[tuple[str, str, date], Any]) -> None:
    """The same deliveries, the same ends, the same instants; where an hour does not exist, within the leap."""
    expected = {(name, *key): owed for name, life in world.lives.items() for key, owed in life.editions.items()}
    assert rows.keys() == expected.keys()
    ends = Counter(owed.end for owed in expected.values())
    assert all(ends[end] for end in (End.SENT, End.SKIPPED, End.EXPIRED)), ends
    wrong = []
    for key, owed in expected.items():
        row = rows[key]
        apart = abs(row.due_at - owed.due)
        if row.state != owed.end or apart > (2 * HOUR if leapt(owed.clock, row.due_at) else timedelta()):
            wrong.append((key, row.state, row.reason, row.due_at, owed))
    assert wrong == [], len(wrong)


def leapt(clock: Clock, at: datetime) -> bool:
    """Whether the reader's hour did not exist about that instant."""
    local = at.astimezone(ZoneInfo(clock.zone)).date()
    return any(clock.leaps_over(local + n * DAY) for n in (-1, 0, 1))


@pytest.mark.slow
async def test_nobody_gets_a_message_at_night(tmp_path: Path) -> None:
    """Where nobody changes anything every message comes by day, or within an hour of the reader's own."""
    chance = random.Random(7)
    readers = people(48, chance)
    store = fresh_store(tmp_path)
    try:
        channel = await World(store, readers).live(date(2026, 10, 23), 11, [])
    finally:
        await store.close()
    assert len(channel.reached_at) > 120
    assert [(to, at) for to, _, at in channel.reached_at if not clock_of(readers[to]).may_disturb(at - MINUTE)] == []
