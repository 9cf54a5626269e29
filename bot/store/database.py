"""Where the rows are: engines, transactions, migrations. SQLite and PostgreSQL behave alike from here on."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from sqlalchemy import Engine, event, inspect, text
from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from bot.store import schema, sqlite

BUSY_SECONDS = 15
"""How long a writer of SQLite waits for another process's transaction."""


class StoreError(Exception):
    """The database cannot be used; the message says why and what to do."""


class Store:
    """The database. `read()` and `write()` each give a connection inside one transaction."""

    def __init__(self, engine: AsyncEngine, path: Path | None) -> None:
        self.engine = engine
        self.path = path
        """The file, where the database is one."""
        # SQLite takes one writer at a time: queueing here is fair, its own busy handler is not.
        self._turn = asyncio.Lock() if path is not None else None

    @classmethod
    def open(cls, url: str, home: Path) -> Self:
        """Open the database at `url`; a relative SQLite path is taken from `home`. Connects only when used."""
        address = make_url(url)
        if address.get_backend_name() != "sqlite":
            return cls(create_async_engine(address, pool_pre_ping=True, hide_parameters=True), None)
        path = home / (address.database or "subscribers.db")
        engine = create_async_engine(
            URL.create("sqlite+aiosqlite", database=str(path)),
            connect_args={"timeout": BUSY_SECONDS, "async_creator_fn": sqlite.connect},
            hide_parameters=True,  # they may be a reader's address
        )
        _prepare_sqlite(engine.sync_engine)
        return cls(engine, path)

    async def close(self) -> None:
        """Give back every connection."""
        await self.engine.dispose()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that only looks."""
        async with self.engine.connect() as connection:
            yield connection

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that is committed when the block ends, and undone when it raises."""
        async with self._turn or nullcontext(), self.engine.connect() as opened:
            connection = await opened.execution_options(writes=True)
            async with connection.begin():
                yield connection

    async def version(self) -> str | None:
        """The migration that the database stands at, None for an empty one. Raises StoreError."""
        with _told():
            if self.path is not None:
                await asyncio.to_thread(_probe, self.path)
            async with self.read() as connection:
                return await connection.run_sync(_version)

    async def migrate(self) -> str | None:
        """Bring the schema up to date; says what was done, None where nothing was.

        A file that already holds something is copied beside itself first. Raises StoreError where the database
        cannot be opened or is newer than this program.
        """
        before = await self.version()
        if before == schema.HEAD:
            return None
        if before is not None and before > schema.HEAD:
            raise StoreError(
                f"The database is at version {before}, this program knows {schema.HEAD}: update Morning Papers."
            )
        with _told():
            copied = await asyncio.to_thread(self._copy) if before is not None else None
            async with self.write() as connection:
                await connection.run_sync(_upgrade)
        if before is None:
            return f"database made, version {schema.HEAD}"
        kept = f"; the old one is kept as {copied.name}" if copied else ""
        return f"database brought from {before} to {schema.HEAD}{kept}"

    def _copy(self) -> Path | None:
        if self.path is None or not self.path.exists():
            return None
        copy = self.path.with_name(f"{self.path.name}.{datetime.now(UTC):%Y%m%dT%H%M%SZ}.bak")
        with closing(sqlite3.connect(self.path)) as source, closing(sqlite3.connect(copy)) as target:
            source.backup(target)
        return copy


def _prepare_sqlite(engine: Engine) -> None:
    """Make SQLite keep its promises: WAL, full sync (the promise holds for power loss too), real transactions."""

    @event.listens_for(engine, "connect")
    def connected(raw: Any, _record: object) -> None:
        raw.isolation_level = None  # the driver's own BEGIN comes too late for reads and not at all for DDL
        cursor = raw.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "cache_size=-16000"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        # A reader that turns writer half-way can only fail; who will write says so at once.
        immediate = connection.get_execution_options().get("writes", False)
        driver = connection.connection.driver_connection
        assert isinstance(driver, sqlite.Connection)
        driver.begin("BEGIN IMMEDIATE" if immediate else "BEGIN")


@contextmanager
def _told() -> Iterator[None]:
    """Say in one sentence what keeps the database from being used."""
    try:
        yield
    except (DBAPIError, sqlite3.Error, OSError) as error:
        cause = str(error.orig if isinstance(error, DBAPIError) else error).strip().splitlines()[0]
        raise StoreError(
            f"The database cannot be used ({cause}); check DATABASE_URL, the disk and its rights."
        ) from error


def _probe(path: Path) -> None:
    """Open the file without the driver, whose thread may outlive the event loop where this fails."""
    sqlite3.connect(path).close()


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return str(connection.scalar(text("select version_num from alembic_version")))


def _upgrade(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        # Several machines may start at once: one migrates, the others find it done.
        connection.execute(text("select pg_advisory_xact_lock(hashtext('morning-papers migrate'))"))
        if _version(connection) == schema.HEAD:
            return
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
