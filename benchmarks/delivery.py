"""How fast editions are published and handed out, how much memory that takes, and what an idle moment costs.

`python -m benchmarks.delivery [--readers 1000000] [--database sqlite|postgres] [--json]`. The channel answers at
once, so all that is measured is ours. Every part runs in a process of its own, beside bare statements of the driver
on the same tables. Exit code 0: within all bounds, 1: too slow or too large, 2: no PostgreSQL here.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta
from itertools import count, repeat
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
from sqlalchemy import text

from bot.channel import Channel, Limits, Message, Outcome, Pace, Page, Personal, Sent
from bot.delivery.dispatcher import Dispatcher
from bot.model import ALL_WEEK, Cadence, Edition, Found, Preferences, Ranked, Style
from bot.runtime import logs
from bot.runtime.locks import holding, make_locks
from bot.store import Store, audience, edition_queries, paper_queries, subscriber_queries
from tests.support.fake_channel import DAY, NOW, Plain, paper
from tests.support.postgres import running

MOST_TIMES_BARE_PUBLISH = 2.0
"""Ratio, at most: publishing to the driver's `executemany` of the same rows."""
MOST_TIMES_BARE_DISPATCH = {"sqlite": 12.0, "postgres": 6.0}
"""The same for handing them out, beside the two UPDATEs that each row takes, a batch at a time."""
MOST_MEGABYTES = 250.0
MOST_TIMES_A_TENTH = 12.0
"""Ratio, at most: the cost of a million readers to that of a hundred thousand."""
MOST_TIMES_IDLE = 3.0
"""Ratio, at most: a step that finds nothing to do with a million readers to the same with 10,000."""
FEW = 10_000
CONCURRENCY = 1_000
NARROW = 10
"""Messages in flight on a channel with few connections."""
MOST_TIMES_WIDE = 3.0
"""Ratio, at most: processor time for a row with few connections to that with `CONCURRENCY`, with as many readers."""
PAPERS = 10
IDLE_STEPS = 60
IDLE_RUNS = 8

SPREAD = timedelta(hours=12)
DUE = [NOW + n * SPREAD / 24 for n in range(1, 25)]
"""When readers' hours come, the same number at each."""
WEEKDAYS = (ALL_WEEK, ALL_WEEK, 0b0011111, 0b0001011)
ZONES = (
    "Africa/Cairo",
    "Africa/Johannesburg",
    "Africa/Lagos",
    "Africa/Nairobi",
    "America/Argentina/Buenos_Aires",
    "America/Bogota",
    "America/Chicago",
    "America/Denver",
    "America/Halifax",
    "America/Los_Angeles",
    "America/Mexico_City",
    "America/New_York",
    "America/Sao_Paulo",
    "America/St_Johns",
    "America/Toronto",
    "Asia/Bangkok",
    "Asia/Dhaka",
    "Asia/Dubai",
    "Asia/Ho_Chi_Minh",
    "Asia/Hong_Kong",
    "Asia/Jakarta",
    "Asia/Jerusalem",
    "Asia/Karachi",
    "Asia/Kathmandu",
    "Asia/Kolkata",
    "Asia/Manila",
    "Asia/Seoul",
    "Asia/Shanghai",
    "Asia/Singapore",
    "Asia/Taipei",
    "Asia/Tokyo",
    "Australia/Adelaide",
    "Australia/Sydney",
    "Europe/Berlin",
    "Europe/Istanbul",
    "Europe/London",
    "Europe/Madrid",
    "Europe/Paris",
    "Pacific/Auckland",
    "UTC",
)
CHOICES = (
    Preferences(),
    Preferences(language="ko"),
    Preferences(style=Style.ABSTRACT),
    Preferences(language="ko", style=Style.ABSTRACT, papers=5),
)


Part = dict[str, float]


@dataclass
class NullChannel(Channel):
    """Takes everything at once and does nothing with it."""

    name: str = "null"
    pace: Pace = field(default_factory=lambda: Pace(concurrency=CONCURRENCY))
    limits: Limits = field(default_factory=Limits)
    repeats_unknown: bool = True
    rehearsal: bool = True

    def recipient(self, written: str) -> str:
        return written

    def compose(self, page: Page) -> Plain:
        return Plain(page)

    async def send(self, to: str, message: Message, personal: Personal) -> Outcome:  # noqa: ARG002 - the port's signature
        return Sent(personal.key)  # a receipt of its own for each, as services give


