"""What the keeper looks at on its rounds: editions that have come to their end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model import Kind, State, kind_of
from bot.rules.outcomes import MAX_REPEATS
from bot.store.schema import deliveries, editions, system_state
from bot.store.upsert import insert

OPEN = (State.OWED, State.SENDING)


@dataclass(frozen=True, slots=True)
class EndedEdition:
    """An edition of which nothing is owed any more, and what became of it."""

    edition_id: int
    cadence: Kind
    day: date
    audience: int
    states: Mapping[State, int]


async def any_finished(connection: AsyncConnection, now: datetime) -> bool:
    """Whether there is anything for `ended` to find."""
    return (await connection.execute(_over(now).limit(1))).first() is not None


async def mark_finished(connection: AsyncConnection, now: datetime) -> Sequence[EndedEdition]:
    """Mark the editions that have come to their end since the last look, and return them."""
    found = []
    for row in (await connection.execute(_over(now).order_by(editions.c.day))).all():
        await connection.execute(update(editions).where(editions.c.id == row.id).values(ended_at=now))
        states = await connection.execute(
            select(deliveries.c.state, func.count())
            .where(deliveries.c.edition_id == row.id)
            .group_by(deliveries.c.state)
        )
        counted = {State(state): count for state, count in states}
        found.append(EndedEdition(row.id, kind_of(row.cadence), row.day, row.audience, counted))
    return found


def _over(now: datetime) -> Select[*tuple[Any, ...]]:
    going_on = select(deliveries.c.id).where(
        deliveries.c.edition_id == editions.c.id, deliveries.c.state.in_([state.value for state in OPEN])
    )
    to_repeat = select(deliveries.c.id).where(
        deliveries.c.edition_id == editions.c.id,
        deliveries.c.state == State.UNKNOWN,
        deliveries.c.subscriber_id.is_not(None),
        deliveries.c.repeats < MAX_REPEATS,
        deliveries.c.next_at < deliveries.c.expires_at,
        deliveries.c.expires_at > now,
    )
    return select(editions).where(editions.c.ended_at.is_(None), ~going_on.exists(), ~to_repeat.exists())


async def last_day(connection: AsyncConnection, task: str) -> date | None:
    """The day for which a daily task was last done."""
    value = await connection.scalar(select(system_state.c.value).where(system_state.c.key == f"done:{task}"))
    return None if value is None else date.fromisoformat(value)


async def done(connection: AsyncConnection, task: str, day: date) -> None:
    """Remember that a daily task was done for a day."""
    statement = insert(connection, system_state).values(key=f"done:{task}", value=day.isoformat())
    await connection.execute(
        statement.on_conflict_do_update(index_elements=["key"], set_={"value": statement.excluded.value})
    )
