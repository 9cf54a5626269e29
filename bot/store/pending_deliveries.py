"""A subscriber's pending deliveries: end, reopen or reschedule them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import and_, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model import NOTE, Cadence, Reason, State
from bot.rules.schedule import Rhythm, rebook, waking
from bot.store import edition_queries as stored
from bot.store.accounts import reaching_now
from bot.store.schema import deliveries, editions, reason_columns

TAKEN_BACK = (Reason.PAUSED, Reason.UNSUBSCRIBED, Reason.INACTIVE, Reason.CADENCE_CHANGED)
"""Reasons for skipping that a reader caused, and can undo."""


async def end(
    connection: AsyncConnection,
    subscriber_id: int,
    state: State,
    code: Reason,
    text: str | None = None,
    *,
    now: datetime,
) -> None:
    """End everything that a subscriber is still owed, for a reason with a code and perhaps words of its own."""
    await connection.execute(
        update(deliveries)
        .where(deliveries.c.subscriber_id == subscriber_id, deliveries.c.state == State.OWED)
        .values(state=state.value, ended_at=now, **reason_columns(code, text))
    )


async def end_cadence(connection: AsyncConnection, subscriber_id: int, *, now: datetime) -> None:
    """Skip pending editions because another cadence was chosen; announcements go to every cadence."""
    notes = select(editions.c.id).where(editions.c.cadence == NOTE)
    await connection.execute(
        update(deliveries)
        .where(
            deliveries.c.subscriber_id == subscriber_id,
            deliveries.c.state == State.OWED,
            deliveries.c.edition_id.not_in(notes),
        )
        .values(state=State.SKIPPED.value, ended_at=now, **reason_columns(Reason.CADENCE_CHANGED))
    )


async def revive(
    connection: AsyncConnection, subscriber_id: int, cadence: Cadence, rhythm: Rhythm, *, now: datetime
) -> None:
    """Reopen what was skipped by a reader's own act that they undid, unless it has expired."""
    newest = await stored.latest_id(connection, cadence)
    theirs = and_(
        deliveries.c.subscriber_id == subscriber_id,
        or_(editions.c.id == newest, editions.c.cadence == NOTE),
        deliveries.c.state == State.SKIPPED,
        deliveries.c.reason_code.in_(TAKEN_BACK),
        deliveries.c.expires_at > now,
    )
    query = select(deliveries.c.id, deliveries.c.edition_id, deliveries.c.due_at).join(
        editions, editions.c.id == deliveries.c.edition_id
    )
    for row in (await connection.execute(query.where(theirs))).all():
        at = row.due_at if row.due_at > now else waking(rhythm, now)
        await reopen(connection, row.id, row.edition_id, next_at=at)


async def reopen(
    connection: AsyncConnection, delivery_id: int, edition_id: int, *, next_at: datetime, **times: datetime
) -> None:
    """Reopen a delivery, and with it its edition."""
    again = {"state": State.OWED.value, "reason": None, "reason_code": None, "ended_at": None, "next_at": next_at}
    row = update(deliveries).where(deliveries.c.id == delivery_id)
    await connection.execute(row.values(channel=reaching_now, **again, **times))
    await connection.execute(update(editions).where(editions.c.id == edition_id).values(ended_at=None))


async def move(connection: AsyncConnection, subscriber_id: int, rhythm: Rhythm, *, now: datetime) -> None:
    """Reschedule pending deliveries to a subscriber's new hour; retries do not become due earlier."""
    query = (
        select(deliveries.c.id, deliveries.c.attempts, deliveries.c.next_at, editions.c.closed_at, editions.c.cadence)
        .join(editions, editions.c.id == deliveries.c.edition_id)
        .where(deliveries.c.subscriber_id == subscriber_id, deliveries.c.state == State.OWED)
    )
    for row in (await connection.execute(query)).all():
        booked = rebook(rhythm, row.closed_at, now, is_note=row.cadence == NOTE)
        next_at = max(booked.due_at, row.next_at) if row.attempts else booked.due_at
        await connection.execute(
            update(deliveries)
            .where(deliveries.c.id == row.id, deliveries.c.state == State.OWED)
            .values(due_at=booked.due_at, next_at=next_at, expires_at=booked.expires_at)
        )