# Each part runs in a process of its own, so that its memory is its own


async def ours(url: str, home: Path, readers: int) -> Part:
    """Publish for `readers`, look around with nothing due, hand everything out, look around again, publish again."""
    took = {}
    async with _subscribed(url, home, readers) as store:
        locks = make_locks(store.engine.url, store.path)
        dispatcher = Dispatcher(store, NullChannel(), locks)
        async with holding(locks, *dispatcher.roles()):
            took["publish"] = await _publish(store, DAY, NOW, readers)
            took["idle before"] = await _idle(dispatcher, NOW)
            took |= await _dispatch(dispatcher)
            await _all_sent(store, readers)
            took["idle after"] = await _idle(dispatcher, NOW + SPREAD)
            took["publish again"] = await _publish(store, DAY + timedelta(days=1), NOW + timedelta(days=1), readers)
        await locks.close()
    took["megabytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return took


async def narrow(url: str, home: Path, readers: int) -> Part:
    """The same with few connections, handed out only."""
    async with _subscribed(url, home, readers) as store:
        locks = make_locks(store.engine.url, store.path)
        dispatcher = Dispatcher(store, NullChannel(pace=Pace(concurrency=NARROW)), locks)
        async with holding(locks, *dispatcher.roles()):
            await _publish(store, DAY, NOW, readers)
            took = await _dispatch(dispatcher)
            await _all_sent(store, readers)
        await locks.close()
    return took


async def bare(url: str, home: Path, readers: int) -> Part:
    """The same rows by the driver alone: `executemany`, then each batch is marked as being sent, and as sent."""
    async with _subscribed(url, home, readers) as store:
        edition_id = await _edition(store, DAY, NOW)
    with _driver(store) as (connection, mark):
        began = time.perf_counter()
        connection.cursor().executemany(
            "insert into deliveries (edition_id, subscriber_id, channel, state, due_at, next_at, expires_at)"
            f" values ({', '.join([mark] * 7)})",
            _rows(edition_id, readers, as_text=store.path is not None),
        )
        connection.commit()
        inserted = time.perf_counter()
        due = (
            f"select id from deliveries where channel = 'null' and state = 'owed' order by next_at limit {CONCURRENCY}"
        )
        claim = f"update deliveries set state = 'sending', owner = 'bare' where id in ({due}) returning id"
        record = "update deliveries set state = 'sent', owner = null where state = 'sending' and owner = 'bare'"
        while connection.execute(claim).fetchall():
            connection.commit()
            connection.execute(record)
            connection.commit()
        return {"publish": inserted - began, "dispatch": time.perf_counter() - inserted}


@asynccontextmanager
async def _subscribed(url: str, home: Path, readers: int) -> AsyncIterator[Store]:
    """A database with `readers` subscribers, made by one statement: neighbours differ in zone, hour and weekdays."""
    store = Store.open(url, home)
    await store.migrate()
    async with store.write() as connection:
        choice_ids = [await subscriber_queries.choose(connection, choice) for choice in CHOICES]
        mix = [
            {"zone": zone, "hour": local.hour * 60 + local.minute, "days": days, "choice": choice}
            for choice in choice_ids
            for days in WEEKDAYS
            for due in DUE
            for zone in ZONES
            for local in [due.astimezone(ZoneInfo(zone))]
        ]
        await connection.execute(
            text("create temporary table mix (n int primary key, zone text, hour int, days int, choice int)")
        )
        await connection.execute(
            text("insert into mix values (:n, :zone, :hour, :days, :choice)"),
            [{"n": n, **one} for n, one in enumerate(mix)],
        )
        await connection.execute(
            text(
                "insert into subscribers"
                " (channel, recipient, status, choice_id, hour, weekdays, timezone, cadence, created_at)"
                " with recursive numbers (i) as (select 1 union all select i + 1 from numbers where i < :readers)"
                " select 'null', 'reader-' || i, 'active', choice, hour, days, zone, 'day', :now"
                " from numbers join mix on n = i % :mixed"
            ).bindparams(readers=readers, mixed=len(mix), now=NOW.replace(tzinfo=None) if store.path else NOW)
        )
        await connection.execute(text("drop table mix"))
    if store.path is None:  # what its own housekeeping does after a while; SQLite has none
        async with store.engine.connect() as connection:
            keeping = await connection.execution_options(isolation_level="AUTOCOMMIT")
            await keeping.execute(text("vacuum analyze subscribers"))
    try:
        yield store
    finally:
        await store.close()


async def _edition(store: Store, day: date, now: datetime) -> int:
    """An edition of some papers, without an audience; its id."""
    async with store.write() as connection:
        found = [paper(day.toordinal() % 10_000 * 10 + place, day) for place in range(PAPERS)]
        await paper_queries.keep(connection, Found(found, frozenset({day})))
        ranked = tuple(Ranked(place, each, each.votes) for place, each in enumerate(found, start=1))
        edition_id = await edition_queries.add(connection, Edition(Cadence.DAY, day, now, ranked))
    assert edition_id is not None
    return edition_id


async def _publish(store: Store, day: date, now: datetime, readers: int) -> float:
    edition_id = await _edition(store, day, now)
    began = time.perf_counter()
    async with store.write() as connection:
        owed = await audience.owe(connection, edition_id, Cadence.DAY, published_at=now)
    assert owed == readers
    return time.perf_counter() - began


async def _dispatch(dispatcher: Dispatcher) -> Part:
    """Hand everything out: how long it takes, and the processor time of this process, both in seconds."""
    began, processor = time.perf_counter(), time.process_time()
    for now in DUE:
        while await dispatcher.step(now) or dispatcher.busy:
            if dispatcher.busy:
                await dispatcher.attempt_ended.wait()
    return {"dispatch": time.perf_counter() - began, "dispatch, processor": time.process_time() - processor}


async def _idle(dispatcher: Dispatcher, now: datetime) -> float:
    """How long a step takes that finds nothing to do, one each second; of several runs the shortest, as elsewhere."""
    took = []
    for run in range(IDLE_RUNS):
        began = time.perf_counter()
        for second in range(IDLE_STEPS):
            assert not await dispatcher.step(now + timedelta(seconds=run * IDLE_STEPS + second))
        took.append((time.perf_counter() - began) / IDLE_STEPS)
    return min(took)


async def _all_sent(store: Store, readers: int) -> None:
    async with store.read() as connection:
        counted = (await connection.execute(text("select state, count(*) from deliveries group by state"))).all()
    assert [tuple(row) for row in counted] == [("sent", readers)], counted


def _rows(edition_id: int, readers: int, *, as_text: bool) -> Iterator[tuple[object, ...]]:
    due, late = NOW + SPREAD, NOW + 2 * SPREAD
    at: tuple[object, ...] = (due, due, late)
    if as_text:
        at = tuple(each.replace(tzinfo=None).isoformat(" ", "microseconds") for each in (due, due, late))
    for reader in range(1, readers + 1):
        yield edition_id, reader, "null", "owed", *at


@contextmanager
def _driver(store: Store) -> Iterator[tuple[Any, str]]:
    """A bare connection to where `store` is, set up as the store's own are, and how it marks a value."""
    if store.path is not None:
        with closing(sqlite3.connect(store.path)) as lite:
            for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "cache_size=-16000"):
                lite.execute(f"pragma {pragma}")
            yield lite, "?"
    else:
        url = store.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(url) as server:
            yield server, "%s"


