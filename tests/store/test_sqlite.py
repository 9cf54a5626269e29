"""The driver of SQLite: what it says is what aiosqlite says, in fewer trips to its thread."""

import asyncio
import gc
import sqlite3
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, OperationalError

from bot.store import Store
from bot.store.sqlite import AT_ONCE, Connection, connect
from tests.support.databases import fresh_store

MANY = 2 * AT_ONCE + 7
COUNTED = f"with recursive n (i) as (select 1 union all select i + 1 from n where i < {MANY}) select i from n"


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncIterator[Connection]:
    connection = connect(str(tmp_path / "any.db"), isolation_level=None)
    async with connection:
        yield connection


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = fresh_store(tmp_path)
    yield opened
    await opened.close()


@pytest.fixture
def trips(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    made: list[Any] = []
    own: Any = Connection._execute

    async def counted(self: Connection, function: Any, *args: Any, **named: Any) -> Any:
        made.append(function)
        return await own(self, function, *args, **named)

    monkeypatch.setattr(Connection, "_execute", counted)
    return made


@pytest.mark.parametrize("size", [1, 7, AT_ONCE, AT_ONCE + 1, MANY])
async def test_every_row_comes_however_they_are_asked_for(opened: Connection, size: int) -> None:
    async with opened.cursor() as cursor:
        await cursor.execute(COUNTED)
        found = []
        while rows := await cursor.fetchmany(size):
            assert len(rows) == size or rows[-1] == (MANY,)
            found += rows
    assert found == [(number,) for number in range(1, MANY + 1)]


async def test_one_row_and_then_the_rest(opened: Connection) -> None:
    async with opened.cursor() as cursor:
        await cursor.execute(COUNTED)
        assert await cursor.fetchone() == (1,)
        assert len(await cursor.fetchall()) == MANY - 1
        assert await cursor.fetchall() == []
        assert await cursor.fetchone() is None
        await cursor.execute(COUNTED)
        assert [row async for row in cursor] == [(number,) for number in range(1, MANY + 1)]


async def test_what_a_statement_did_is_known(opened: Connection) -> None:
    cursor = opened.cursor()
    await cursor.execute("create table letters (id integer primary key, letter text unique)")
    assert cursor.description is None
    await cursor.executemany("insert into letters (letter) values (?)", [("a",), ("b",), ("c",)])
    assert cursor.rowcount == 3
    await cursor.execute("insert into letters (letter) values (?) returning id, letter", ("d",))
    described: Any = cursor.description  # it was None before
    assert [column[0] for column in described] == ["id", "letter"]
    assert (await cursor.fetchall(), cursor.rowcount, cursor.lastrowid) == ([(4, "d")], 1, 4)
    await cursor.execute("update letters set letter = letter || '!' where id < ?", (3,))
    assert (cursor.rowcount, await cursor.fetchall()) == (2, [])


async def test_a_fault_leaves_the_connection_as_it_was(opened: Connection) -> None:
    cursor = opened.cursor()
    with pytest.raises(sqlite3.OperationalError, match="nowhere"):
        await cursor.execute("select 1 from nowhere")
    await cursor.execute("select 1")
    assert await cursor.fetchall() == [(1,)]


async def test_a_transaction_is_as_many_trips_as_it_has_statements_and_its_end(store: Store, trips: list[Any]) -> None:
    async with store.read() as connection:
        await connection.execute(text("select 1"))  # a connection has to be made first
    trips.clear()
    async with store.read() as connection:
        assert await connection.scalar(text("select 1")) == 1
    assert len(trips) == 2
    trips.clear()
    async with store.write() as connection:
        await connection.execute(text("insert into system_state values ('a', 'b')"))
        assert await connection.scalar(text("select value from system_state")) == "b"
    assert len(trips) == 3
    trips.clear()
    async with store.read():
        pass
    assert trips == []


async def test_what_is_not_committed_is_undone(store: Store) -> None:
    async def twice() -> None:
        async with store.write() as connection:
            await connection.execute(text("insert into system_state values ('a', 'b')"))
            await connection.execute(text("insert into system_state values ('a', 'c')"))

    with pytest.raises(IntegrityError):
        await twice()
    async with store.read() as connection:
        assert await connection.scalar(text("select count(*) from system_state")) == 0


async def test_a_transaction_that_cannot_begin_leaves_nothing_begun(store: Store) -> None:
    async with store.write() as connection:
        await connection.execute(text("pragma busy_timeout = 1"))
    with pytest.raises(OperationalError, match="locked"), locked_by_another(store):
        await put(store, "b")
    await put(store, "c")
    async with store.read() as connection:
        assert await connection.scalar(text("select value from system_state")) == "c"


@contextmanager
def locked_by_another(store: Store) -> Iterator[None]:
    assert store.path is not None
    other = sqlite3.connect(store.path, isolation_level=None)
    other.execute("begin immediate")
    try:
        yield
    finally:
        other.close()


async def put(store: Store, value: str) -> None:
    async with store.write() as connection:
        await connection.execute(text("insert into system_state values ('a', :value)"), {"value": value})


async def test_who_is_cancelled_while_waiting_leaves_nothing_behind(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    await put(store, "first")
    begun = asyncio.Event()
    own = Connection.run

    def told(self: Connection, *given: Any) -> Any:
        begun.set()
        return own(self, *given)

    monkeypatch.setattr(Connection, "run", told)
    with locked_by_another(store):
        waiting = asyncio.ensure_future(put(store, "second"))
        await begun.wait()
        await asyncio.sleep(0)  # it is on its way
        waiting.cancel()
    await asyncio.wait([waiting])
    assert waiting.cancelled()
    async with store.write() as connection:
        await connection.execute(text("update system_state set value = value || '!'"))
        assert await connection.scalar(text("select value from system_state")) == "first!"


@pytest.mark.parametrize("when", ["while it is opened", "when it is open"])
async def test_who_is_cancelled_while_connecting_leaves_no_connection_open(tmp_path: Path, when: str) -> None:
    may_open, is_open = threading.Event(), threading.Event()
    made: list[sqlite3.Connection] = []

    def slow() -> sqlite3.Connection:
        may_open.wait()
        made.append(sqlite3.connect(tmp_path / "any.db", check_same_thread=False))
        is_open.set()
        return made[0]

    async def opened(connection: Connection) -> object:
        return await connection

    connection = Connection(slow, None)
    waiting = asyncio.ensure_future(opened(connection))
    await asyncio.sleep(0)  # its thread runs now
    if when == "when it is open":
        may_open.set()
        is_open.wait()  # the loop stands still meanwhile, so that nobody has seen it yet
    waiting.cancel()
    await asyncio.wait([waiting])
    may_open.set()
    await asyncio.to_thread(connection._thread.join)
    assert waiting.cancelled()
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        made[0].execute("select 1")


async def test_no_statement_runs_outside_of_the_transaction_that_could_not_begin(store: Store) -> None:
    await put(store, "first")
    async with store.write() as connection:
        await connection.execute(text("pragma busy_timeout = 1"))

    async def stubborn() -> None:
        async with store.write() as connection:
            with locked_by_another(store), pytest.raises(OperationalError, match="locked"):
                await connection.execute(text("select 1"))
            await connection.execute(text("update system_state set value = 'second'"))
            raise LookupError

    with pytest.raises(LookupError):
        await stubborn()
    async with store.read() as connection:
        assert await connection.scalar(text("select value from system_state")) == "first"


async def test_nothing_runs_bare_after_a_statement_that_undid_the_whole_transaction(store: Store) -> None:
    await put(store, "first")

    async def stubborn() -> None:
        async with store.write() as connection:
            await connection.execute(text("update system_state set value = 'second'"))
            with pytest.raises(IntegrityError):
                await connection.execute(text("insert or rollback into system_state values ('a', 'third')"))
            await connection.execute(text("update system_state set value = 'fourth'"))
            raise LookupError

    with pytest.raises(LookupError):
        await stubborn()
    async with store.read() as connection:
        assert await connection.scalar(text("select value from system_state")) == "first"


async def test_what_is_left_of_a_stream_takes_no_beginning_with_it(opened: Connection) -> None:
    left = opened.cursor()
    await left.execute("create table numbers (i)")
    await left.execute(COUNTED)
    opened.begin("BEGIN")
    assert len(await left.fetchmany(MANY - 1)) == MANY - 1
    await left.close()
    await opened.cursor().execute("insert into numbers values (1)")
    await opened.rollback()
    await left.execute("select count(*) from numbers")
    assert await left.fetchall() == [(0,)]


async def test_as_many_rows_are_said_to_be_changed_as_come_back(opened: Connection) -> None:
    cursor = opened.cursor()
    await cursor.execute("create table numbers (i)")
    await cursor.execute(f"insert into numbers {COUNTED} returning i")
    assert len(await cursor.fetchall()) == cursor.rowcount == MANY


async def test_a_stream_brings_every_row(store: Store) -> None:
    async with store.read() as connection:
        found = [row.i async for row in await connection.stream(text(COUNTED))]
    assert found == list(range(1, MANY + 1))


ENDLESS = "with recursive n (i) as (select 1 union all select i + 1 from n) select count(*) from n"


async def test_a_statement_that_nobody_waits_for_holds_up_no_stop(store: Store) -> None:
    """Twenty of them, each minutes long, kept the program from ever ending."""
    begun = asyncio.Event()

    async def ask() -> None:
        async with store.read() as connection:
            await connection.execute(text("select 1"))
            begun.set()
            await connection.execute(text(ENDLESS))

    waiting = asyncio.ensure_future(ask())
    await begun.wait()
    await until_it_runs()
    waiting.cancel()
    async with asyncio.timeout(20):
        await asyncio.wait([waiting])
        await store.close()
        while others := asyncio.all_tasks() - {asyncio.current_task()}:  # SQLAlchemy closes the connection in one
            await asyncio.wait(others)
    assert waiting.cancelled()


async def until_it_runs() -> None:
    while not any(  # noqa: ASYNC110 - it is SQLite's thread that is waited for
        each._is_running for each in gc.get_objects() if isinstance(each, Connection)
    ):
        await asyncio.sleep(0)
