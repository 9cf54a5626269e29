"""An SQLite driver with one trip to its thread per statement.

aiosqlite passes every call to a thread and waits for the result: creating a cursor, executing, fetching and closing are
four trips, which take longer than most of our statements. Here they are one, and beginning a transaction is none.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from functools import partial
from typing import Any, Self

import aiosqlite

LOOK_EVERY = 50_000
"""Instructions of SQLite's machine between two looks at the clock, some milliseconds."""
AT_ONCE = 1_000
"""Rows that are fetched together with the statement; the rest are fetched on demand."""


class Connection(aiosqlite.Connection):
    """A connection whose cursors make one trip."""

    def __init__(self, connector: Callable[[], sqlite3.Connection], deadline: float | None) -> None:
        super().__init__(self._open, iter_chunk_size=AT_ONCE)
        self._open_file = connector
        self._opened: sqlite3.Connection | None = None
        """What the connection's thread has opened, also if nobody waits for it any more."""
        self._deadline = deadline
        """Seconds that a statement may take, if there is a limit."""
        self._ends_at = 0.0
        self._is_running = False
        """Whether a statement runs just now, in the connection's thread."""
        self._transaction = ""
        """The statement that begins the current transaction."""
        self._beginning = ""
        """The same, until it was sent with the first statement."""
        self._is_touched = False
        """Whether any statement was sent since the last transaction ended, even one that was cancelled."""

    def _open(self) -> sqlite3.Connection:
        """In the connection's thread."""
        self._opened = self._open_file()
        return self._opened

    def _close_opened(self) -> None:
        """In the connection's thread."""
        if self._opened is not None:
            self._opened.close()

    def stop(self) -> asyncio.Future[Any] | None:
        """End the thread, and first what it has opened: one who was cancelled while it did so never saw it."""
        self._tx.put_nowait((None, self._close_opened))
        return super().stop()

    def begin(self, statement: str) -> None:
        """Begin a transaction together with its first statement."""
        self._transaction = self._beginning = statement

    async def run(self, function: Callable[..., Any], *given: Any) -> Any:
        """Call a function in the connection's thread with the connection, the BEGIN that is due, and `given`.

        BEGIN goes in the same call, so that a cancelled statement that still runs cannot run outside a transaction.
        """
        self._is_touched = True
        beginning, self._beginning = self._beginning, ""
        try:
            return await self._execute(self._timed, function, self._conn, beginning, *given)  # type: ignore[no-untyped-call]
        except asyncio.CancelledError:
            self._interrupt()  # nobody waits for the answer, and closing the connection would
            raise
        except sqlite3.Error:
            if not self._conn.in_transaction:  # BEGIN failed, or SQLite rolled back: the next statement needs another
                self._beginning = self._transaction
            raise

    async def run_whole(self, function: Callable[[sqlite3.Connection], Any]) -> Any:
        """Call a function with the connection in a writing transaction of its own, all in one trip to the thread."""
        return await self._execute(self._whole, function)  # type: ignore[no-untyped-call]

    def _whole(self, function: Callable[[sqlite3.Connection], Any]) -> Any:
        """In the connection's thread."""
        self._conn.execute("BEGIN IMMEDIATE")
        try:
            result = function(self._conn)
            self._conn.execute("COMMIT")
        except BaseException:
            if self._conn.in_transaction:
                self._conn.execute("ROLLBACK")
            raise
        return result

    def _timed(self, function: Callable[..., Any], *given: Any) -> Any:
        """In the connection's thread: run a statement, until its deadline if it has one."""
        if self._deadline is not None:
            self._ends_at = time.monotonic() + self._deadline
            self._conn.set_progress_handler(self._is_late, LOOK_EVERY)
        self._is_running = True
        try:
            return function(*given)
        finally:
            self._is_running = False

    def _interrupt(self) -> None:
        """End the statement that runs; without one it would be the checkpoint of closing that is interrupted."""
        if self._is_running:
            self._conn.interrupt()

    def _is_late(self) -> bool:
        return time.monotonic() > self._ends_at

    async def close(self) -> None:
        """Close the connection, and interrupt what still runs on it: nobody can be waiting for the answer."""
        self._interrupt()
        await super().close()

    async def look(self, function: Callable[..., Any], *given: Any) -> Any:
        """Call a function in the connection's thread, about a statement that has run already."""
        self._is_touched = True
        return await self._execute(self._timed, function, *given)  # type: ignore[no-untyped-call]

    async def run_outside(self, statement: str) -> None:
        """Execute a statement outside any transaction, before the first statement of one or after its end."""
        await self._execute(self._conn.execute, statement)  # type: ignore[no-untyped-call]

    def cursor(self) -> Cursor:  # type: ignore[override]  # the same to those who enter it
        """A cursor, used like aiosqlite's own."""
        return Cursor(self)

    async def commit(self) -> None:
        """Commit the transaction, if one was begun."""
        if self._is_touched:
            await super().commit()
        self._ended()

    async def rollback(self) -> None:
        """Roll the transaction back, if one was begun: SQLAlchemy does so with every connection that is returned."""
        if self._is_touched:
            await super().rollback()
        self._ended()

    def _ended(self) -> None:
        self._transaction, self._beginning, self._is_touched = "", "", False


