"""A whole turn of a dispatcher in one round trip to PostgreSQL: record, claim, load and commit, sent without waiting.

This is the only module that speaks to psycopg itself, whose pipelines SQLAlchemy does not have
(https://www.psycopg.org/psycopg3/docs/advanced/pipeline.html). The statements are those of the other modules.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime
from enum import Enum
from functools import cache
from typing import Any, cast

import psycopg
from psycopg.errors import DivisionByZero
from sqlalchemy.dialects.postgresql.psycopg import dialect
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql import ClauseElement

from bot.runtime.locks import LostError
from bot.store import channel_state, claiming, loaded_deliveries, reader_history, recording
from bot.store.database import LONGEST_IDLE, LONGEST_STATEMENT, Store
from bot.store.database_faults import fault_of
from bot.store.turns import Turn, Wanted

Driver = psycopg.AsyncConnection[tuple[Any, ...]]
Cursor = psycopg.AsyncCursor[tuple[Any, ...]]

STILL_OURS = """
    select 1 / case when (
        select count(*) from (
            select 1 from leases
            where (role, number) in (select * from unnest(%(roles)s::varchar[], %(numbers)s::bigint[]))
            and ends_at > clock_timestamp() for key share
        ) as kept
    ) = cardinality(%(roles)s::varchar[]) then 1 else 0 end
"""
"""Fails where one of these leases is over, and with it everything that follows (bot.runtime.locks.lease_statements)."""

GOING = "select id from editions where ended_at is null"
GOING_OR_DUE = """
    select id from editions where ended_at is null union (
        select edition_id from deliveries where channel = %(channel)s and state = 'owed' order by next_at limit 1
    )
"""
"""The editions that may owe something. The second looks into every partition as well, at the beginning of a rush: so
nothing stays owed for good, even where an edition were marked as ended by mistake."""


class PipelinedTurns:
    """One connection of a dispatcher's own, made when it is first needed."""

    def __init__(self, store: Store, channel: str) -> None:
        self._store, self._channel = store, channel
        self._opened: AsyncConnection | None = None
        self._editions: Sequence[int] = ()
        """The editions that may owe something, as the turn before found them."""

    async def take(self, wanted: Wanted, shown: Mapping[str, int]) -> Turn:
        """See `bot.store.turns`."""
        try:
            connection = await self._connection()
            async with connection.pipeline():
                await connection.execute("begin")
                await connection.execute(f"{LONGEST_STATEMENT}, {LONGEST_IDLE}")
                if shown:
                    await connection.execute(STILL_OURS, {"roles": list(shown), "numbers": list(shown.values())})
                if wanted.accepted:
                    await _execute(connection, recording.all_accepted_statement(), _accepted(wanted))
                state = await _execute(connection, channel_state.statement(), {"name": self._channel})
                loaded = await _execute(connection, *self._claim(wanted))
                going = await connection.execute(GOING)
                await connection.execute("commit")
            stored, found = await _rows(state), await _rows(loaded)
            self._editions = [edition_id for (edition_id,) in await going.fetchall()]
        except BaseException as error:
            await self.close(broken=True)
            if isinstance(error, DivisionByZero):
                raise LostError("the lease of this sender has ended") from error
            if isinstance(error, psycopg.Error):
                raise fault_of(error) from error
            raise
        now_is = channel_state.state_of(dict(zip(_columns(state), stored[0], strict=True)) if stored else None)
        if now_is.may_claim(wanted.now, wanted.limit, len(wanted.busy)) < len(found):
            # Another process had the channel wait or halted it: that is read in the trip that claims.
            async with self._store.write() as opened:
                await claiming.release(opened, self._channel, owner=wanted.owner, but=wanted.busy)
            return Turn(now_is, [])
        columns = _columns(loaded)
        candidates = loaded_deliveries.candidates_of(found, columns)
        missed = await self._missed(candidates) if candidates else {}
        reached = (found[-1][-1], found[-1][0]) if found else wanted.reached
        return Turn(now_is, loaded_deliveries.deliveries_of(found, columns, missed), reached=reached)

    def _claim(self, wanted: Wanted) -> tuple[ClauseElement, dict[str, object]]:
        """The statement that claims and loads, and what it is given."""
        given = claiming.claim_parameters(
            self._channel, owner=wanted.owner, now=wanted.now, limit=wanted.limit, expires=wanted.expires
        )
        given["editions"] = self._editions
        if wanted.reached is not None:
            given |= {"from_at": wanted.reached[0], "from_id": wanted.reached[1]}
        return claiming.claim_and_load_statement(onwards=wanted.reached is not None), given

    async def _missed(self, candidates: Sequence[int]) -> Mapping[int, tuple[date, ...]]:
        async with self._store.read() as connection:
            return await reader_history.missed(connection, candidates)

    async def close(self, *, broken: bool = False) -> None:
        """Give the connection back, or away where it is broken; the next turn takes another."""
        opened, self._opened = self._opened, None
        if opened is not None:
            with suppress(Exception):
                if broken:
                    await opened.invalidate()
                await opened.close()

    async def _connection(self) -> Driver:
        is_new = self._opened is None
        if self._opened is None:
            opened = await self._store.engine.connect()
            self._opened = await opened.execution_options(isolation_level="AUTOCOMMIT")
        driver = cast("Driver", (await self._opened.get_raw_connection()).driver_connection)
        if is_new:
            first = await driver.execute(GOING_OR_DUE, {"channel": self._channel})
            self._editions = [edition_id for (edition_id,) in await first.fetchall()]
        return driver


@cache
def _sql(statement: ClauseElement) -> tuple[str, dict[str, Any]]:
    """A statement as psycopg takes it, and the values that it has from its own code."""
    made = dialect()  # type: ignore[no-untyped-call]
    compiled = statement.compile(dialect=made, compile_kwargs={"render_postcompile": True})
    own = {name: each.value if isinstance(each, Enum) else each for name, each in compiled.params.items()}
    return str(compiled), own


def _accepted(wanted: Wanted) -> dict[str, object]:
    """What `recording.all_accepted_statement` is given."""
    return {
        "ids": [each.id for each, _ in wanted.accepted],
        "receipts": [receipt for _, receipt in wanted.accepted],
        "editions": list({each.edition_id for each, _ in wanted.accepted}),
        "by": wanted.owner,
        "now": wanted.now,
    }


async def _execute(connection: Driver, statement: ClauseElement, given: Mapping[str, object]) -> Cursor:
    query, own = _sql(statement)
    return await connection.execute(query, own | dict(given))


def _columns(cursor: Cursor) -> list[str]:
    return [each.name for each in cursor.description or ()]


async def _rows(cursor: Cursor) -> list[tuple[Any, ...]]:
    return [tuple(map(_in_utc, row)) for row in await cursor.fetchall()]


def _in_utc(value: Any) -> Any:
    """A value as the tables' own types give it."""
    return value.astimezone(UTC) if isinstance(value, datetime) else value
