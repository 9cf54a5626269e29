"""How long migrating takes beside copying the same rows by one bare statement, and the copy of a file beside `cp`.

`python -m benchmarks.migrations` fills a database of version 0009 with deliveries and migrates it, on SQLite and on a
PostgreSQL that it starts in a temporary folder. The rates that `papers migrate --check` reckons with
(`bot.store.upgrade`) are said beside what is seen; they hold on the machine that docs and benchmarks speak of. At last
it puts the deliveries of a PostgreSQL database into partitions while somebody else writes to them. Exit code 0: all
ratios are within their bounds.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Awaitable
from dataclasses import dataclass
from pathlib import Path

from alembic import command
from sqlalchemy import Connection, text

from bot.store import Store, upgrade
from tests.support.postgres import running

SUBSCRIBERS, EDITIONS = 50_000, 10
MOST_TIMES_BARE = {"SQLite": 4.0, "PostgreSQL": 8.0}
"""Ratio, at most: migrating to `create table … as select` of all deliveries."""
MOST_TIMES_PARTITIONS = 1.5
"""The same for a database that only lacks partitions, whose rows are looked at once and stay where they are."""
MOST_TIMES_WAITED = 0.75
"""Ratio, at most: the longest that somebody else's update of one row takes meanwhile, to the bare copy."""
MEGABYTES = upgrade.BYTES_PER_SECOND / 1e6
MOST_TIMES_FILE = 10.0
"""Ratio, at most: copying a database to copying its file and flushing it."""
SERIES = "(with recursive n(n) as (select 1 union all select n + 1 from n where n < {most}) select n from n)"
"""Numbers from 1 to `most`, on both databases."""
FILL = """
insert into choices (id, language, style, papers, min_votes, topics) values (1, 'en', 'headline', 10, 0, '[]');

insert into editions (id, cadence, day, closed_at, complete, audience, for_readers)
select n, 'day', {day}, {now}, {true}, 0, {true} from {editions} e;

insert into subscribers (
    id, channel, recipient, status, choice_id, hour, weekdays, timezone, cadence, created_at
)
select n, 'email', 'reader-' || n || '@example.org', 'active', 1, 480, 127, 'UTC', 'day', {now} from {readers} r;

insert into deliveries (
    edition_id, subscriber_id, channel, state, reason, choice_id, due_at, next_at, expires_at, receipt, ended_at
)
select
    e.n, r.n, 'email', case when r.n % 5 = 0 then 'expired' else 'sent' end,
    case when r.n % 5 = 0 then 'too late' end, 1, {now}, {now}, {now}, '250 2.0.0 Ok: queued as ' || r.n, {now}
from {readers} r cross join {editions} e order by e.n, r.n
"""


