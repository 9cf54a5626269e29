"""How much slower an edition is handed out on PostgreSQL while a snapshot is held, so that vacuum removes nothing.

`python -m benchmarks.held_snapshot [--readers 200000] [--json]`. Deliveries are handed out in slices, in turn from two
databases that differ in one thing: in one of them a REPEATABLE READ transaction stays open from the beginning. Exit
code 0: within the bound, 1: too slow, 2: no PostgreSQL here.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from statistics import median

from sqlalchemy import text

from benchmarks.delivery import NullChannel
from bot.channel import Pace
from bot.delivery.dispatcher import Dispatcher
from bot.runtime.locks import holding, make_locks
from bot.runtime.supervisor import clock
from bot.store import Store
from tests.delivery.test_kills import crowd
from tests.support.postgres import Postgres, running

CONCURRENCY = 100
LEAST = 0.9
"""Ratio, at least: the pace with a snapshot held to that without, over the whole edition, and in its last quarter."""
SLICES = 20
MORE_READERS = """
    insert into subscribers (channel, recipient, status, choice_id, hour, weekdays, timezone, cadence, created_at)
    select channel, recipient || '-' || n, status, choice_id, hour, weekdays, timezone, cadence, created_at
    from subscribers, generate_series(1, :more) as n where recipient = 'null1'
"""


@asynccontextmanager
async def dispatching(server: Postgres, readers: int) -> AsyncIterator[tuple[Store, Dispatcher]]:
    """A dispatcher on a database of its own with an edition that is due."""
    store = Store.open(server.url(server.create()), Path())
    await store.migrate()
    await crowd(store, 2, channel="null")
    async with store.write() as connection:
        await connection.execute(text(MORE_READERS), {"more": readers - 2})
    await crowd(store, 2, 1, channel="null")
    async with store.engine.connect() as connection:
        keeping = await connection.execution_options(isolation_level="AUTOCOMMIT")
        await keeping.execute(text("vacuum analyze"))
    locks = make_locks(store.engine.url, None)
    dispatcher = Dispatcher(store, NullChannel(pace=Pace(concurrency=CONCURRENCY)), locks)
    async with holding(locks, *dispatcher.roles()):
        yield store, dispatcher
    await locks.close()
    await store.close()


@asynccontextmanager
async def holding_a_snapshot(store: Store) -> AsyncIterator[None]:
    """A transaction that sees the database as it is now, until the end of the block."""
    async with store.engine.connect() as connection:
        held = await connection.execution_options(isolation_level="REPEATABLE READ")
        await held.execute(text("set local idle_in_transaction_session_timeout = 0"))
        await held.execute(text("select count(*) from deliveries"))
        yield


async def hand_out(dispatcher: Dispatcher, number: int) -> float:
    """Hand out about that many deliveries; how many a second."""
    turns, began = number // CONCURRENCY, time.perf_counter()
    for _ in range(turns):
        await dispatcher.step(clock())
        while dispatcher.busy and not dispatcher.attempt_ended.is_set():
            await dispatcher.attempt_ended.wait()
    return turns * CONCURRENCY / (time.perf_counter() - began)


async def measure(server: Postgres, readers: int) -> list[tuple[float, float]]:
    """The pace in each slice, with a snapshot held and without."""
    async with AsyncExitStack() as stack:
        store, held = await stack.enter_async_context(dispatching(server, readers))
        _, free = await stack.enter_async_context(dispatching(server, readers))
        await stack.enter_async_context(holding_a_snapshot(store))
        number = readers // SLICES
        paces = [(await hand_out(held, number), await hand_out(free, number)) for _ in range(SLICES)]
        for each in (held, free):
            await each.finish(clock(), patience=1.0)
    return paces


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--readers", type=int, default=200_000)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="papers") as folder:
        try:
            with running(Path(folder)) as server:
                paces = asyncio.run(measure(server, chosen.readers))
        except LookupError as error:
            print(error, file=sys.stderr)
            return 2
    ratios = [held / free for held, free in paces]
    found = {"first quarter": median(ratios[: SLICES // 4]), "last quarter": median(ratios[-SLICES // 4 :])}
    found["whole"] = sum(1 / free for _, free in paces) / sum(1 / held for held, _ in paces)
    if chosen.json:
        print(json.dumps(found))
    else:
        for name, ratio in found.items():
            print(f"with a snapshot held, times the pace without, {name:15}{ratio:6.2f}  at least {LEAST}")
    return 0 if min(found["whole"], found["last quarter"]) >= LEAST else 1


if __name__ == "__main__":
    raise SystemExit(main())
