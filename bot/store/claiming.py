"""Deliveries on their way: claimed, recorded, counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Integer, Select, String, Update, and_, bindparam, case, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.dml import ReturningUpdate

from bot.model import NOTE, Delivery, Reason, State, Status
from bot.rules.outcomes import REJECTIONS, REPEATS, STRIKE, short
from bot.store import reader_history
from bot.store.preference_columns import TIMING, preferences
from bot.store.schema import choices, deliveries, editions, renderings, subscribers
from bot.store.subscriber_queries import extras

BATCH = 500
CUT_OFF = "the process that was sending it is gone"


@dataclass(frozen=True, slots=True)
class Ending:
    """What a delivery's row becomes after an attempt."""

    delivery_id: int
    state: State
    reason: str | None = None
    receipt: str | None = None
    next_at: datetime | None = None
    rejections: int | None = None
    """None where there were no more of them."""


async def claim(connection: AsyncConnection, channel: str, *, owner: str, now: datetime, limit: int) -> list[Delivery]:
    """Mark up to `limit` due deliveries as `sending` by `owner` and return them; those past their time expire.

    One statement on both databases: a row that another process took meanwhile is skipped (PostgreSQL) or no
    longer owed (SQLite). What a message says is decided here for good: the reader's choice is fixed in the row
    when it is first marked.
    """
    if limit <= 0:
        return []
    given = {"of": channel, "by": owner, "at": now, "most": limit}
    ids = [delivery_id for delivery_id, state in await connection.execute(_claiming(), given) if state == State.SENDING]
    return await _load(connection, ids)


