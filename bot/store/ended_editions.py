"""For housekeeping: editions whose deliveries have all ended, and when daily tasks last ran."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model import Kind, State, kind_of
from bot.store.schema import deliveries, editions, system_state
from bot.store.unconfirmed import may_be_repeated
from bot.store.upsert import put

OPEN = (State.OWED, State.SENDING)


@dataclass(frozen=True, slots=True)
class EndedEdition:
    """An edition with nothing left to deliver, and its deliveries by state."""

    edition_id: int
    cadence: Kind
    day: date
    audience: int
    states: Mapping[State, int]


async def any_finished(connection: AsyncConnection, now: datetime) -> bool:
    """Whether `mark_finished` would find anything."""
    return (await connection.execute(_finished(now).limit(1))).first() is not None


async def mark_finished(connection: AsyncConnection, now: datetime) -> Sequence[EndedEdition]:
    """Mark and return the editions that have finished since the last call."""
    found = []
    for row in (await connection.execute(_finished(now).order_by(editions.c.day))).all():
        await connection.execute(update(editions).where(editions.c.id == row.id).values(ended_at=now))
        states = await connection.execute(
            select(deliveries.c.state, func.count())
            .where(deliveries.c.edition_id == row.id)
            .group_by(deliveries.c.state)
        )
        counted = {State(state): count for state, count in states}
        found.append(EndedEdition(row.id, kind_of(row.cadence), row.day, row.audience, counted))
    return found


def _finished(now: datetime) -> Select[*tuple[Any, ...]]:
    open_deliveries = select(deliveries.c.id).where(
        deliveries.c.edition_id == editions.c.id, deliveries.c.state.in_([state.value for state in OPEN])
    )
    repeatable = select(deliveries.c.id).where(
        deliveries.c.edition_id == editions.c.id, deliveries.c.subscriber_id.is_not(None), may_be_repeated(now)
    )
    return select(editions).where(editions.c.ended_at.is_(None), ~open_deliveries.exists(), ~repeatable.exists())


async def last_day(connection: AsyncConnection, task: str) -> date | None:
    """The day for which a daily task last ran."""
    value = await connection.scalar(select(system_state.c.value).where(system_state.c.key == f"done:{task}"))
    return None if value is None else date.fromisoformat(value)


async def done(connection: AsyncConnection, task: str, day: date) -> None:
    """Note that a daily task ran for a day."""
    await put(connection, system_state, {"key": f"done:{task}", "value": day.isoformat()})
