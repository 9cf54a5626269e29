"""For housekeeping: editions whose deliveries have all ended, and when daily tasks last ran."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Select, and_, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model import Kind, State, kind_of
from bot.store.schema import deliveries, editions, system_state
from bot.store.unconfirmed import may_be_repeated
from bot.store.upsert import put

OPEN = (State.OWED, State.SENDING)
EDITION = (editions.c.id, editions.c.cadence, editions.c.day, editions.c.audience)


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
    going = list(await connection.scalars(_going()))
    return any([not await _is_going(connection, edition_id, now) for edition_id in going])


async def mark_finished(connection: AsyncConnection, now: datetime) -> Sequence[EndedEdition]:
    """Mark and return the editions that have finished since the last call.

    Who reopens a delivery writes its edition as well, so the editions are locked before their deliveries are looked at.
    """
    going = list(await connection.scalars(_going().order_by(editions.c.id).with_for_update()))
    ended = [edition_id for edition_id in going if not await _is_going(connection, edition_id, now)]
    marked = update(editions).where(editions.c.id.in_(ended)).values(ended_at=now).returning(*EDITION)
    found = []
    for row in (await connection.execute(marked)).all():
        states = await connection.execute(
            select(deliveries.c.state, func.count())
            .where(deliveries.c.edition_id == row.id)
            .group_by(deliveries.c.state)
        )
        counted = {State(state): count for state, count in states}
        found.append(EndedEdition(row.id, kind_of(row.cadence), row.day, row.audience, counted))
    return sorted(found, key=lambda each: each.day)


def _going() -> Select[int]:
    """The editions that are not marked as finished."""
    return select(editions.c.id).where(editions.c.ended_at.is_(None))


async def _is_going(connection: AsyncConnection, edition_id: int, now: datetime) -> bool:
    """Whether an edition has anything left to deliver. By its number, so that one partition is looked at."""
    repeatable = and_(deliveries.c.subscriber_id.is_not(None), may_be_repeated(now))
    left = [deliveries.c.state == state for state in OPEN]
    for condition in (*left, repeatable):
        query = select(deliveries.c.id).where(deliveries.c.edition_id == edition_id, condition).limit(1)
        if await connection.scalar(query) is not None:
            return True
    return False


async def last_day(connection: AsyncConnection, task: str) -> date | None:
    """The day for which a daily task last ran."""
    value = await connection.scalar(select(system_state.c.value).where(system_state.c.key == f"done:{task}"))
    return None if value is None else date.fromisoformat(value)


async def done(connection: AsyncConnection, task: str, day: date) -> None:
    """Note that a daily task ran for a day."""
    await put(connection, system_state, {"key": f"done:{task}", "value": day.isoformat()})
