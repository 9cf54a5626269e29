"""Claim deliveries that are due, and give back what was claimed and not sent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    Select,
    String,
    Update,
    and_,
    bindparam,
    case,
    func,
    literal,
    literal_column,
    null,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.dml import ReturningUpdate

from bot.model import Delivery, Reason, State, Status
from bot.store.loaded_deliveries import load, loading_claimed
from bot.store.partitions import few, in_editions
from bot.store.schema import deliveries, is_in, reason_columns, subscribers


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
    """The parameters of these statements."""
    return {"of": channel, "by": owner, "at": now, "most": limit, "until": None if expires else now}


@cache
def claim_statement() -> ReturningUpdate[int, str]:
    """The statement of `claim`, built once: building it takes as long as the database takes to carry it out."""
    return _claiming().returning(deliveries.c.id, deliveries.c.state)


@cache
def claim_and_load_statement(*, onwards: bool) -> Select[Any]:
    """The same on PostgreSQL for some `editions`, which gives what it claimed as it is loaded, and when it was due.

    With `onwards` it looks only behind a place, given as `from_at` and `from_id`: what was sent lately stays in the
    index for as long as anybody holds a snapshot, and a claim from the beginning has to step over all of it.
    """
    claimed = _claiming(in_editions(), onwards=onwards).returning(*deliveries.c).cte("claimed")
    return loading_claimed(claimed).add_columns(claimed.c.next_at).where(is_in(State.SENDING, claimed))


def _claiming(*theirs: ColumnElement[bool], onwards: bool = False) -> Update:
    """Claims what is due among `theirs`."""
    channel, owner, most = (
        bindparam("of", type_=String),
        bindparam("by", type_=String),
        bindparam("most", type_=Integer),
    )
    now = bindparam("at", type_=deliveries.c.next_at.type)
    until = bindparam("until", type_=deliveries.c.expires_at.type)
    query = (
        select(deliveries.c.id, deliveries.c.subscriber_id)
        .where(*theirs, deliveries.c.channel == channel, is_in(State.OWED), deliveries.c.next_at <= now)
        .where(or_(until.is_(None), deliveries.c.expires_at > until))
        .order_by(deliveries.c.next_at, deliveries.c.id)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    if onwards:
        place = tuple_(bindparam("from_at", type_=now.type), bindparam("from_id", type_=BigInteger))
        query = query.where(tuple_(deliveries.c.next_at, deliveries.c.id) > place)
    due = query.cte("due")  # PostgreSQL may run a subquery more than once, and then lock and claim more than the limit
    # Readers are asked for as values: where PostgreSQL expects many rows, it reads all subscribers for a join.
    reader = subscribers.c.id == due.c.subscriber_id
    status, chosen = (
        select(each).where(reader).scalar_subquery() for each in (subscribers.c.status, subscribers.c.choice_id)
    )
    known = select(due.c.id, status.label("status"), chosen.label("choice_id")).cte("known")
    known = known.prefix_with("materialized", dialect="postgresql")  # else it asks for each as often as it is named
    late = deliveries.c.expires_at <= now
    # A reader who paused or left while a message was in flight is not sent it again.
    inactive = func.coalesce(known.c.status, "") != Status.ACTIVE
    reasons = {
        name: case((late, too_late), (inactive, reason_columns(Reason.INACTIVE)[name]), else_=deliveries.c[name])
        for name, too_late in _too_late().items()
    }
    return (
        update(deliveries)
        .where(*theirs, deliveries.c.id == known.c.id, few(known.c.id), is_in(State.OWED))
        .values(
            state=case((late, State.EXPIRED.value), (inactive, State.SKIPPED.value), else_=State.SENDING.value),
            owner=case((late, None), (inactive, None), else_=owner),
            ended_at=case((late, now), (inactive, now), else_=None),
            attempts=deliveries.c.attempts + case((late, 0), (inactive, 0), else_=1),
            choice_id=func.coalesce(deliveries.c.choice_id, known.c.choice_id),
            **reasons,
        )
    )


@cache
def claim_one_statement() -> Update:
    """Marks one delivery that is due (`delivery_id`) as `sending` by an owner (`by`), with its reader's `choice`."""
    return (
        update(deliveries)
        .where(deliveries.c.id == bindparam("delivery_id"), is_in(State.OWED))
        .values(
            state=literal_column(f"'{State.SENDING.value}'"),
            owner=bindparam("by", type_=String),
            ended_at=null(),
            attempts=deliveries.c.attempts + literal_column("1"),
            choice_id=bindparam("choice", type_=BigInteger),
        )
    )


def _too_late() -> dict[str, ColumnElement[str]]:
    """The reason of a delivery that expires: why its last attempt failed, if it had one."""
    return {name: func.coalesce(deliveries.c[name], value) for name, value in reason_columns(Reason.TOO_LATE).items()}


async def postpone(
    connection: AsyncConnection, until: Sequence[tuple[Delivery, datetime]], *, owner: str, expires: bool = True
) -> None:
    """Give back what was just claimed, each delivery due at its instant, as if it had not been claimed.

    What that is too late for expires, unless without `expires`.
    """
    row = update(deliveries).where(
        deliveries.c.id == bindparam("delivery_id"),
        deliveries.c.edition_id == bindparam("of_edition"),
        deliveries.c.owner == owner,
    )
    at = bindparam("at", type_=deliveries.c.next_at.type)
    late = and_(literal(expires), deliveries.c.expires_at <= at)
    values = {
        "state": case((late, State.EXPIRED.value), else_=State.OWED.value),
        "ended_at": case((late, at), else_=None),
        **{name: case((late, value), else_=deliveries.c[name]) for name, value in _too_late().items()},
    }
    await connection.execute(
        row.values(next_at=at, owner=None, attempts=deliveries.c.attempts - 1, **values),
        [{"delivery_id": each.id, "of_edition": each.edition_id, "at": instant} for each, instant in until],
    )


async def release(connection: AsyncConnection, *, owner: str, but: Sequence[int]) -> None:
    """Give back what `owner` claimed and never started: everything `but` the deliveries with these ids.

    On whatever channel: some may have been handed over to another account meanwhile.
    """
    await connection.execute(
        update(deliveries)
        .where(is_in(State.SENDING), deliveries.c.owner == owner, deliveries.c.id.not_in(but))
        .values(state=State.OWED.value, owner=None, attempts=deliveries.c.attempts - 1)
    )


async def expire(connection: AsyncConnection, channel: str, *, now: datetime) -> int:
    """Expire what is past its time on a channel that claims nothing just now; returns how many there were."""
    late = update(deliveries).where(deliveries.c.channel == channel, is_in(State.OWED), deliveries.c.expires_at <= now)
    return (await connection.execute(late.values(state=State.EXPIRED.value, ended_at=now, **_too_late()))).rowcount


async def next_due(connection: AsyncConnection, channel: str, *, after: datetime | None = None) -> datetime | None:
    """When the next delivery of a channel is due; None where none is owed. With `after`: of those that expire later."""
    query = select(func.min(deliveries.c.next_at)).where(deliveries.c.channel == channel, is_in(State.OWED))
    if after is not None:
        query = query.where(deliveries.c.expires_at > after)
    at: datetime | None = await connection.scalar(query)
    return at
