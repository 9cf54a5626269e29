"""The database: engines, transactions, migrations. Above this module SQLite and PostgreSQL behave alike."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    ExitStack,
    asynccontextmanager,
    closing,
    contextmanager,
    nullcontext,
    suppress,
)
from datetime import UTC, datetime
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, Self

from sqlalchemy import Engine, event, inspect, text
from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from bot.runtime.locks import HeldError, Locks
from bot.runtime.server_connection import connection_arguments, pool_arguments
from bot.store import schema, server_upgrade, sqlite, upgrade
from bot.store.database_faults import explain, is_out_of_reach
from bot.store.partitions import InUseError

VISITORS = 8
"""Connections that visitors of the web pages share."""
VISITORS_WAIT = 5.0
"""Seconds that a visitor waits for one of them."""
VISITORS_DEADLINE = 2.0
"""Seconds that a statement for visitors may take before it is interrupted."""
LONGEST_STATEMENT = "select set_config('statement_timeout', '10min', true)"
"""PostgreSQL's deadline for a statement of the program itself; publishing to a million readers takes ten seconds."""
LONGEST_IDLE = ", ".join(
    f"set_config('{name}', '{value}', true)"
    for name, value in {
        "idle_in_transaction_session_timeout": "10s",
        "tcp_keepalives_idle": 5,
        "tcp_keepalives_interval": 3,
        "tcp_keepalives_count": 3,
        "tcp_user_timeout": 10_000,
    }.items()
)
"""PostgreSQL's deadlines for the next message of a writer: one that was cut off holds up who takes over. Within a
pipeline a session is not idle, so the server also looks whether its connection lives."""
LEISURELY = "set local idle_in_transaction_session_timeout = 0"
"""Takes that deadline away, where a writer has long work of its own to do."""
TRY_TO_MIGRATE = "select pg_try_advisory_xact_lock(hashtext('morning-papers migrate'))"
"""Takes the advisory lock of the process that migrates. Its transaction holds it to the end, and is idle while an index
is built on another connection, so it has to be LEISURELY; idle, it holds no snapshot for which the index would wait."""
ASK_AGAIN = 0.25
"""Seconds until a process that wants to migrate PostgreSQL asks again whether another one still does."""
BUSY_SECONDS = 15
"""Seconds that a writer of SQLite waits for another process's transaction."""


KEPT_COPIES = 3
"""Copies of an SQLite file that migrations leave beside it; older ones are deleted."""


class StoreError(Exception):
    """The database cannot be used; the message says why and what to do."""


class OutOfReachError(StoreError):
    """The database server does not answer, but may later."""


