"""What one subscriber is still owed: ended, or moved to another hour."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model import State
from bot.schedule import Rhythm, rebook
from bot.store.schema import deliveries, editions


async def end(connection: AsyncConnection, subscriber_id: int, state: State, reason: str, *, now: datetime) -> None:
    """End everything that a subscriber is still owed."""
    await connection.execute(
        update(deliveries)
        .where(deliveries.c.subscriber_id == subscriber_id, deliveries.c.state == State.OWED)
        .values(state=state.value, reason=reason, ended_at=now)
    )


async def move(connection: AsyncConnection, subscriber_id: int, rhythm: Rhythm, *, now: datetime) -> None:
    """Move everything that a subscriber is still owed to their new hour; a retry that waits goes on waiting."""
    query = (
        select(deliveries.c.id, deliveries.c.attempts, deliveries.c.next_at, editions.c.closed_at)
        .join(editions, editions.c.id == deliveries.c.edition_id)
        .where(deliveries.c.subscriber_id == subscriber_id, deliveries.c.state == State.OWED)
    )
    for row in (await connection.execute(query)).all():
        booked = rebook(rhythm, row.closed_at, now)
        next_at = max(booked.due_at, row.next_at) if row.attempts else booked.due_at
        await connection.execute(
            update(deliveries)
            .where(deliveries.c.id == row.id, deliveries.c.state == State.OWED)
            .values(due_at=booked.due_at, next_at=next_at, expires_at=booked.expires_at)
        )
