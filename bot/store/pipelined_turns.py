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

from bot.model import Delivery
from bot.rules.outcomes import ChannelState, Consequence
from bot.runtime.locks import LostError
from bot.store import channel_state, claiming, reader_history, recording
from bot.store.database import LONGEST_IDLE, LONGEST_STATEMENT, Store

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


class PipelinedTurns:
    """One connection of a dispatcher's own, made when it is first needed."""

    def __init__(self, store: Store, channel: str) -> None:
        self._store, self._channel = store, channel
        self._opened: AsyncConnection | None = None

    async def turn(
        self,
        endings: Mapping[int, Consequence],
        *,
        shown: Mapping[str, int],
        owner: str,
        busy: Sequence[int],
        limit: int,
        now: datetime,
        expires: bool,
    ) -> tuple[ChannelState, list[Delivery]]:
        """Record `endings` by delivery id, and claim up to `limit` deliveries that are due, in one transaction.

        `shown` are the numbers of the leases that this is done under, `busy` the deliveries that stay in flight.
        Returns the channel's state and what was claimed. Raises LostError where a lease is over, else what the driver
        raises; nobody knows then whether it was committed.
        """
        connection = await self._connection()
        try:
            async with connection.pipeline():
                await connection.execute("begin")
                await connection.execute(f"{LONGEST_STATEMENT}, {LONGEST_IDLE}")
                if shown:
                    await connection.execute(STILL_OURS, {"roles": list(shown), "numbers": list(shown.values())})
                if endings:
                    cursor = connection.cursor()
                    given = [each | {"by": owner, "now": now} for each in recording.parameters(endings)]
                    query, own = _sql(recording.statement())
                    await cursor.executemany(query, [own | each for each in given])
                state = await _execute(connection, channel_state.statement(), {"name": self._channel})
                wanted = claiming.claim_parameters(self._channel, owner=owner, now=now, limit=limit, expires=expires)
                await _execute(connection, claiming.claim_statement(), wanted)
                taken = {"of": self._channel, "by": owner, "busy": list(busy)}
                loaded = await _execute(connection, claiming.load_claimed_statement(), taken)
                await connection.execute("commit")
            stored, found = await _rows(state), await _rows(loaded)
        except BaseException as error:
            await self.close(broken=True)
            if isinstance(error, DivisionByZero):
                raise LostError("the lease of this sender has ended") from error
            raise
        now_is = channel_state.state_of(dict(zip(_columns(state), stored[0], strict=True)) if stored else None)
        columns = _columns(loaded)
        candidates = claiming.candidates_of(found, columns)
        missed = await self._missed(candidates) if candidates else {}
        return now_is, claiming.deliveries_of(found, columns, missed)

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
        if self._opened is None:
            opened = await self._store.engine.connect()
            self._opened = await opened.execution_options(isolation_level="AUTOCOMMIT")
        driver = (await self._opened.get_raw_connection()).driver_connection
        return cast("Driver", driver)


@cache
def _sql(statement: ClauseElement) -> tuple[str, dict[str, Any]]:
    """A statement as psycopg takes it, and the values that it has from its own code."""
    made = dialect()  # type: ignore[no-untyped-call]
    compiled = statement.compile(dialect=made, compile_kwargs={"render_postcompile": True})
    own = {name: each.value if isinstance(each, Enum) else each for name, each in compiled.params.items()}
    return str(compiled), own


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