class Store:
    """The database. `read()` and `write()` each give a connection inside one transaction."""

    def __init__(self, engine: AsyncEngine, path: Path | None) -> None:
        self.engine = engine
        self.path = path
        """The file of an SQLite database, else None."""
        # SQLite takes one writer at a time: queueing here is fair, its own busy handler is not.
        self._turn = asyncio.Lock() if path is not None else None

    @classmethod
    def open(cls, url: str, home: Path, *, accounts: int = 1) -> Self:
        """Open the database at `url`; a relative SQLite path is taken from `home`. Connects only when used.

        `accounts` are those that deliver: PostgreSQL is given connections for all of them.
        """
        address = make_url(url)
        if address.get_backend_name() != "sqlite":
            return cls(_server_engine(address, LONGEST_STATEMENT, **pool_arguments(accounts)), None)
        path = home / (address.database or "subscribers.db")
        engine = create_async_engine(
            URL.create("sqlite+aiosqlite", database=str(path)),
            connect_args={"timeout": BUSY_SECONDS, "async_creator_fn": sqlite.connect},
            hide_parameters=True,  # they may be a reader's address
        )
        _prepare_sqlite(engine.sync_engine)
        return cls(engine, path)

    def for_visitors(self) -> Self:
        """The same database for visitors: a pool of their own, only to read from, with a deadline for each statement.

        Whatever they ask for, the program has its own connections. The caller closes it.
        """
        pool: dict[str, Any] = {"pool_size": VISITORS, "max_overflow": 0, "pool_timeout": VISITORS_WAIT}
        if self.path is None:
            deadline = f"set_config('statement_timeout', '{int(VISITORS_DEADLINE * 1000)}', true)"
            limits = f"select {deadline}, set_config('transaction_read_only', 'on', true)"
            return type(self)(_server_engine(self.engine.url, limits, **pool), None)
        given = {"timeout": BUSY_SECONDS, "async_creator_fn": partial(sqlite.connect, deadline=VISITORS_DEADLINE)}
        engine = create_async_engine(self.engine.url, connect_args=given, hide_parameters=True, **pool)
        _prepare_sqlite(engine.sync_engine, "query_only=ON")
        return type(self)(engine, self.path)

    async def close(self) -> None:
        """Close every connection."""
        await self.engine.dispose()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that only reads."""
        async with self.engine.connect() as connection:
            yield connection

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that is committed when the block ends, and rolled back when it raises."""
        async with self.turn(), self.engine.connect() as opened:
            connection = await opened.execution_options(writes=True)
            async with connection.begin():
                yield connection

    def turn(self) -> AbstractAsyncContextManager[object]:
        """The turn of one writer of this process; on PostgreSQL there is nothing to wait for."""
        return self._turn or nullcontext()

    def fenced(self, locks: Locks, roles: Callable[[], Sequence[str]]) -> Store:
        """The same database, fenced: no writing transaction begins once the lock of one of `roles` is lost."""
        return _FencedStore(self, locks, roles)

    async def server_time(self) -> datetime | None:
        """The time by the database server's clock; None for SQLite, which has none of its own."""
        if self.path is not None:
            return None
        async with self.read() as connection:
            at: datetime | None = await connection.scalar(text("select clock_timestamp()"))
            return at

    async def version(self) -> str | None:
        """The newest migration that was applied, None for an empty database.

        Raises OutOfReachError where its server does not answer, StoreError where the database cannot be opened, or is
        newer than this program.
        """
        with _in_one_sentence(self.path):
            if self.path is not None:
                await asyncio.to_thread(_probe, self.path)
            async with self.read() as connection:
                found = await connection.run_sync(_version)
        if found is not None and found > schema.HEAD:
            raise StoreError(
                f"The database is at version {found}, this program knows {schema.HEAD}: update Morning Papers."
            )
        return found

    async def migrate(self) -> str | None:
        """Bring the schema up to date. Returns what was done in a few words, None where nothing was.

        An SQLite file is copied beside itself first. Raises StoreError where `version` does, where tables would be
        renamed while another process runs, or where others hold a table for too long.
        """
        before = await self.version()
        if before == schema.HEAD:
            return None
        try:
            with _in_one_sentence(self.path):
                copied = await self._migrate(before)
        except HeldError as error:
            raise StoreError(
                f"The database must be upgraded from version {before} to {schema.HEAD}, which nothing may run beside: "
                f"stop every other Morning Papers process first ({error}), then start this one again."
            ) from error
        except InUseError as error:
            raise StoreError(
                f"The database could not be upgraded from version {before} to {schema.HEAD}, since others hold a table "
                "for minutes (a backup, a query of yours, or an autovacuum against wraparound): start again when that "
                "has ended; it goes on from there."
            ) from error
        if before is None:
            return f"database made, version {schema.HEAD}"
        kept = f"; the old one is kept as {copied.name}" if copied else ""
        return f"database brought from {before} to {schema.HEAD}{kept}"

    async def _migrate(self, before: str | None) -> Path | None:
        """Migrate; the copy of the file as it was, if one was made. Raises HeldError, InUseError."""
        if self.path is None:
            await server_upgrade.migrate(self, before)
            return None
        if before is None:
            async with self.write() as connection:
                if await connection.run_sync(_version) != schema.HEAD:
                    await upgrade.run(connection)
            return None
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(upgrade.migrating_file(self.path))
            async with self.read() as connection:
                before = await connection.run_sync(_version)
                if before == schema.HEAD:
                    return None
                if upgrade.needs_standstill(before, self.path):
                    await stack.enter_async_context(upgrade.file_standstill(connection, self.path))
            copied = await asyncio.to_thread(self._copy)
            async with self.rebuild() as connection:
                await upgrade.run(connection)
            return copied

    @asynccontextmanager
    async def migrating(self) -> AsyncIterator[tuple[AsyncConnection, str | None]]:
        """A transaction to migrate PostgreSQL in, and the version in it. Of several processes one has it.

        The others ask again: a statement that waits holds a snapshot, which an index that is built waits for in turn.
        """
        with ExitStack() as waiting:
            for tries in count():
                async with self.write() as connection:
                    await connection.execute(text(LEISURELY))
                    if await connection.scalar(text(TRY_TO_MIGRATE)):
                        waiting.close()
                        yield connection, await connection.run_sync(_version)
                        return
                if not tries:
                    waiting.enter_context(server_upgrade.waiting_for("another process that does it"))
                await asyncio.sleep(ASK_AGAIN)

    @asynccontextmanager
    async def rebuild(self) -> AsyncIterator[AsyncConnection]:
        """A writing transaction of SQLite in which tables may be dropped and made again though others refer to them.

        Foreign keys are checked once at the end (https://sqlite.org/lang_altertable.html, section 7). Raises StoreError
        where one refers to nothing then; nothing is changed in that case.
        """
        async with self.turn(), self.engine.connect() as opened:
            connection = await opened.execution_options(writes=True)
            driver = (await connection.get_raw_connection()).driver_connection
            assert isinstance(driver, sqlite.Connection)
            await driver.run_outside("PRAGMA foreign_keys=OFF")
            try:
                async with connection.begin():
                    yield connection
                    broken = (await connection.execute(text("PRAGMA foreign_key_check"))).first()
                    if broken is not None:
                        raise StoreError(f"The table {broken[0]} has rows that refer to nothing; nothing was changed.")
            finally:
                await driver.run_outside("PRAGMA foreign_keys=ON")

    def _copy(self) -> Path | None:
        if self.path is None or not self.path.exists():
            return None
        copy = self.path.with_name(f"{self.path.name}.{datetime.now(UTC):%Y%m%dT%H%M%SZ}.bak")
        os.close(os.open(copy, os.O_WRONLY | os.O_CREAT, 0o600))  # it holds everybody's address
        with closing(sqlite3.connect(self.path)) as source, closing(sqlite3.connect(copy)) as target:
            source.backup(target)
        for older in sorted(self.path.parent.glob(f"{self.path.name}.*.bak"))[:-KEPT_COPIES]:
            older.unlink()
        return copy