def connect(database: str, *, deadline: float | None = None, **options: Any) -> Connection:
    """Open a connection, to be awaited.

    Takes the arguments of `sqlite3.connect`, and as `deadline` the seconds after which a statement is interrupted.
    """
    connection = Connection(partial(sqlite3.connect, database, **options), deadline)
    connection._thread.daemon = True  # noqa: SLF001 - as in SQLAlchemy: the process can end although a loop is gone
    return connection


class Cursor:
    """The part of an aiosqlite cursor that SQLAlchemy uses."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._open: sqlite3.Cursor | None = None
        """The open cursor, while there may be more rows than were fetched."""
        self._rows: list[Any] = []
        self.arraysize = 1
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()

    async def execute(self, statement: str, parameters: Sequence[Any] = ()) -> Self:
        """Run a statement, and fetch its first rows."""
        await self._connection.run(self._run, sqlite3.Cursor.execute, statement, parameters)
        return self

    async def executemany(self, statement: str, parameters: Iterable[Sequence[Any]]) -> Self:
        """Run a statement once for each set of parameters."""
        await self._connection.run(self._run, sqlite3.Cursor.executemany, statement, parameters)
        return self

    def _run(self, raw: sqlite3.Connection, beginning: str, how: Any, statement: str, parameters: Any) -> None:
        """In the connection's thread."""
        if self._open is not None:
            self._open.close()
        self._open = None
        cursor = raw.cursor()
        try:
            if beginning:
                cursor.execute(beginning)
            how(cursor, statement, parameters)
            self.description = cursor.description
            self._rows = cursor.fetchmany(AT_ONCE) if cursor.description else []
        except BaseException:
            cursor.close()
            raise
        self.rowcount, self.lastrowid = cursor.rowcount, cursor.lastrowid
        if len(self._rows) == AT_ONCE:
            self._open = cursor
        else:
            cursor.close()

    async def fetchone(self) -> Any:
        """The next row, None after the last."""
        rows = await self.fetchmany(1)
        return rows[0] if rows else None

    async def fetchmany(self, size: int | None = None) -> list[Any]:
        """The next `size` rows, fewer at the end."""
        size = self.arraysize if size is None else size
        if len(self._rows) < size and self._open is not None:
            self._rows += await self._fetch(max(size, AT_ONCE))
        rows, self._rows = self._rows[:size], self._rows[size:]
        return rows

    async def fetchall(self) -> list[Any]:
        """All rows that are left."""
        if self._open is not None:
            self._rows += await self._fetch(None)
        rows, self._rows = self._rows, []
        return rows

    def __aiter__(self) -> AsyncIterator[Any]:
        return self._all()

    async def _all(self) -> AsyncIterator[Any]:
        while (row := await self.fetchone()) is not None:
            yield row

    async def close(self) -> None:
        """Close the cursor; rows that were not fetched are dropped."""
        if self._open is not None:
            await self._connection.look(self._drop)

    async def _fetch(self, size: int | None) -> list[Any]:
        rows: list[Any] = await self._connection.look(self._more, size)
        return rows

    def _more(self, size: int | None) -> list[Any]:
        """Fetch the next rows, or all of them, in the connection's thread."""
        if self._open is None:
            return []
        rows = self._open.fetchall() if size is None else self._open.fetchmany(size)
        self.rowcount = self._open.rowcount  # of RETURNING, known once the last row was fetched
        if size is None or len(rows) < size:
            self._drop()
        return rows

    def _drop(self) -> None:
        """In the connection's thread."""
        if self._open is not None:
            self._open.close()
        self._open = None
