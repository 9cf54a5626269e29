"""Copies one database to another in batches, and verifies counts and the sums of every edition.

The copy is one transaction of the target: if it fails or is killed, the target stays empty.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Table, func, insert, literal, select, text, union_all
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store import partitions, search
from bot.store.database import BUSY_SECONDS, LEISURELY, Store, StoreError
from bot.store.schema import DERIVED, HEAD, deliveries, delivery_counts, editions, metadata

BATCH = 2_000
"""Rows in memory at a time."""

COPIED = [table for table in metadata.sorted_tables if not table.info.get(DERIVED)]
"""The tables that are copied. The search index is rebuilt, for it is not the same on both databases; leases are of one
server, and held meanwhile."""

SNAPSHOT: Mapping[str, Any] = {
    "isolation_level": "REPEATABLE READ",
    "postgresql_readonly": True,
    "before_snapshot": (
        f"set local lock_timeout = '{BUSY_SECONDS}s'",
        "lock table deliveries in access share mode",
    ),
}
"""Options of a copy's transaction on PostgreSQL. A partition that is dropped is gone for older snapshots, too, which do
not have its counts. So the lock, behind a drop that is under way, comes before the snapshot; neither statement takes
one."""

Progress = Callable[[int, int], None]


@asynccontextmanager
async def snapshot(store: Store) -> AsyncIterator[AsyncConnection]:
    """A transaction that sees the database as of its first query, whatever others write meanwhile."""
    async with store.engine.connect() as opened:
        connection = await opened.execution_options(**(SNAPSHOT if store.path is None else {}))
        async with connection.begin():
            yield connection


@asynccontextmanager
async def frozen(store: Store) -> AsyncIterator[AsyncConnection]:
    """A transaction during which nobody else can write to the database."""
    async with store.write() as connection:
        if store.path is None:
            every = ", ".join(table.name for table in COPIED)
            await connection.execute(text(LEISURELY))
            await connection.execute(text(f"set local lock_timeout = '{BUSY_SECONDS}s'"))
            await connection.execute(text(f"lock table {every} in share mode"))
        yield connection


def open_target(url: str, home: Path) -> Store | None:
    """The database to copy to; None where `url` is malformed."""
    try:
        return Store.open(url, home)
    except (ArgumentError, ValueError):  # what they say may hold the password
        return None


async def require_current(store: Store, what: str) -> None:
    """Raise StoreError where a database is not at this program's version; `what` names it in the message."""
    if store.path is not None and not store.path.exists():
        raise StoreError(f"There is no {what} yet: {store.path.name} does not exist.")
    version = await store.version()
    if version is None:
        raise StoreError(f"The {what} holds nothing yet: start Morning Papers on it first.")
    if version != HEAD:
        raise StoreError(f"The {what} is at version {version}, not {HEAD}: run `papers migrate` first.")


async def make_ready(target: Store) -> None:
    """Give an empty database its tables. Raises StoreError where it is newer, older, in use or out of reach."""
    try:
        version = await target.version()
        if version is not None and version < HEAD:
            raise StoreError(f"The target is in use already, at version {version}: name an empty database.")
        await target.migrate()
        async with target.read() as connection:
            await _require_empty(connection)
    except DBAPIError as error:
        raise StoreError(f"The target cannot be used ({cause(error)}).") from error


async def copy(source: AsyncConnection, target: Store, progress: Progress | None = None) -> dict[str, int]:
    """Copy every table to `target`, which has tables and no rows; returns the rows of each table.

    `source` comes from `snapshot` or `frozen`. Raises StoreError where the copy fails or does not match.
    """
    try:
        async with target.write() as connection:
            await _require_empty(connection)
            if connection.dialect.name == "postgresql":
                await connection.execute(text(LEISURELY))
                copied = await source.scalars(select(deliveries.c.edition_id).distinct())
                await partitions.make_for(connection, copied.all())
            expected = await counts(source)
            total, done = sum(expected.values()), 0
            for table in COPIED:
                async for rows in _copy_table(source, connection, table):
                    done += rows
                    if progress is not None:
                        progress(done, total)
            if connection.dialect.name == "postgresql":
                await _set_sequences(connection)
            await _prove(source, connection, expected)
            await search.rebuild(connection)
    except DBAPIError as error:
        raise StoreError(f"The copy failed ({cause(error)}); the target was left empty.") from error
    return expected


async def counts(connection: AsyncConnection) -> dict[str, int]:
    """The number of rows of every table, in the order in which tables are copied."""
    found = {}
    for table in COPIED:
        query = select(func.count()).select_from(table)
        found[table.name] = int(await connection.scalar(query) or 0)
    return found


async def sums(connection: AsyncConnection) -> Counter[tuple[int, str]]:
    """The audience of every edition, and its deliveries by state, keyed by edition id and `audience` or state."""
    query = union_all(
        select(editions.c.id, literal("audience"), editions.c.audience),
        select(deliveries.c.edition_id, deliveries.c.state, func.count()).group_by(
            deliveries.c.edition_id, deliveries.c.state
        ),
        select(delivery_counts.c.edition_id, delivery_counts.c.state, delivery_counts.c["count"]),
    )
    found: Counter[tuple[int, str]] = Counter()
    for edition_id, state, count in await connection.execute(query):
        found[edition_id, state] += count
    return found


def cause(error: DBAPIError) -> str:
    """The database's error message, in one line and without the values that it quotes."""
    said = str(error.orig).strip().splitlines()
    return said[0] if said else type(error.orig).__name__


async def _copy_table(source: AsyncConnection, target: AsyncConnection, table: Table) -> AsyncIterator[int]:
    query = select(table).execution_options(yield_per=BATCH)
    result = await source.stream(query)
    async for batch in result.mappings().partitions(BATCH):
        await target.execute(insert(table), [dict(row) for row in batch])
        yield len(batch)


async def _require_empty(connection: AsyncConnection) -> None:
    for table in COPIED:
        if await connection.scalar(select(literal(1)).select_from(table).limit(1)) is not None:
            raise StoreError(f"The target is not empty, its table {table.name} has rows: name an empty database.")


async def _set_sequences(connection: AsyncConnection) -> None:
    """Let every sequence continue after the highest id that was copied."""
    for table in metadata.sorted_tables:
        column = table.autoincrement_column
        if column is not None:
            sequence = func.pg_get_serial_sequence(table.name, column.name)
            highest = select(func.coalesce(func.max(column), 0) + 1).scalar_subquery()
            await connection.execute(select(func.setval(sequence, highest, False)))


async def _prove(source: AsyncConnection, target: AsyncConnection, expected: Mapping[str, int]) -> None:
    found = await counts(target)
    for name, count in expected.items():
        if found[name] != count:
            raise StoreError(
                f"The copy does not match: {name} has {count} rows here and {found[name]} there; nothing was kept."
            )
    if await sums(source) != await sums(target):
        raise StoreError("The copy does not match: the sums of an edition differ; nothing was kept.")
