"""Upgrades of PostgreSQL beside processes that go on writing: nobody waits for what takes long or waits itself."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic import command
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store import Store, StoreError, database, server_upgrade, upgrade
from bot.store.copy import SNAPSHOT
from bot.store.database import LEISURELY, TRY_TO_MIGRATE
from bot.store.partitions import WIDTH
from bot.store.schema import HEAD
from tests.store.recorded_0009 import fill_recorded
from tests.support.postgres import Postgres, running

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


SLOW_VACUUM = """
insert into subscribers (id, channel, recipient, status, choice_id, hour, weekdays, timezone, cadence, created_at)
select n, 'fake', 'r' || n, 'active', 1, 480, 127, 'UTC', 'day', now() from generate_series(101, 10000) n;
alter table subscribers set (autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1);
alter database papers0 set lock_timeout = '200ms'
"""
"""Rows whose vacuum takes half a minute, and a deadline that would end a wait for it."""


async def test_autovacuum_ends_itself_whichever_table_it_works_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(server_upgrade, "TRIES", 2)
    monkeypatch.setattr(server_upgrade, "TOLD_AFTER", 0)
    with tempfile.TemporaryDirectory(prefix="papers") as folder, running(Path(folder), autovacuum_naptime="1s") as own:
        store = Store.open(own.url(own.create()), tmp_path)
        await at(store, "0021")
        async with store.write() as connection:
            for statement in SLOW_VACUUM.split(";"):
                await connection.execute(text(statement))
        await store.close()  # its connections are from before
        vacuums = "select 1 from pg_stat_progress_vacuum where relid = 'subscribers'::regclass"
        await until(store, vacuums, asyncio.Future())
        await store.migrate()
        await assert_whole(store)
        await store.close()
    assert "waiting for vacuum" in caplog.text


async def test_an_index_may_take_longer_than_statements_of_the_role_and_none_else_may(stores: Sequence[Store]) -> None:
    store, others, third = stores
    await at(store, "0023")
    async with others.write() as connection:
        for name in ("statement_timeout", "lock_timeout"):
            await connection.execute(text(f"alter database {store.engine.url.database} set {name} = '150ms'"))
    await store.close()  # its connections are from before
    async with held_snapshot(others):
        migrating = asyncio.create_task(store.migrate())
        await until(third, f"{BUILDS} and clock_timestamp() - query_start > interval '300ms'", migrating)
    await migrating
    await assert_whole(store)
    async with AsyncExitStack() as pooled:
        for _ in range(store.engine.pool.checkedin()):  # type: ignore[attr-defined]
            connection = await pooled.enter_async_context(store.read())
            assert await connection.scalar(text("show lock_timeout")) == "150ms"


@pytest.mark.parametrize("before", ["drop index concurrently", "lock table deliveries_old"])
async def test_a_partition_that_is_dropped_meanwhile_needs_no_index(stores: Sequence[Store], before: str) -> None:
    store = stores[0]
    await at(store, "0023")
    async with store.write() as connection:
        await connection.execute(text("drop table deliveries_default"))
        bounds = f"from ({8 * WIDTH}) to ({9 * WIDTH})"
        await connection.execute(text(f"create table deliveries_old partition of deliveries for values {bounds}"))
        await connection.execute(text("create table deliveries_default partition of deliveries default"))
    url = store.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    dropped: list[str] = []

    @event.listens_for(store.engine.sync_engine, "before_cursor_execute")
    def executes(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith(before) and "deliveries_old" in statement and not dropped:
            with psycopg.connect(url) as other:
                other.execute("drop table deliveries_old")
            dropped.append(statement)

    await store.migrate()
    assert dropped
    await assert_whole(store)


async def test_what_an_upgrade_waits_for_is_logged_once(
    stores: Sequence[Store], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(server_upgrade, "TOLD_AFTER", 0)
    monkeypatch.setattr(server_upgrade, "TOLD_AFTER_TRIES", 1)
    monkeypatch.setattr(database, "ASK_AGAIN", 0.01)
    store, others, third = stores
    await at(store, "0023")
    asked = asyncio.Semaphore(0)

    @event.listens_for(others.engine.sync_engine, "before_cursor_execute")
    def executes(*given: Any) -> None:
        if TRY_TO_MIGRATE in given:
            asked.release()

    async with AsyncExitStack() as held:
        async with held_write(third):
            migrating = asyncio.create_task(store.migrate())
            for _ in range(2):
                await until(
                    third, f"select 1 from pg_locks where {OURS} and mode = 'ShareLock' and not granted", migrating
                )
                await write(third)
            await held.enter_async_context(held_snapshot(third))
        await until(third, BUILDS, migrating)
        waits = asyncio.create_task(others.migrate())
        for _ in range(5):
            await asked.acquire()
        for what in ("another process that does", "an index", "a table that others use"):
            assert caplog.text.count(f"database upgrade waiting for {what}") == 1
    await asyncio.gather(migrating, waits)


async def test_papers_are_put_into_the_search_index_by_the_run_that_ends_the_upgrade(
    stores: Sequence[Store], tmp_path: Path
) -> None:
    store = stores[0]
    missing = text("select count(*) from papers left join search_documents on paper_id = id where paper_id is null")
    await fill_recorded(store, tmp_path)
    async with store.write() as connection:
        await connection.execute(text("create table completed_pages (in_the_way int)"))
    with pytest.raises(StoreError, match="completed_pages"):
        await store.migrate()
    assert await store.version() == "0022"
    async with store.write() as connection:
        assert await connection.scalar(missing) == await connection.scalar(text("select count(*) from papers")) > 0
        await connection.execute(text("drop table completed_pages"))
    await store.migrate()
    async with store.read() as connection:
        assert await connection.scalar(missing) == 0


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