PARTS = {"ours": ours, "narrow": narrow, "bare": bare}


# What is asked of them


@dataclass(frozen=True)
class Figure:
    """One line of the result; without a bound it is only said."""

    name: str
    value: float
    unit: str
    most: float | None = None
    least: float | None = None

    @property
    def fits(self) -> bool:
        return (self.most is None or self.value <= self.most) and (self.least is None or self.value >= self.least)

    def __str__(self) -> str:
        bound = "" if self.most is None else f"at most {self.most:,g}"
        bound = bound if self.least is None else f"at least {self.least:,g}"
        verdict = "" if not bound else "ok" if self.fits else "TOO SLOW"
        value = f"{self.value:,.0f}" if self.value >= 100 else f"{self.value:.2f}"
        return f"{self.name:<58} {value:>8} {self.unit:<7} {bound:<16} {verdict}".rstrip()


def figures(readers: int, database: str, parts: Sequence[Part], slim: Part, baseline: Part) -> list[Figure]:
    """What the parts measured, with few readers, a tenth (also with few connections) and all, beside what is asked."""
    few, tenth, whole = parts
    rate = readers / whole["dispatch"]
    bare_rate = readers / baseline["dispatch"]
    return [
        Figure("publish", whole["publish"], "s"),
        Figure("publish, the next day", whole["publish again"], "s"),
        Figure("publish, bare executemany", baseline["publish"], "s"),
        Figure("publish, times bare", whole["publish"] / baseline["publish"], "x", MOST_TIMES_BARE_PUBLISH),
        Figure(
            "publish, the next day, times bare",
            whole["publish again"] / baseline["publish"],
            "x",
            MOST_TIMES_BARE_PUBLISH,
        ),
        Figure("publish, times a tenth of the readers", whole["publish"] / tenth["publish"], "x", MOST_TIMES_A_TENTH),
        Figure("dispatch", rate, "rows/s"),
        Figure("dispatch, bare, two UPDATEs a batch", bare_rate, "rows/s"),
        Figure("dispatch, times bare", bare_rate / rate, "x", MOST_TIMES_BARE_DISPATCH[database]),
        Figure(
            "dispatch, times a tenth of the readers", whole["dispatch"] / tenth["dispatch"], "x", MOST_TIMES_A_TENTH
        ),
        Figure("dispatch, processor time", whole["dispatch, processor"] / readers * 1e6, "us/row"),
        Figure(
            f"  of a tenth with {NARROW} connections, times {CONCURRENCY:,}",
            slim["dispatch, processor"] / tenth["dispatch, processor"],
            "x",
            MOST_TIMES_WIDE,
        ),
        Figure("idle step, everything owed later", whole["idle before"] * 1000, "ms"),
        Figure(f"  times {FEW:,} readers", whole["idle before"] / few["idle before"], "x", MOST_TIMES_IDLE),
        Figure("idle step, everything sent", whole["idle after"] * 1000, "ms"),
        Figure(f"  times {FEW:,} readers", whole["idle after"] / few["idle after"], "x", MOST_TIMES_IDLE),
        Figure("largest resident size", whole["megabytes"], "MB", most=MOST_MEGABYTES),
    ]


