"""Unconfirmed deliveries: in flight when their process died, or sent without an answer. They may be sent again."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model import Delivery, Reason, State
from bot.rules.outcomes import MAX_REPEATS
from bot.store.accounts import reaching_now
from bot.store.loaded_deliveries import load
from bot.store.schema import deliveries, is_in, reason_columns

BATCH = 500
"""Deliveries that are looked at in one transaction."""


async def owners_in_flight(connection: AsyncConnection, channel: str) -> set[str]:
    """The owners that have deliveries in flight on a channel, alive or not."""
    query = select(deliveries.c.owner).where(deliveries.c.channel == channel, is_in(State.SENDING))
    return set(await connection.scalars(query.distinct()))


async def mark_unknown(connection: AsyncConnection, channel: str, owner: str, *, now: datetime) -> int:
    """Mark as `unknown` what a dead `owner` had in flight; returns how many deliveries that were."""
    result = await connection.execute(
        update(deliveries)
        .where(deliveries.c.channel == channel, is_in(State.SENDING), deliveries.c.owner == owner)
        .values(state=State.UNKNOWN.value, ended_at=now, owner=None, **reason_columns(Reason.INTERRUPTED))
    )
    return result.rowcount


async def repeatable(connection: AsyncConnection, channel: str, *, now: datetime) -> list[Delivery]:
    """Deliveries of unknown outcome that may be sent again now, at most `BATCH`."""
    return await load(connection, list(await connection.scalars(_repeatable(channel, now).limit(BATCH))))


async def any_repeatable(connection: AsyncConnection, channel: str, *, now: datetime) -> bool:
    """Whether `repeatable` would find anything."""
    return await connection.scalar(_repeatable(channel, now).limit(1)) is not None


async def repeat(connection: AsyncConnection, delivery: Delivery, at: datetime | None) -> None:
    """Requeue a delivery of unknown outcome for `at`; with None it stays as it is, for the operator."""
    row = update(deliveries).where(deliveries.c.id == delivery.id, is_in(State.UNKNOWN))
    if at is None:
        await connection.execute(row.values(next_at=deliveries.c.expires_at))
    else:
        again = {"state": State.OWED.value, "next_at": at, "ended_at": None}
        await connection.execute(row.values(channel=reaching_now, repeats=deliveries.c.repeats + 1, **again))


def may_be_repeated(now: datetime) -> ColumnElement[bool]:
    """The condition for deliveries of unknown outcome that may be sent again, at `now` or later."""
    return and_(
        is_in(State.UNKNOWN),
        deliveries.c.repeats < MAX_REPEATS,
        deliveries.c.next_at < deliveries.c.expires_at,
        deliveries.c.expires_at > now,
    )


def _repeatable(channel: str, now: datetime) -> Select[tuple[int]]:
    return select(deliveries.c.id).where(
        deliveries.c.channel == channel,
        may_be_repeated(now),
        deliveries.c.subscriber_id.is_not(None),  # an erased reader cannot be sent anything
        deliveries.c.next_at <= now,
    )