@cache
def _claiming() -> ReturningUpdate[int, str]:
    """The statement of `claim`, built once: building it takes as long as the database takes to carry it out."""
    channel, owner, most = (
        bindparam("of", type_=String),
        bindparam("by", type_=String),
        bindparam("most", type_=Integer),
    )
    now = bindparam("at", type_=deliveries.c.next_at.type)
    due = (
        select(deliveries.c.id)
        .where(deliveries.c.channel == channel, deliveries.c.state == State.OWED, deliveries.c.next_at <= now)
        .order_by(deliveries.c.next_at)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    chosen = select(subscribers.c.choice_id).where(subscribers.c.id == deliveries.c.subscriber_id).scalar_subquery()
    late = deliveries.c.expires_at <= now
    # Who paused or left while a message was in flight is not sent it again.
    away = (
        ~select(subscribers.c.id)
        .where(subscribers.c.id == deliveries.c.subscriber_id, subscribers.c.status == Status.ACTIVE)
        .exists()
    )
    return (
        update(deliveries)
        .where(deliveries.c.id.in_(due), deliveries.c.state == State.OWED)
        .values(
            state=case((late, State.EXPIRED.value), (away, State.SKIPPED.value), else_=State.SENDING.value),
            reason=case(
                (late, func.coalesce(deliveries.c.reason, Reason.TOO_LATE.value)),
                (away, Reason.AWAY.value),
                else_=deliveries.c.reason,
            ),
            owner=case((late, None), (away, None), else_=owner),
            ended_at=case((late, now), (away, now), else_=None),
            attempts=deliveries.c.attempts + case((late, 0), (away, 0), else_=1),
            choice_id=func.coalesce(deliveries.c.choice_id, chosen),
        )
        .returning(deliveries.c.id, deliveries.c.state)
    )


async def put_off(connection: AsyncConnection, until: Mapping[int, datetime], *, owner: str) -> None:
    """Owe what was just claimed again, each at its instant, as if it had not been claimed."""
    row = update(deliveries).where(deliveries.c.id == bindparam("delivery_id"), deliveries.c.owner == owner)
    at = bindparam("at", type_=deliveries.c.next_at.type)
    late = deliveries.c.expires_at <= at
    values = {
        "state": case((late, State.EXPIRED.value), else_=State.OWED.value),
        "reason": case((late, func.coalesce(deliveries.c.reason, Reason.TOO_LATE.value)), else_=deliveries.c.reason),
        "ended_at": case((late, at), else_=None),
    }
    await connection.execute(
        row.values(next_at=at, owner=None, attempts=deliveries.c.attempts - 1, **values),
        [{"delivery_id": delivery_id, "at": instant} for delivery_id, instant in until.items()],
    )


async def release(connection: AsyncConnection, channel: str, *, owner: str, but: Sequence[int]) -> None:
    """Owe again what `owner` claimed and never started: everything `but` these."""
    await connection.execute(
        update(deliveries)
        .where(
            deliveries.c.channel == channel,
            deliveries.c.state == State.SENDING,
            deliveries.c.owner == owner,
            deliveries.c.id.not_in(but),
        )
        .values(state=State.OWED.value, owner=None, attempts=deliveries.c.attempts - 1)
    )


async def record(connection: AsyncConnection, endings: Sequence[Ending], *, owner: str, now: datetime) -> None:
    """Write down what became of attempts, all in the caller's one commit; only rows that are still `owner`'s."""
    if not endings:
        return
    await connection.execute(
        _recording(),
        [
            {
                "by": owner,
                "delivery_id": ending.delivery_id,
                "new_state": ending.state.value,
                "new_reason": ending.reason,
                "new_receipt": ending.receipt,
                "new_next_at": ending.next_at,
                "new_rejections": ending.rejections,
                "new_ended_at": None if ending.state is State.OWED else now,
            }
            for ending in endings
        ],
    )


@cache
def _recording() -> Update:
    """The statement of `record`, built once."""
    return (
        update(deliveries)
        .where(
            deliveries.c.id == bindparam("delivery_id"),
            deliveries.c.owner == bindparam("by"),
            deliveries.c.state == State.SENDING,
        )
        .values(
            state=bindparam("new_state"),
            reason=bindparam("new_reason"),
            receipt=case((deliveries.c.subscriber_id.is_(None), None), else_=bindparam("new_receipt")),
            next_at=func.coalesce(bindparam("new_next_at", type_=deliveries.c.next_at.type), deliveries.c.next_at),
            ended_at=bindparam("new_ended_at", type_=deliveries.c.ended_at.type),
            rejections=func.coalesce(bindparam("new_rejections", type_=Integer), deliveries.c.rejections),
            owner=None,
        )
    )


async def strike(connection: AsyncConnection, edition_id: int, subscriber_id: int, reason: str) -> bool:
    """Write down that a message which had been taken did not reach its reader; False where that is known already."""
    struck = await connection.execute(
        update(deliveries)
        .where(
            deliveries.c.edition_id == edition_id,
            deliveries.c.subscriber_id == subscriber_id,
            deliveries.c.state == State.SENT,
            deliveries.c.reason.is_(None),
        )
        .values(reason=short(f"{STRIKE}{reason}"))
    )
    return struck.rowcount > 0


async def is_theirs(connection: AsyncConnection, delivery: Delivery) -> bool:
    """Whether a delivery is still its reader's; one who was forgotten may have left their number to another."""
    theirs: int | None = await connection.scalar(
        select(deliveries.c.subscriber_id).where(deliveries.c.id == delivery.id)
    )
    return theirs == delivery.subscriber_id


async def expire(connection: AsyncConnection, channel: str, *, now: datetime) -> int:
    """End what is owed past its time on a channel that takes nothing up just now; how many there were."""
    late = update(deliveries).where(
        deliveries.c.channel == channel, deliveries.c.state == State.OWED, deliveries.c.expires_at <= now
    )
    reason = func.coalesce(deliveries.c.reason, Reason.TOO_LATE.value)
    return (await connection.execute(late.values(state=State.EXPIRED.value, reason=reason, ended_at=now))).rowcount


async def owners(connection: AsyncConnection, channel: str) -> set[str]:
    """Whoever has deliveries in flight."""
    query = select(deliveries.c.owner).where(deliveries.c.channel == channel, deliveries.c.state == State.SENDING)
    return set(await connection.scalars(query.distinct()))


async def doubt(connection: AsyncConnection, channel: str, owner: str, *, now: datetime) -> int:
    """Mark as unknown what `owner`, who is gone, had in flight; how many there were."""
    result = await connection.execute(
        update(deliveries)
        .where(deliveries.c.channel == channel, deliveries.c.state == State.SENDING, deliveries.c.owner == owner)
        .values(state=State.UNKNOWN.value, reason=CUT_OFF, ended_at=now, owner=None)
    )
    return result.rowcount


async def unknown(connection: AsyncConnection, channel: str, *, now: datetime) -> list[Delivery]:
    """Deliveries that nobody knows the end of and that may still be sent again."""
    return await _load(connection, list(await connection.scalars(_repeatable(channel, now).limit(BATCH))))


async def repeat(connection: AsyncConnection, delivery: Delivery, at: datetime | None) -> None:
    """Owe a delivery of unknown end once more, at `at`; with None it stays as it is, for the operator."""
    row = update(deliveries).where(deliveries.c.id == delivery.id, deliveries.c.state == State.UNKNOWN)
    if at is None:
        await connection.execute(row.values(next_at=deliveries.c.expires_at))
    else:
        again = {"state": State.OWED.value, "next_at": at, "ended_at": None}
        await connection.execute(row.values(repeats=deliveries.c.repeats + 1, **again))


async def next_due(connection: AsyncConnection, channel: str) -> datetime | None:
    """When the next delivery of a channel comes up."""
    query = select(func.min(deliveries.c.next_at)).where(
        deliveries.c.channel == channel, deliveries.c.state == State.OWED
    )
    at: datetime | None = await connection.scalar(query)
    return at


async def has_unknown(connection: AsyncConnection, channel: str, *, now: datetime) -> bool:
    """Whether there is anything for `unknown` to find."""
    return await connection.scalar(_repeatable(channel, now).limit(1)) is not None


def _repeatable(channel: str, now: datetime) -> Select[tuple[int]]:
    return select(deliveries.c.id).where(
        deliveries.c.channel == channel,
        deliveries.c.state == State.UNKNOWN,
        deliveries.c.subscriber_id.is_not(None),  # a reader who was forgotten cannot be sent anything
        deliveries.c.repeats < REPEATS,
        deliveries.c.next_at <= now,
        deliveries.c.expires_at > now,
    )


async def _load(connection: AsyncConnection, ids: Sequence[int]) -> list[Delivery]:
    if not ids:
        return []
    rows = (await connection.execute(_loading(), {"claimed": list(ids)})).all()
    behind = [row.delivery_id for row in rows if row.may_have_missed]
    lost = await reader_history.missed(connection, behind) if behind else {}
    return [
        Delivery(
            id=row.delivery_id,
            edition_id=row.edition_id,
            subscriber_id=row.subscriber_id,
            to=row.recipient,
            preferences=preferences(row),
            due_at=row.due_at,
            expires_at=row.expires_at,
            attempts=row.attempts,
            repeats=row.repeats,
            rejections=row.rejections,
            fallen=bool(row.fallen),
            extras=extras(row.extras),
            subscribed_at=row.created_at,
            missed=lost.get(row.delivery_id, ()),
            is_note=bool(row.is_note),
        )
        for row in rows
    ]


@cache
def _loading() -> Select[Any]:
    """The statement of `_load`, built once."""
    return (
        select(
            deliveries.c.id.label("delivery_id"),
            deliveries.c.edition_id,
            deliveries.c.subscriber_id,
            deliveries.c.due_at,
            deliveries.c.expires_at,
            deliveries.c.attempts,
            deliveries.c.repeats,
            deliveries.c.rejections,
            or_(func.coalesce(renderings.c.fallen, False), deliveries.c.rejections >= REJECTIONS).label("fallen"),
            subscribers.c.recipient,
            *(subscribers.c[each.name] for each in TIMING),
            subscribers.c.extras,
            subscribers.c.created_at,
            (editions.c.cadence == NOTE).label("is_note"),
            reader_history.may_have_missed().label("may_have_missed"),
            *(column for column in choices.c if column.name != "id"),
        )
        .join(subscribers, subscribers.c.id == deliveries.c.subscriber_id)
        .join(editions, editions.c.id == deliveries.c.edition_id)
        .join(choices, choices.c.id == deliveries.c.choice_id)
        .outerjoin(
            renderings,
            and_(
                renderings.c.channel == deliveries.c.channel,
                renderings.c.edition_id == deliveries.c.edition_id,
                renderings.c.choice_id == deliveries.c.choice_id,
            ),
        )
        .where(deliveries.c.id.in_(bindparam("claimed", expanding=True)))
        .order_by(deliveries.c.next_at, deliveries.c.id)
    )
