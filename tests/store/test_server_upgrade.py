"""Upgrades of PostgreSQL beside processes that go on writing: nobody waits for what takes long or waits itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store import Store, StoreError, server_upgrade, upgrade
from bot.store.copy import SNAPSHOT
from bot.store.database import LEISURELY, TRY_TO_MIGRATE
from bot.store.partitions import WIDTH
from bot.store.schema import HEAD
from tests.support.postgres import Postgres

FILL = """
insert into choices (id, language, style, papers, min_votes, topics) values (1, 'en', 'headline', 10, 0, '[]');

insert into editions (id, cadence, day, closed_at, complete, audience, for_readers)
select n, 'day', date '2025-11-04' - n, now(), true, 100, true from generate_series(1, 3) n;

insert into subscribers (id, channel, recipient, status, choice_id, hour, weekdays, timezone, cadence, created_at)
select n, 'fake', 'r' || n, 'active', 1, 480, 127, 'UTC', 'day', now() from generate_series(1, 100) n;

insert into deliveries (edition_id, subscriber_id, channel, state, choice_id, due_at, next_at, expires_at)
select e, r, 'fake', case e when 3 then 'owed' else 'sent' end, 1, now(), now(), now()
from generate_series(1, 3) e, generate_series(1, 100) r
"""
LET_WRITERS_BE = {"AccessShareLock", "RowShareLock", "RowExclusiveLock", "ShareUpdateExclusiveLock"}
"""Modes of locks that no writer has to wait for (https://www.postgresql.org/docs/current/explicit-locking.html)."""
OURS = "relation::regclass::text ~ 'deliveries' and pid <> pg_backend_pid()"


async def at(store: Store, version: str) -> None:
    """Make a database of an earlier version, with deliveries."""
    async with store.write() as connection:
        await connection.run_sync(lambda each: command.upgrade(upgrade.config(each), version))
        for statement in FILL.split(";"):
            await connection.execute(text(statement))


@pytest.fixture
async def stores(postgres: Postgres, tmp_path: Path) -> AsyncIterator[Sequence[Store]]:
    """The same database for three processes."""
    name = postgres.create()
    opened = [Store.open(postgres.url(name), tmp_path) for _ in range(3)]
    yield opened
    for store in opened:
        await store.close()


@asynccontextmanager
async def held_snapshot(store: Store) -> AsyncIterator[None]:
    """A transaction, such as a backup's, that sees the database as it is now."""
    async with store.engine.connect() as opened:
        connection = await opened.execution_options(isolation_level=SNAPSHOT["isolation_level"])
        await connection.execute(text("select count(*) from subscribers"))
        yield


@asynccontextmanager
async def held_write(store: Store) -> AsyncIterator[None]:
    """A transaction that has written a delivery and goes on."""
    async with store.write() as connection:
        await connection.execute(text(LEISURELY))
        await connection.execute(text("update deliveries set repeats = repeats + 1 where id = 1"))
        yield


async def write(store: Store) -> None:
    """Write as senders do; raises what the server says to one who has waited a second for a lock."""
    async with store.write() as connection:
        await connection.execute(text("set local lock_timeout = '1s'"))
        await connection.execute(text("update deliveries set attempts = attempts + 1 where id = 299"))


async def until(store: Store, query: str, migrating: asyncio.Future[Any]) -> None:
    """Until a query of what the server does finds something, while somebody migrates."""
    found = None
    while not found:
        assert not migrating.done(), migrating.result()
        async with store.read() as connection:
            found = await connection.scalar(text(query))


BUILDS = "select 1 from pg_stat_activity where query ~ '^create index concurrently' and wait_event_type = 'Lock'"


async def assert_whole(store: Store) -> None:
    """The database is at the newest version, and each partition has each index of the whole table, ready for use."""
    assert await store.version() == HEAD
    async with store.read() as connection:
        assert await connection.scalar(text("select count(*) from pg_index where not indisvalid")) == 0
        partitions = await _count(connection, "deliveries")
        assert partitions == 2
        assert await _count(connection, "ix_deliveries_due") == partitions
        assert await connection.scalar(text("select to_regclass('ix_deliveries_owed')")) is None
        assert await connection.scalar(text("select count(*) from deliveries")) == 300


async def _count(connection: AsyncConnection, parent: str) -> int:
    query = f"select count(*) from pg_inherits where inhparent = '{parent}'::regclass"
    return int(await connection.scalar(text(query)) or 0)


async def test_an_index_is_built_under_locks_that_no_writer_waits_for(stores: Sequence[Store]) -> None:
    store, others, _ = stores
    await at(store, "0023")
    async with held_snapshot(others):
        migrating = asyncio.create_task(store.migrate())
        await until(others, BUILDS, migrating)
        async with others.read() as connection:
            held = await connection.scalars(text(f"select distinct mode from pg_locks where {OURS}"))
            assert set(held) <= LET_WRITERS_BE
        await write(others)
    await migrating
    await assert_whole(store)


@pytest.mark.parametrize(
    ("version", "mode"), [("0020", "AccessExclusiveLock"), ("0023", "ShareLock")], ids=["partitions", "index"]
)
async def test_who_writes_waits_for_no_upgrade_that_waits_itself(
    stores: Sequence[Store], version: str, mode: str
) -> None:
    store, others, _ = stores
    await at(store, version)
    async with held_write(others):
        migrating = asyncio.create_task(store.migrate())
        for _ in range(2):
            await until(others, f"select 1 from pg_locks where {OURS} and mode = '{mode}' and not granted", migrating)
            await write(others)
    await migrating
    await assert_whole(store)


async def test_of_several_that_start_together_one_builds_and_none_holds_it_up(stores: Sequence[Store]) -> None:
    store, second, third = stores
    await at(store, "0023")
    asked = asyncio.Event()

    @event.listens_for(second.engine.sync_engine, "before_cursor_execute")
    def executes(*given: Any) -> None:
        if TRY_TO_MIGRATE in given:
            asked.set()

    async with held_snapshot(third):
        migrating = asyncio.create_task(store.migrate())
        await until(third, BUILDS, migrating)
        waiting = [asyncio.create_task(each.migrate()) for each in (second, third)]
        await asked.wait()
    assert await migrating == f"database brought from 0023 to {HEAD}"
    await asyncio.gather(*waiting)
    await assert_whole(store)


async def test_an_index_that_was_left_half_built_is_built_again(stores: Sequence[Store]) -> None:
    store, others, _ = stores
    await at(store, "0023")
    async with held_snapshot(others):
        migrating = asyncio.create_task(store.migrate())
        await until(others, BUILDS, migrating)
        migrating.cancel()
        await asyncio.wait([migrating])
        async with others.read() as connection:
            assert await connection.scalar(text("select count(*) from pg_index where not indisvalid")) == 2
    assert await store.version() == "0023"
    await store.migrate()
    await assert_whole(store)


async def test_each_migration_is_a_transaction_of_its_own(stores: Sequence[Store]) -> None:
    store = stores[0]
    await at(store, "0020")
    async with store.write() as connection:
        await connection.execute(text("create table completed_pages (in_the_way int)"))
    with pytest.raises(StoreError, match="completed_pages"):
        await store.migrate()
    assert await store.version() == "0022"
    async with store.write() as connection:
        await connection.execute(text("drop table completed_pages"))
    await store.migrate()
    await assert_whole(store)


async def test_an_upgrade_that_others_keep_from_a_table_says_so_and_goes_on_later(
    stores: Sequence[Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_upgrade, "TRIES", 2)
    monkeypatch.setattr(server_upgrade, "PAUSE", 0)
    store, others, _ = stores
    await at(store, "0020")
    async with held_write(others):
        with pytest.raises(
            StoreError, match=rf"^The database could not be upgraded from version 0020 to {HEAD}, .*\.$"
        ):
            await store.migrate()
    await store.migrate()
    await assert_whole(store)


async def test_a_partition_that_is_made_meanwhile_has_the_index_too(stores: Sequence[Store]) -> None:
    store, others, _ = stores
    await at(store, "0023")
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(held_snapshot(others))
        migrating = asyncio.create_task(store.migrate())
        await until(others, BUILDS, migrating)
        async with others.write() as connection:
            await connection.execute(text("create table deliveries_made (like deliveries including defaults)"))
            bounds = f"from ({9 * WIDTH}) to ({10 * WIDTH})"
            await connection.execute(
                text(f"alter table deliveries attach partition deliveries_made for values {bounds}")
            )
    await migrating
    async with store.read() as connection:
        assert await _count(connection, "ix_deliveries_due") == await _count(connection, "deliveries") == 3
