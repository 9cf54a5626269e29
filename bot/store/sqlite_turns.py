"""A whole turn of a dispatcher in one trip to SQLite's thread: record, load, claim and commit, by the driver alone.

SQLAlchemy's handling of each row costs more than SQLite's; the statements are those of the other modules.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import cache, lru_cache, partial
from itertools import repeat
from typing import Any, cast

from sqlalchemy.dialects.sqlite.aiosqlite import dialect
from sqlalchemy.sql import ClauseElement
from sqlalchemy.sql.compiler import SQLCompiler

from bot.rules.outcomes import ChannelState
from bot.store import channel_state, claiming, loaded_deliveries, reader_history, recording, sqlite
from bot.store.database import Store
from bot.store.database_faults import fault_of
from bot.store.schema import channels
from bot.store.turns import Turn, Wanted

Row = tuple[Any, ...]


class SqliteTurns:
    """Takes turns, each on a connection of the pool."""

    def __init__(self, store: Store, channel: str) -> None:
        self._store, self._channel = store, channel

    async def take(self, wanted: Wanted, shown: Mapping[str, int]) -> Turn:  # noqa: ARG002 - locks of files have no numbers
        """See `bot.store.turns`."""
        async with self._store.turn(), self._store.engine.connect() as connection:
            driver = (await connection.get_raw_connection()).driver_connection
            assert isinstance(driver, sqlite.Connection)
            try:
                state, rows = await driver.run_whole(partial(_take, self._channel, wanted))
            except sqlite3.Error as error:
                raise fault_of(error) from error
        columns = _due_columns()
        plain = [row for row in rows if row[-1]]
        candidates = loaded_deliveries.candidates_of(plain, columns)
        missed: Mapping[int, Any] = {}
        if candidates:
            async with self._store.read() as connection:
                missed = await reader_history.missed(connection, candidates)
        claimed = loaded_deliveries.deliveries_of(plain, columns, missed, _instant)
        return Turn(state, claimed, is_plain=len(plain) == len(rows))

    async def close(self) -> None:
        """Nothing is kept between turns."""


class _Statement:
    """A statement as the driver takes it: with its parameters by place, which costs least."""

    def __init__(self, statement: ClauseElement) -> None:
        made = cast("SQLCompiler", statement.compile(dialect=dialect()))
        self._text, self._order = str(made), made.positiontup or ()
        self._own = {name: bind.effective_value for name, bind in made.binds.items() if not bind.required}

    def rows(self, connection: sqlite3.Connection, **given: object) -> list[Row]:
        """Execute it, with its parameters by name, and fetch all rows."""
        values = self._own | given
        return connection.execute(self._text, [values[name] for name in self._order]).fetchall()

    def for_each(self, connection: sqlite3.Connection, same: Mapping[str, object], **given: Iterable[object]) -> None:
        """Execute it once for each of the values that are given for its parameters, those in `same` alike."""
        alike = {name: repeat(value) for name, value in (self._own | dict(same)).items()}
        values = {**alike, **given}
        connection.executemany(self._text, zip(*(values[name] for name in self._order), strict=False))


@cache
def _accepted() -> _Statement:
    return _Statement(recording.accepted_statement())


@cache
def _state() -> _Statement:
    return _Statement(channel_state.statement())


@cache
def _due() -> _Statement:
    return _Statement(loaded_deliveries.due_statement())


@cache
def _claim() -> _Statement:
    return _Statement(claiming.claim_one_statement())


@cache
def _due_columns() -> tuple[str, ...]:
    return tuple(loaded_deliveries.due_statement().selected_columns.keys())


def _take(channel: str, wanted: Wanted, connection: sqlite3.Connection) -> tuple[ChannelState, list[Row]]:
    """In the connection's thread, within a transaction: the channel's state, and the rows that were due."""
    now = _stored(wanted.now)
    if wanted.accepted:
        deliveries, receipts = zip(*wanted.accepted, strict=True)
        same = {"by": wanted.owner, "now": now}
        _accepted().for_each(connection, same, delivery_id=[each.id for each in deliveries], receipt=receipts)
    stored = _state().rows(connection, name=channel)
    state = _state_of(stored[0] if stored else None)
    limit = state.may_claim(wanted.now, wanted.limit, len(wanted.busy))
    if limit <= 0:
        return state, []
    found = _due().rows(connection, of=channel, at=now, until=None if wanted.expires else now, most=limit)
    plain = [row for row in found if row[-1]]
    same = {"by": wanted.owner}
    _claim().for_each(connection, same, delivery_id=[row[0] for row in plain], choice=[row[-2] for row in plain])
    return state, found


@lru_cache(maxsize=4)
def _state_of(row: Row | None) -> ChannelState:
    """The state in a row of `channels`, which seldom changes."""
    if row is None:
        return channel_state.state_of(None)
    made = dialect()
    decoders = [column.type.dialect_impl(made).result_processor(made, None) for column in channels.c]
    values = [value if decode is None else decode(value) for decode, value in zip(decoders, row, strict=True)]
    return channel_state.state_of(dict(zip(channels.c.keys(), values, strict=True)))


@lru_cache(maxsize=4096)
def _instant(stored: str) -> datetime:
    """An instant as it is stored; many deliveries share theirs."""
    return datetime.fromisoformat(stored).replace(tzinfo=UTC)


def _stored(instant: datetime) -> str:
    """An instant as SQLAlchemy stores it."""
    return instant.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")
