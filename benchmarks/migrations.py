"""How many rows a second the migrations copy or change: what `papers migrate --check` reckons with.

`python -m benchmarks.migrations` fills a database of version 0009 with deliveries and migrates it, on SQLite and on a
PostgreSQL that it starts in a temporary folder. Exit code 0: not slower than the rates in `bot.store.upgrade` say.
"""

from __future__ import annotations

import asyncio
import math
import sys
import tempfile
import time
from collections.abc import Awaitable
from pathlib import Path

from alembic import command
from sqlalchemy import Connection, text

from bot.store import Store, upgrade
from tests.support.postgres import running

SUBSCRIBERS, EDITIONS = 50_000, 10
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
    """Print both rates, those that are reckoned with, and the verdict."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        found = {"SQLite": asyncio.run(rate(Store.open("sqlite:///papers.db", home)))}
        home.chmod(0o755)  # the server does not run as root
        server = home / "server"
        server.mkdir()
        with running(server) as postgres:
            found["PostgreSQL"] = asyncio.run(rate(Store.open(postgres.url(postgres.create()), home)))
    fits = True
    for name, (rows, copied) in found.items():
        reckoned = upgrade.ROWS_PER_SECOND[name.casefold()]
        fits &= rows >= reckoned and copied >= upgrade.BYTES_PER_SECOND
        print(f"{name:10} {rows:9,.0f} rows/s, reckoned with {reckoned:,}")
        if copied < math.inf:
            print(f"{'a copy':10} {copied / 1e6:9,.0f} MB/s, reckoned with {upgrade.BYTES_PER_SECOND / 1e6:,.0f}")
    print("ok" if fits else "too slow")
    return 0 if fits else 1


async def rate(store: Store) -> tuple[float, float]:
    """Rows that `papers migrate --check` counts by the seconds that migrating takes, and bytes copied in a second."""
    async with store.write() as connection:
        await connection.run_sync(_fill)
    async with store.read() as connection:
        rows, _ = await upgrade.estimate(connection, store.path)
    copying, size = 0.0, 0
    if store.path is not None:  # a file is copied first, which is reckoned by its bytes
        copying, size = await _timed(asyncio.to_thread(store._copy)), store.path.stat().st_size  # noqa: SLF001
        next(store.path.parent.glob("*.bak")).unlink()
    taken = await _timed(store.migrate())
    await store.close()
    return rows / (taken - copying), size / copying if copying else math.inf


async def _timed(work: Awaitable[object]) -> float:
    began = time.perf_counter()
    await work
    return time.perf_counter() - began


def _fill(connection: Connection) -> None:
    command.upgrade(upgrade.config(connection), "0009")
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