def main() -> int:
    """Measure each part in a process of its own, and print figures beside bounds."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.delivery", description=__doc__)
    parser.add_argument("--readers", type=int, default=1_000_000)
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    parser.add_argument("--part", choices=PARTS, help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.part:
        logs.configure("json")  # a line costs what it costs in production; where it goes is the parent's business
        with tempfile.TemporaryDirectory(prefix="papers") as home:
            print(json.dumps(asyncio.run(PARTS[asked.part](asked.url, Path(home), asked.readers))))
        return 0
    few, tenth, readers = min(FEW, asked.readers), asked.readers // 10, asked.readers
    try:
        with _urls(asked.database) as urls:
            parts = [_measured("ours", next(urls), each) for each in (few, tenth, readers)]
            slim, baseline = _measured("narrow", next(urls), tenth), _measured("bare", next(urls), readers)
            found = figures(readers, asked.database, parts, slim, baseline)
    except LookupError as error:
        print(error, file=sys.stderr)
        return 2
    if asked.json:
        print(json.dumps({figure.name.strip(): asdict(figure) | {"fits": figure.fits} for figure in found}))
    else:
        busy = f"load {os.getloadavg()[0]:.1f}"  # ours among it: 1 to 2 when nothing else runs
        python = platform.python_version()
        print(f"{readers:,} readers, {asked.database}, {os.cpu_count()} cores, {busy}, Python {python}")
        print(*found, sep="\n")
    return 0 if all(figure.fits for figure in found) else 1


@contextmanager
def _urls(database: str) -> Iterator[Iterator[str]]:
    """As many empty databases as are wanted. Raises LookupError where this machine has no PostgreSQL."""
    if database == "sqlite":
        yield repeat("sqlite:///subscribers.db")
        return
    with tempfile.TemporaryDirectory(prefix="papers") as folder, running(Path(folder)) as server:
        yield (server.url(server.create()) for _ in count())


def _measured(part: str, url: str, readers: int) -> Part:
    """Run one part in a fresh process."""
    command = [sys.executable, "-m", "benchmarks.delivery", "--part", part, "--url", url, "--readers", str(readers)]
    with tempfile.TemporaryFile() as said:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=said, check=False)
        if done.returncode:
            said.seek(max(0, said.tell() - 5_000))
            raise RuntimeError(said.read().decode(errors="replace"))
    measured: Part = json.loads(done.stdout)
    return measured


if __name__ == "__main__":
    sys.exit(main())
