"""Upgrades a database on PostgreSQL beside processes that go on writing, none of which waits longer than a second.

Each migration is a transaction of its own. What takes long is done beforehand and locks no writer out; what does lock
writers out gives way where it would have to wait itself, and is tried again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store import upgrade
from bot.store.partitions import LONGEST_WAIT, WIDTH, InUseError, giving_way
from bot.store.schema import HEAD
from bot.store.upgrade import DUE_BY_ID, PARTITIONS, STANDSTILL

if TYPE_CHECKING:
    from bot.store.database import Store

FITS = "ck_deliveries_first_partition"
"""The constraint by which deliveries of before fit into the first partition."""
TRIES, PAUSE = 60, 0.5
"""How often a step is tried that others keep from its locks, and the seconds between two tries, which are theirs."""

Step = Callable[["Store"], Awaitable[None]]


async def migrate(store: Store, before: str | None) -> None:
    """Bring a database, at the version `before`, up to date.

    Several processes may do so at once, and one goes on where another was killed. Raises HeldError where a process has
    to stop first, InUseError where others hold a table for too long; the steps that were done remain.
    """
    for target in targets(before):
        for step in BEFOREHAND.get(target, ()):
            await _patiently(step, store)
        await _patiently(partial(_migrate_to, target), store)


def targets(before: str | None) -> Sequence[str]:
    """The versions that are committed one after the other: all that nothing may run beside are one transaction."""
    if before is None:
        return [HEAD]
    first = STANDSTILL["postgresql"]
    later = [each.revision for each in upgrade.pending(before) if each.revision > first]
    return [first, *later] if before < first else later


async def _patiently(step: Step, store: Store) -> None:
    for _ in range(TRIES - 1):
        with suppress(InUseError):
            return await step(store)
        await asyncio.sleep(PAUSE)
    return await step(store)


async def _migrate_to(target: str, store: Store) -> None:
    with giving_way():
        async with store.migrating() as (connection, found):
            if found is not None and found >= target:
                return
            if found is not None and upgrade.needs_standstill(found, None):
                await upgrade.server_standstill(connection, found)
            elif found is not None:
                await _wait_briefly(connection)
            await upgrade.run(connection, found, target)


async def _wait_briefly(connection: AsyncConnection, table: str = "deliveries") -> None:
    """From now on wait for locks no longer than others may wait behind this transaction.

    Vacuum may take minutes, and ends itself when somebody has waited a second for its lock. That lock is taken first;
    it keeps nobody from reading or writing.
    """
    await connection.execute(text(f"lock table {table} in share update exclusive mode"))
    await connection.execute(text(f"set local lock_timeout = '{LONGEST_WAIT}'"))


async def bound_deliveries(store: Store) -> None:
    """Say of deliveries that they fit into the first partition, without looking at the rows yet.

    The bound is so far off that a program of before may go on for years.
    """
    there = text("select 1 from pg_constraint where conname = :name and conrelid = 'deliveries'::regclass")
    with giving_way():
        async with store.migrating() as (connection, found):
            if found is None or found >= PARTITIONS or await connection.scalar(there, {"name": FITS}):
                return
            newest = int(await connection.scalar(text("select max(id) from editions")) or 0)
            end = (newest // WIDTH + 2) * WIDTH
            await _wait_briefly(connection)
            await connection.execute(
                text(f"alter table deliveries add constraint {FITS} check (edition_id < {end}) not valid")
            )


async def check_deliveries(store: Store) -> None:
    """Look at all rows of deliveries, while others go on writing: attaching them then takes no look of its own."""
    async with store.migrating() as (connection, found):
        if found is not None and found < PARTITIONS:
            await connection.execute(text("set local statement_timeout = 0"))
            await connection.execute(text(f"alter table deliveries validate constraint {FITS}"))


async def index_due(store: Store) -> None:
    """Build the index of migration 0024, and hold the turn to migrate meanwhile."""
    async with store.migrating() as (_, found):
        if found is not None and found < DUE_BY_ID:
            await index_deliveries(store, "due", "(channel, next_at, id) where state = 'owed'")


async def index_deliveries(store: Store, name: str, on: str) -> None:
    """Build an index on deliveries, in each partition beside those who write to it. Raises InUseError.

    It waits for all transactions that are older, which nobody else waits for. `on` are its columns and its condition.
    """
    whole = f"ix_deliveries_{name}"
    with giving_way():
        async with store.write() as connection:
            await connection.execute(text(f"set local lock_timeout = '{LONGEST_WAIT}'"))
            await connection.execute(text(f"create index if not exists {whole} on only deliveries {on}"))
        async with store.read() as connection:
            tables = (await connection.scalars(_WITHOUT, {"index": whole})).all()
        for table in tables:
            index = f"{table}_{name}"
            async with store.engine.connect() as opened:
                alone = await opened.execution_options(isolation_level="AUTOCOMMIT")
                await alone.execute(text(f"drop index concurrently if exists {index}"))  # one that was left half built
                await alone.execute(text(f"create index concurrently {index} on {table} {on}"))
            async with store.write() as connection:
                await _wait_briefly(connection, table)
                await connection.execute(text(f"alter index {whole} attach partition {index}"))


_WITHOUT = text("""
    select inhrelid::regclass::text from pg_inherits
    where inhparent = 'deliveries'::regclass and inhrelid not in (
        select indrelid from pg_index join pg_inherits on inhrelid = indexrelid
        where inhparent = cast(:index as regclass)
    ) order by inhrelid
""")
"""The partitions that an index of the whole table does not have yet."""

BEFOREHAND: Mapping[str, Sequence[Step]] = {
    PARTITIONS: (bound_deliveries, check_deliveries),
    DUE_BY_ID: (index_due,),
}
"""What is done before a migration, outside its transaction; each step is left out where it was done before."""