def main() -> int:
    """Print ratios and rates, and the verdict."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        found = {"SQLite": asyncio.run(measure(Store.open("sqlite:///papers.db", home)))}
        home.chmod(0o755)  # the server does not run as root
        server = home / "server"
        server.mkdir()
        with running(server) as postgres:
            found["PostgreSQL"] = asyncio.run(measure(Store.open(postgres.url(postgres.create()), home)))
            bare, took, waited = asyncio.run(measure_partitions(Store.open(postgres.url(postgres.create()), home)))
    fits = took <= MOST_TIMES_PARTITIONS * bare and waited <= MOST_TIMES_WAITED * bare
    for name, seen in found.items():
        times, most = seen.migrating / seen.bare, MOST_TIMES_BARE[name]
        fits &= times <= most
        reckoned = upgrade.ROWS_PER_SECOND[name.casefold()]
        print(f"{name:10} {times:8.1f} x one bare copy, at most {most:g}")
        print(f"{'':10} {seen.rows / seen.migrating:8,.0f} rows/s; migrate --check reckons with {reckoned:,}")
        if seen.file:
            times = seen.copying / seen.file
            fits &= times <= MOST_TIMES_FILE
            print(f"{'a copy':10} {times:8.1f} x the file's own, at most {MOST_TIMES_FILE:g}")
            print(f"{'':10} {seen.size / seen.copying / 1e6:8,.0f} MB/s; migrate --check reckons with {MEGABYTES:,.0f}")
    rows = SUBSCRIBERS * EDITIONS
    print(
        f"partitions {took / bare:8.1f} x one bare copy, at most {MOST_TIMES_PARTITIONS:g}; {took:.2f} s, {rows:,} rows"
    )
    print(f"  others waited {waited / bare:.1f} x, at most {MOST_TIMES_WAITED:g}; {waited:.2f} s")
    print("ok" if fits else "too slow")
    return 0 if fits else 1


@dataclass
class Seen:
    """Rows that `papers migrate --check` counts, bytes of a file, and the seconds that each work took."""

    rows: int
    size: int = 0
    bare: float = 0.0
    migrating: float = 0.0
    copying: float = 0.0
    file: float = 0.0


async def measure(store: Store) -> Seen:
    """Fill a database, and time the migration and what it is held against."""
    async with store.write() as connection:
        await connection.run_sync(_fill)
    async with store.read() as connection:
        rows, _ = await upgrade.estimate(connection, store.path, "0009")
    seen = Seen(rows)
    if store.path is not None:  # a file is copied first
        seen.size = store.path.stat().st_size
        seen.file = await _timed(asyncio.to_thread(_copy_file, store.path))
        seen.copying = await _timed(asyncio.to_thread(store._copy))  # noqa: SLF001
        next(store.path.parent.glob("*.bak")).unlink()
    seen.bare = await _timed(_copy_rows(store))
    seen.migrating = await _timed(store.migrate()) - seen.copying
    await store.close()
    return seen


async def measure_partitions(store: Store) -> tuple[float, float, float]:
    """Seconds for a bare copy, for putting deliveries into partitions, and that another writer waited at most."""
    async with store.write() as connection:
        await connection.run_sync(_fill, "0020")
    bare = await _timed(_copy_rows(store))
    waited: list[float] = []

    async def write() -> None:
        while True:
            waited.append(await _timed(_write_one(store)))

    writer = asyncio.create_task(write())
    took = await _timed(store.migrate())
    writer.cancel()
    await asyncio.wait([writer])
    await store.close()
    return bare, took, max(waited)


async def _write_one(store: Store) -> None:
    async with store.write() as connection:
        await connection.execute(text("update deliveries set attempts = attempts + 1 where id = 1"))


async def _copy_rows(store: Store) -> None:
    """The least there is to do for new tables with the old rows, committed and thrown away again."""
    async with store.write() as connection:
        await connection.execute(text("create table bare as select * from deliveries"))
    async with store.write() as connection:
        await connection.execute(text("drop table bare"))


def _copy_file(path: Path) -> None:
    copied = path.with_suffix(".copy")
    with path.open("rb") as source, copied.open("wb") as target:
        shutil.copyfileobj(source, target, 1 << 20)
        target.flush()
        os.fsync(target.fileno())
    copied.unlink()


async def _timed(work: Awaitable[object]) -> float:
    began = time.perf_counter()
    await work
    return time.perf_counter() - began


def _fill(connection: Connection, version: str = "0009") -> None:
    command.upgrade(upgrade.config(connection), version)
    is_file = connection.dialect.name == "sqlite"
    values = {
        "now": "'2025-11-04 08:00:00.000000'" if is_file else "timestamptz '2025-11-04 08:00:00+00'",
        "day": "date('2025-11-04', '-' || n || ' days')" if is_file else "date '2025-11-04' - n",
        "true": "1" if is_file else "true",
        "readers": SERIES.format(most=SUBSCRIBERS),
        "editions": SERIES.format(most=EDITIONS),
    }
    for statement in FILL.split(";"):
        connection.execute(text(statement.format_map(values)))


if __name__ == "__main__":
    sys.exit(main())
