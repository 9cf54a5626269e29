"""Who is owed an edition: fixed at publication, by INSERT … SELECT, so that no row passes through Python."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Integer, String, and_, column, func, insert, literal, select, update, values
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model import Cadence, State, Status
from bot.schedule import Rhythm, Window, welcome, window
from bot.store import editions as stored
from bot.store.schema import Utc, deliveries, editions, subscribers

SLOTS = 100
"""Groups of one zone, hour and weekdays that share a statement."""

COLUMNS = ["edition_id", "subscriber_id", "channel", "state", "due_at", "next_at", "expires_at"]


async def owe(connection: AsyncConnection, edition_id: int, cadence: Cadence, *, published_at: datetime) -> int:
    """Owe an edition to every active subscriber of its cadence, each at their own hour; the size of the audience.

    Older editions of the cadence that these readers are still owed are superseded.
    """
    groups = await connection.execute(
        select(subscribers.c.timezone, subscribers.c.hour, subscribers.c.weekdays)
        .where(subscribers.c.status == Status.ACTIVE, subscribers.c.cadence == cadence)
        .distinct()
    )
    rhythms = [Rhythm(*group) for group in groups]
    for start in range(0, len(rhythms), SLOTS):
        slots = [(rhythm, window(rhythm, published_at)) for rhythm in rhythms[start : start + SLOTS]]
        await _owe_groups(connection, edition_id, cadence, slots)
    await _supersede(connection, edition_id, cadence, published_at)
    # Counted, since drivers do not agree on how many rows an INSERT behind a WITH has made.
    owed = select(func.count()).where(deliveries.c.edition_id == edition_id)
    audience = int(await connection.scalar(owed) or 0)
    await stored.count_audience(connection, edition_id, audience)
    return audience


async def greet(
    connection: AsyncConnection, edition_id: int, subscriber_id: int, channel: str, rhythm: Rhythm, *, now: datetime
) -> None:
    """Owe the latest edition to a new subscriber, at once."""
    due = welcome(rhythm, now)
    await connection.execute(
        deliveries.insert().values(
            edition_id=edition_id,
            subscriber_id=subscriber_id,
            channel=channel,
            state=State.OWED.value,
            due_at=due.due_at,
            next_at=due.due_at,
            expires_at=due.expires_at,
        )
    )
    await stored.count_audience(connection, edition_id, 1)


async def _owe_groups(
    connection: AsyncConnection, edition_id: int, cadence: Cadence, slots: Sequence[tuple[Rhythm, Window]]
) -> None:
    table = (
        values(
            column("timezone", String),
            column("hour", Integer),
            column("weekdays", Integer),
            column("due_at", Utc),
            column("expires_at", Utc),
            name="slots",
        )
        .data([(r.timezone, r.hour, r.weekdays, w.due_at, w.expires_at) for r, w in slots])
        .cte("slots")
    )
    audience = (
        select(
            literal(edition_id).label("edition_id"),
            subscribers.c.id,
            subscribers.c.channel,
            literal(State.OWED.value),
            table.c.due_at,
            table.c.due_at,
            table.c.expires_at,
        )
        .join(
            table,
            and_(
                subscribers.c.timezone == table.c.timezone,
                subscribers.c.hour == table.c.hour,
                subscribers.c.weekdays == table.c.weekdays,
            ),
        )
        .where(subscribers.c.status == Status.ACTIVE, subscribers.c.cadence == cadence)
    )
    await connection.execute(insert(deliveries).from_select(COLUMNS, audience))


async def _supersede(connection: AsyncConnection, edition_id: int, cadence: Cadence, now: datetime) -> None:
    day = select(editions.c.day).where(editions.c.id == edition_id).scalar_subquery()
    older = select(editions.c.id).where(editions.c.cadence == cadence, editions.c.day < day)
    readers = select(deliveries.c.subscriber_id).where(deliveries.c.edition_id == edition_id)
    await connection.execute(
        update(deliveries)
        .where(
            deliveries.c.state == State.OWED,
            deliveries.c.edition_id.in_(older),
            deliveries.c.subscriber_id.in_(readers),
        )
        .values(state=State.EXPIRED.value, reason="superseded", ended_at=now)
    )
