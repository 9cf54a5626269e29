"""Deliveries as the dispatcher needs them, with their readers, choices, and the outcomes of earlier ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Integer,
    Select,
    String,
    and_,
    bindparam,
    case,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model import NOTE, Delivery, Reader, State, Status
from bot.rules.outcomes import REJECTIONS
from bot.store import reader_history
from bot.store.preference_columns import names, reader
from bot.store.schema import choices, deliveries, editions, is_in, renderings, subscribers
from bot.store.subscriber_queries import extras

NEW = timedelta(days=45)
"""Time after subscribing in which an edition may be a reader's first; those who read monthly wait longest. Old
deliveries are deleted, so that a reader who was sent nothing for long looks like a new one."""


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
    rows: Sequence[Sequence[Any]],
    columns: Sequence[str],
    missed: Mapping[int, tuple[date, ...]],
    instant: Callable[[Any], datetime] = lambda stored: stored,
) -> list[Delivery]:
    """The deliveries in the rows of a loading statement, with the days that their readers `missed`.

    `instant` makes instants of what the driver gives for them, where the rows were not asked for by SQLAlchemy.
    """
    preferences, nothing_sent = reader(tuple(columns)), columns.index("nothing_sent")
    found = []
    for row in rows:  # by place, since this is done for every message
        delivery_id, edition_id, subscriber_id, due_at, expires_at, attempts, repeats, rejections = row[:8]
        fell_back, to, extras_stored, subscribed_at, is_note = row[8:13]
        due_at, expires_at, subscribed_at = instant(due_at), instant(expires_at), instant(subscribed_at)
        is_first = not is_note and bool(row[nothing_sent]) and due_at - subscribed_at < NEW
        given = extras(extras_stored)
        found.append(
            Delivery(
                id=delivery_id,
                edition_id=edition_id,
                reader=Reader(subscriber_id, to, preferences(row), given, subscribed_at, is_first=is_first),
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
def due_statement() -> Select[Any]:
    """Loads up to `most` deliveries of a channel (`of`) that are due `at` an instant, as a claim would make them.

    The columns `attempts`, `choice_id` and `is_plain` say what is to be written to claim them; one that is not plain
    has another end than being sent: it is too late, or its reader has left. `until` is as `claim` takes it.
    """
    now, until = (
        bindparam("at", type_=deliveries.c.next_at.type),
        bindparam("until", type_=deliveries.c.expires_at.type),
    )
    choice = func.coalesce(deliveries.c.choice_id, subscribers.c.choice_id)
    plain = and_(subscribers.c.status == Status.ACTIVE, deliveries.c.expires_at > now)
    return (
        _loading(choice_id=choice, attempts=deliveries.c.attempts + 1)
        .add_columns(choice.label("choice_id"), plain.label("is_plain"))
        .where(deliveries.c.channel == bindparam("of", type_=String), is_in(State.OWED), deliveries.c.next_at <= now)
        .where(or_(until.is_(None), deliveries.c.expires_at > until))
        .limit(bindparam("most", type_=Integer))
    )


@cache
def _load_statement() -> Select[Any]:
    return _loading().where(deliveries.c.id.in_(bindparam("claimed", expanding=True)))


def loading_claimed(rows: FromClause) -> Select[Any]:
    """What is loaded of `rows` that a statement on PostgreSQL has just claimed."""
    # Whether a reader was sent nothing is looked for in every partition, so only of readers of whom it is asked.
    is_new = subscribers.c.created_at > rows.c.due_at - literal(NEW)
    return _loading(rows, nothing_sent=case((is_new, reader_history.nothing_sent(rows)), else_=False))


def _loading(
    rows: FromClause = deliveries,
    *,
    choice_id: ColumnElement[int] | None = None,
    attempts: ColumnElement[int] | None = None,
    nothing_sent: ColumnElement[bool] | None = None,
) -> Select[Any]:
    """What is loaded of deliveries, the first columns by place; which ones is left to say.

    `rows` has the columns of deliveries, perhaps as a statement left them.
    """
    choice_id = rows.c.choice_id if choice_id is None else choice_id
    return (
        select(
            rows.c.id.label("delivery_id"),
            rows.c.edition_id,
            rows.c.subscriber_id,
            rows.c.due_at,
            rows.c.expires_at,
            rows.c.attempts if attempts is None else attempts,
            rows.c.repeats,
            rows.c.rejections,
            or_(func.coalesce(renderings.c.fell_back, False), rows.c.rejections >= REJECTIONS).label("fell_back"),
            subscribers.c.recipient,
            subscribers.c.extras,
            subscribers.c.created_at,
            (editions.c.cadence == NOTE).label("is_note"),
            reader_history.may_have_missed(rows).label("may_have_missed"),
            (reader_history.nothing_sent(rows) if nothing_sent is None else nothing_sent).label("nothing_sent"),
            *(subscribers.c[name] for name in names(shaping=False)),
            *(column for column in choices.c if column.name != "id"),
        )
        .select_from(rows)
        .join(subscribers, subscribers.c.id == rows.c.subscriber_id)
        .join(editions, editions.c.id == rows.c.edition_id)
        .join(choices, choices.c.id == choice_id)
        .outerjoin(
            renderings,
            and_(
                renderings.c.channel == rows.c.channel,
                renderings.c.edition_id == rows.c.edition_id,
                renderings.c.choice_id == choice_id,
            ),
        )
        .order_by(rows.c.next_at, rows.c.id)
    )
