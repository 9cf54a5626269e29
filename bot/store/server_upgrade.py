"""Upgrades a database on PostgreSQL beside processes that go on writing, none of which waits longer than a second.

Each migration is a transaction of its own. What takes long is done beforehand and locks no writer out; what does lock
writers out gives way where it would have to wait itself, and is tried again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store import upgrade
from bot.store.partitions import LONGEST_WAIT, WIDTH, InUseError, giving_way
from bot.store.schema import HEAD, metadata
from bot.store.upgrade import DUE_BY_ID, PARTITIONS, STANDSTILL

if TYPE_CHECKING:
    from bot.store.database import Store

FITS = "ck_deliveries_first_partition"
"""The constraint by which deliveries of before fit into the first partition."""
TRIES, PAUSE = 60, 0.5
"""How often a step is tried that others keep from its locks, and the seconds between two tries, which are theirs."""
TOLD_AFTER, TOLD_AFTER_TRIES = 5.0, 5
"""Seconds of one wait, and tries of one step, after which the log says what the upgrade waits for."""
UNDEFINED_TABLE = "42P01"
NO_DEADLINES = """
select set_config(name, '0', false) from pg_settings
where name in ('statement_timeout', 'lock_timeout', 'transaction_timeout')
"""
"""Takes every deadline away that may end a statement; PostgreSQL 17 brought the last one."""

log = logging.getLogger(__name__)

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


@contextmanager
def waiting_for(what: str, **fields: object) -> Iterator[None]:
    """Log once what the upgrade waits for in a block that is not over after TOLD_AFTER seconds."""
    told = asyncio.get_running_loop().call_later(TOLD_AFTER, partial(_tell, what, **fields))
    try:
        yield
    finally:
        told.cancel()


def _tell(what: str, **fields: object) -> None:
    log.warning("database upgrade waiting for %s", what, extra=fields)


async def _patiently(step: Step, store: Store) -> None:
    for tries in range(1, TRIES):
        with suppress(InUseError):
            return await step(store)
        if tries == TOLD_AFTER_TRIES:
            _tell("a table that others use (a backup, or a query of yours)")
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
                await _outwait_vacuum(connection, *await connection.run_sync(_tables))
            await upgrade.run(connection, target)


async def _outwait_vacuum(connection: AsyncConnection, *tables: str) -> None:
    """Wait until no vacuum works on `tables`, and keep it off; from then on wait for locks no longer than LONGEST_WAIT.

    Autovacuum may take minutes, and ends itself for who has waited a second for its lock (`deadlock_timeout`), but not
    where it prevents a wraparound. So this wait has no deadline but the statement's. Neither the wait nor the lock
    keeps anybody from reading or writing.
    """
    await connection.execute(text("set local lock_timeout = 0"))
    with waiting_for("vacuum, or another process that maintains a table"):
        await connection.execute(text(f"lock table {', '.join(tables)} in share update exclusive mode"))
    await connection.execute(text(f"set local lock_timeout = '{LONGEST_WAIT}'"))


def _tables(connection: Connection) -> Sequence[str]:
    """The program's tables that are there already, in the order in which every transaction locks them."""
    there = set(inspect(connection).get_table_names())
    return [table.name for table in metadata.sorted_tables if table.name in there]


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
            await _outwait_vacuum(connection, "deliveries")
            await connection.execute(
                text(f"alter table deliveries add constraint {FITS} check (edition_id < {end}) not valid")
            )


async def check_deliveries(store: Store) -> None:
    """Look at all rows of deliveries, while others go on writing: attaching them then takes no look of its own."""
    async with store.migrating() as (connection, found):
        if found is not None and found < PARTITIONS:
            await connection.execute(text("set local statement_timeout = 0"))
            await connection.execute(text("set local lock_timeout = 0"))  # vacuum ends itself for who waits
            await connection.execute(text(f"alter table deliveries validate constraint {FITS}"))


async def index_due(store: Store) -> None:
    """Build the index of migration 0024, and hold the turn to migrate meanwhile."""
    async with store.migrating() as (_, found):
        if found is not None and found < DUE_BY_ID:
            await index_deliveries(store, "due", "(channel, next_at, id) where state = 'owed'")


async def index_deliveries(store: Store, name: str, on: str) -> None:
    """Build an index on deliveries, in each partition beside those who write to it. Raises InUseError.

    It waits for all transactions that are older, which nobody else waits for. `on` are its columns and its condition.
    Processes of before go on making and dropping partitions meanwhile, so which lack it is asked before each one.
    """
    whole = f"ix_deliveries_{name}"
    with giving_way():
        async with store.write() as connection:
            await connection.execute(text(f"set local lock_timeout = '{LONGEST_WAIT}'"))
            await connection.execute(text(f"create index if not exists {whole} on only deliveries {on}"))
        while table := await _partition_without(store, whole):
            with _unless_dropped():
                await _index_partition(store, table, name, on)


async def _partition_without(store: Store, index: str) -> str | None:
    """A partition that lacks its part of an index of deliveries; None where all have it.

    It is the oldest: the old ones are those that are dropped, and the whole index is valid once the last one is there.
    """
    async with store.read() as connection:
        table: str | None = await connection.scalar(_WITHOUT, {"index": index})
        return table


_WITHOUT = text("""
    select relname from pg_inherits join pg_class on pg_class.oid = inhrelid
    where inhparent = 'deliveries'::regclass and inhrelid not in (
        select indrelid from pg_index join pg_inherits on inhrelid = indexrelid
        where inhparent = cast(:index as regclass)
    ) order by inhrelid limit 1
""")


@contextmanager
def _unless_dropped() -> Iterator[None]:
    """Work on a partition, which is no error where somebody drops it in between."""
    try:
        yield
    except ProgrammingError as error:
        if getattr(error.orig, "sqlstate", None) != UNDEFINED_TABLE:
            raise


async def _index_partition(store: Store, table: str, name: str, on: str) -> None:
    index = f"{table}_{name}"
    async with _without_deadlines(store) as alone:
        with waiting_for("an index, and for all transactions that began before it", index=index):
            await alone.execute(text(f"drop index concurrently if exists {index}"))  # one that was left half built
            await alone.execute(text(f"create index concurrently {index} on {table} {on}"))
    async with store.write() as connection:
        await _outwait_vacuum(connection, table)
        await connection.execute(text(f"alter index ix_deliveries_{name} attach partition {index}"))


@asynccontextmanager
async def _without_deadlines(store: Store) -> AsyncIterator[AsyncConnection]:
    """A connection for statements outside of transactions, without the deadlines that the role or the database sets.

    They are set for the session, since a transaction's settings would end before the statement begins. So the
    connection never goes back to the pool.
    """
    async with store.engine.connect() as opened:
        alone = await opened.execution_options(isolation_level="AUTOCOMMIT")
        try:
            await alone.execute(text(NO_DEADLINES))
            yield alone
        finally:
            await alone.invalidate()


BEFOREHAND: Mapping[str, Sequence[Step]] = {
    PARTITIONS: (bound_deliveries, check_deliveries),
    DUE_BY_ID: (index_due,),
}
"""What is done before a migration, outside its transaction; each step is left out where it was done before."""