class _FencedStore(Store):
    """A database whose writers must hold locks: `write` raises LostError where they are lost."""

    def __init__(self, store: Store, locks: Locks, roles: Callable[[], Sequence[str]]) -> None:
        super().__init__(store.engine, store.path)
        self._store, self._locks, self._roles = store, locks, roles

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        async with self._store.write() as connection:
            await self._locks.guard(connection, *self._roles())
            yield connection


def _server_engine(url: URL, limits: str, **pool: Any) -> AsyncEngine:
    """An engine for PostgreSQL. `limits` are set in each transaction, since poolers share sessions.

    That is a query, and a transaction's first query takes its snapshot. Statements that have to come before it, such as
    locks, are the execution option `before_snapshot`.
    """
    given = connection_arguments(url.query)
    engine = create_async_engine(url, pool_pre_ping=True, hide_parameters=True, connect_args=given, **pool)

    @event.listens_for(engine.sync_engine, "begin")
    def begun(connection: Connection) -> None:
        options = connection.get_execution_options()
        for statement in options.get("before_snapshot", ()):
            connection.exec_driver_sql(statement)
        connection.exec_driver_sql(f"{limits}, {LONGEST_IDLE}" if options.get("writes", False) else limits)

    return engine


def _prepare_sqlite(engine: Engine, *more: str) -> None:
    """Set SQLite up: WAL, full sync (so that a commit survives a power cut), real transactions."""

    @event.listens_for(engine, "connect")
    def connected(raw: Any, _record: object) -> None:
        raw.isolation_level = None  # the driver's own BEGIN comes too late for reads and not at all for DDL
        cursor = raw.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "cache_size=-16000", *more):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        # A reader that turns writer half-way can only fail; writers say so at the start.
        immediate = connection.get_execution_options().get("writes", False)
        driver = connection.connection.driver_connection
        assert isinstance(driver, sqlite.Connection)
        driver.begin("BEGIN IMMEDIATE" if immediate else "BEGIN")


@contextmanager
def _in_one_sentence(file: Path | None) -> Iterator[None]:
    """Raise StoreError, with one sentence, for whatever keeps the database from being used."""
    try:
        yield
    except (DBAPIError, sqlite3.Error, OSError) as error:
        kind = OutOfReachError if file is None and is_out_of_reach(error) else StoreError
        raise kind(explain(error, file)) from error


def _probe(path: Path) -> None:
    """Open the file without the driver, whose thread may outlive the event loop where this fails."""
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))  # its -wal gets the same rights
    sqlite3.connect(path).close()


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return str(connection.scalar(text("select version_num from alembic_version")))
