"""Claim deliveries that are due, and give back what was claimed and not sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Integer,
    Select,
    String,
    all_,
    and_,
    bindparam,
    case,
    func,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.dml import ReturningUpdate

from bot.model import NOTE, Delivery, Reader, Reason, State, Status
from bot.rules.outcomes import REJECTIONS
from bot.store import reader_history
from bot.store.preference_columns import names, reader
from bot.store.schema import choices, deliveries, editions, reason_columns, renderings, subscribers
from bot.store.subscriber_queries import extras

NEW = timedelta(days=45)
"""Time after subscribing in which an edition may be a reader's first; those who read monthly wait longest. Old
deliveries are deleted, so that a reader who was sent nothing for long looks like a new one."""


async def claim(
    connection: AsyncConnection, channel: str, *, owner: str, now: datetime, limit: int, expires: bool = True
) -> list[Delivery]:
    """Mark up to `limit` due deliveries as `sending` by `owner` and return them.

    Those past their time expire, or without `expires`, which is for a clock in doubt, stay owed.

    One statement on both databases: a row that another process took meanwhile is skipped (PostgreSQL) or no
    longer owed (SQLite). The first claim also fixes the reader's choice in the row, and so what the message says.
    """
    if limit <= 0:
        return []
    given = claim_parameters(channel, owner=owner, now=now, limit=limit, expires=expires)
    rows = await connection.execute(claim_statement(), given)
    return await load(connection, [delivery_id for delivery_id, state in rows if state == State.SENDING])


def claim_parameters(channel: str, *, owner: str, now: datetime, limit: int, expires: bool) -> dict[str, object]:
    """What `claim_statement` is given."""
    return {"of": channel, "by": owner, "at": now, "most": limit, "until": None if expires else now}


@cache
def claim_statement() -> ReturningUpdate[int, str]:
    """The statement of `claim`, built once: building it takes as long as the database takes to carry it out."""
    channel, owner, most = (
        bindparam("of", type_=String),
        bindparam("by", type_=String),
        bindparam("most", type_=Integer),
    )
    now = bindparam("at", type_=deliveries.c.next_at.type)
    until = bindparam("until", type_=deliveries.c.expires_at.type)
    due = (
        select(deliveries.c.id)
        .where(deliveries.c.channel == channel, deliveries.c.state == State.OWED, deliveries.c.next_at <= now)
        .where(or_(until.is_(None), deliveries.c.expires_at > until))
        .order_by(deliveries.c.next_at)
        .limit(most)
        .with_for_update(skip_locked=True)
        .cte("due")  # PostgreSQL may run a subquery more than once, and then lock and claim more than the limit
    )
    chosen = select(subscribers.c.choice_id).where(subscribers.c.id == deliveries.c.subscriber_id).scalar_subquery()
    late = deliveries.c.expires_at <= now
    # A reader who paused or left while a message was in flight is not sent it again.
    inactive = (
        ~select(subscribers.c.id)
        .where(subscribers.c.id == deliveries.c.subscriber_id, subscribers.c.status == Status.ACTIVE)
        .exists()
    )
    reasons = {
        name: case((late, too_late), (inactive, reason_columns(Reason.INACTIVE)[name]), else_=deliveries.c[name])
        for name, too_late in _too_late().items()
    }
    return (
        update(deliveries)
        .where(deliveries.c.id.in_(select(due.c.id)), deliveries.c.state == State.OWED)
        .values(
            state=case((late, State.EXPIRED.value), (inactive, State.SKIPPED.value), else_=State.SENDING.value),
            owner=case((late, None), (inactive, None), else_=owner),
            ended_at=case((late, now), (inactive, now), else_=None),
            attempts=deliveries.c.attempts + case((late, 0), (inactive, 0), else_=1),
            choice_id=func.coalesce(deliveries.c.choice_id, chosen),
            **reasons,
        )
        .returning(deliveries.c.id, deliveries.c.state)
    )


def _too_late() -> dict[str, ColumnElement[str]]:
    """The reason of a delivery that expires: why its last attempt failed, if it had one."""
    return {name: func.coalesce(deliveries.c[name], value) for name, value in reason_columns(Reason.TOO_LATE).items()}


async def postpone(
    connection: AsyncConnection, until: Mapping[int, datetime], *, owner: str, expires: bool = True
) -> None:
    """Give back what was just claimed, each delivery due at its instant, as if it had not been claimed.

    What that is too late for expires, unless without `expires`.
    """
    row = update(deliveries).where(deliveries.c.id == bindparam("delivery_id"), deliveries.c.owner == owner)
    at = bindparam("at", type_=deliveries.c.next_at.type)
    late = and_(literal(expires), deliveries.c.expires_at <= at)
    values = {
        "state": case((late, State.EXPIRED.value), else_=State.OWED.value),
        "ended_at": case((late, at), else_=None),
        **{name: case((late, value), else_=deliveries.c[name]) for name, value in _too_late().items()},
    }
    await connection.execute(
        row.values(next_at=at, owner=None, attempts=deliveries.c.attempts - 1, **values),
        [{"delivery_id": delivery_id, "at": instant} for delivery_id, instant in until.items()],
    )


async def release(connection: AsyncConnection, channel: str, *, owner: str, but: Sequence[int]) -> None:
    """Give back what `owner` claimed and never started: everything `but` the deliveries with these ids."""
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


async def expire(connection: AsyncConnection, channel: str, *, now: datetime) -> int:
    """Expire what is past its time on a channel that claims nothing just now; returns how many there were."""
    late = update(deliveries).where(
        deliveries.c.channel == channel, deliveries.c.state == State.OWED, deliveries.c.expires_at <= now
    )
    return (await connection.execute(late.values(state=State.EXPIRED.value, ended_at=now, **_too_late()))).rowcount


async def next_due(connection: AsyncConnection, channel: str, *, after: datetime | None = None) -> datetime | None:
    """When the next delivery of a channel is due; None where none is owed. With `after`: of those that expire later."""
    query = select(func.min(deliveries.c.next_at)).where(
        deliveries.c.channel == channel, deliveries.c.state == State.OWED
    )
    if after is not None:
        query = query.where(deliveries.c.expires_at > after)
    at: datetime | None = await connection.scalar(query)
    return at


async def load(connection: AsyncConnection, ids: Sequence[int]) -> list[Delivery]:
    """The deliveries with these ids, as the dispatcher needs them, in the order in which they are due."""
    if not ids:
        return []
    result = await connection.execute(_load_statement(), {"claimed": list(ids)})
    columns, rows = tuple(result.keys()), result.all()
    candidates = candidates_of(rows, columns)
    return deliveries_of(rows, columns, await reader_history.missed(connection, candidates) if candidates else {})


def candidates_of(rows: Sequence[Sequence[Any]], columns: Sequence[str]) -> list[int]:
    """The deliveries in the rows of a loading statement whose readers may have missed an edition."""
    place = columns.index("may_have_missed")
    return [row[0] for row in rows if row[place]]


def deliveries_of(
    rows: Sequence[Sequence[Any]], columns: Sequence[str], missed: Mapping[int, tuple[date, ...]]
) -> list[Delivery]:
    """The deliveries in the rows of a loading statement, with the days that their readers `missed`."""
    preferences, nothing_sent = reader(tuple(columns)), columns.index("nothing_sent")
    found = []
    for row in rows:  # by place, since this is done for every message
        delivery_id, edition_id, subscriber_id, due_at, expires_at, attempts, repeats, rejections = row[:8]
        fell_back, to, extras_stored, subscribed_at, is_note = row[8:13]
        found.append(
            Delivery(
                id=delivery_id,
                edition_id=edition_id,
                reader=Reader(
                    subscriber_id,
                    to,
                    preferences(row),
                    extras(extras_stored),
                    subscribed_at,
                    is_first=not is_note and bool(row[nothing_sent]) and due_at - subscribed_at < NEW,
                ),
                due_at=due_at,
                expires_at=expires_at,
                attempts=attempts,
                repeats=repeats,
                rejections=rejections,
                fell_back=bool(fell_back),
                missed=missed.get(delivery_id, ()),
                is_note=bool(is_note),
            )
        )
    return found


@cache
def load_claimed_statement() -> Select[Any]:
    """Loads what an owner (`by`) has claimed on a channel (`of`) and does not have in flight (`busy`) already."""
    busy = bindparam("busy", type_=ARRAY(BigInteger))
    return _loading().where(
        deliveries.c.channel == bindparam("of", type_=String),
        deliveries.c.owner == bindparam("by", type_=String),
        deliveries.c.state == State.SENDING,
        deliveries.c.id != all_(busy),
    )


@cache
def _load_statement() -> Select[Any]:
    return _loading().where(deliveries.c.id.in_(bindparam("claimed", expanding=True)))


@cache
def _loading() -> Select[Any]:
    """What is loaded of deliveries, the first columns by place; which ones is left to say."""
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
            or_(func.coalesce(renderings.c.fell_back, False), deliveries.c.rejections >= REJECTIONS).label("fell_back"),
            subscribers.c.recipient,
            subscribers.c.extras,
            subscribers.c.created_at,
            (editions.c.cadence == NOTE).label("is_note"),
            reader_history.may_have_missed().label("may_have_missed"),
            reader_history.nothing_sent().label("nothing_sent"),
            *(subscribers.c[name] for name in names(shaping=False)),
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
        .order_by(deliveries.c.next_at, deliveries.c.id)
    )
