"""What became of one reader's deliveries, looked back on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Row, Select, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model import Cadence, Reason, State
from bot.store.schema import deliveries, editions, subscribers

UNREAD = 30
"""So many of the newest editions that nobody was owed are looked at."""
IN_A_ROW = 10
"""So far back is looked for editions in a row of which nothing was left."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One edition that was owed to the reader, and what became of it."""

    cadence: Cadence
    day: date
    state: State
    reason: str | None
    due_at: datetime
    next_at: datetime
    ended_at: datetime | None
    attempts: int


async def entry(connection: AsyncConnection, subscriber_id: int, edition_id: int) -> Entry | None:
    """What became of one edition, None where it was not owed to this reader."""
    query = _entries(subscriber_id).where(editions.c.id == edition_id)
    row = (await connection.execute(query)).one_or_none()
    return None if row is None else _entry(row)


async def had_readers(connection: AsyncConnection, edition_id: int) -> bool:
    """Whether an edition was owed to anybody, or went to the archive alone."""
    return bool(await connection.scalar(select(editions.c.audience).where(editions.c.id == edition_id)))


async def entries(connection: AsyncConnection, subscriber_id: int) -> list[Entry]:
    """What became of every edition that is still remembered one by one, the newest first."""
    return [_entry(row) for row in await connection.execute(_newest_first(subscriber_id))]


async def barren(connection: AsyncConnection, subscriber_id: int, before: int) -> int:
    """How many editions in a row, before this one and of its cadence, the reader's filters left nothing of."""
    cadence = select(editions.c.cadence).where(editions.c.id == before).scalar_subquery()
    day = select(editions.c.day).where(editions.c.id == before).scalar_subquery()
    query = _newest_first(subscriber_id).where(editions.c.cadence == cadence, editions.c.day < day).limit(IN_A_ROW)
    count = 0
    for row in await connection.execute(query):
        if row.state != State.SKIPPED or row.reason != Reason.NO_MATCH:
            break
        count += 1
    return count


async def missed(connection: AsyncConnection, delivery_ids: Sequence[int]) -> Mapping[int, tuple[date, ...]]:
    """For each delivery, the days of the editions that its reader has missed since they were last sent one.

    They expired before they could be delivered, or were closed so late that they went to the archive alone. Most
    readers have missed nothing, and cost one look into an index that holds only what expired.
    """
    found: defaultdict[int, set[date]] = defaultdict(set)
    unread = select(editions.c.id).where(editions.c.audience == 0).order_by(editions.c.day.desc()).limit(UNREAD)
    archive = list(await connection.scalars(unread))
    for query in (_lost(delivery_ids), _archived(delivery_ids, archive)):
        for delivery_id, day in await connection.execute(query):
            found[delivery_id].add(day)
    return {delivery_id: tuple(sorted(days)) for delivery_id, days in found.items()}


def _lost(delivery_ids: Sequence[int]) -> Select[int, date]:
    """Earlier editions that expired."""
    lost, edition, theirs = deliveries.alias(), editions.alias(), editions.alias()
    return (
        select(deliveries.c.id, theirs.c.day)
        .join(edition, edition.c.id == deliveries.c.edition_id)
        .join(lost, lost.c.subscriber_id == deliveries.c.subscriber_id)
        .join(theirs, theirs.c.id == lost.c.edition_id)
        .where(
            deliveries.c.id.in_(delivery_ids),
            lost.c.state == State.EXPIRED,
            theirs.c.cadence == edition.c.cadence,
            theirs.c.day < edition.c.day,
            ~_sent_between(theirs, edition),
        )
    )


def _archived(delivery_ids: Sequence[int], archive: Sequence[int]) -> Select[int, date]:
    """Earlier editions out of those that nobody was owed, closed while this one's reader was there."""
    edition, theirs = editions.alias(), editions.alias()
    return (
        select(deliveries.c.id, theirs.c.day)
        .join(subscribers, subscribers.c.id == deliveries.c.subscriber_id)
        .join(edition, edition.c.id == deliveries.c.edition_id)
        .join(theirs, theirs.c.cadence == edition.c.cadence)
        .where(
            deliveries.c.id.in_(delivery_ids),
            theirs.c.id.in_(archive),
            theirs.c.day < edition.c.day,
            theirs.c.closed_at > subscribers.c.created_at,
            ~_sent_between(theirs, edition),
        )
    )


def _sent_between(theirs: FromClause, edition: FromClause) -> ColumnElement[bool]:
    """Whether the reader was sent an edition after one that they missed and before the one that is at hand."""
    sent, of_sent = deliveries.alias(), editions.alias()
    return (
        select(sent.c.id)
        .join(of_sent, of_sent.c.id == sent.c.edition_id)
        .where(
            sent.c.subscriber_id == deliveries.c.subscriber_id,
            sent.c.state == State.SENT,
            of_sent.c.cadence == edition.c.cadence,
            of_sent.c.day > theirs.c.day,
            of_sent.c.day < edition.c.day,
        )
        .exists()
    )


def _entries(subscriber_id: int) -> Select[Any]:
    return (
        select(
            editions.c.cadence,
            editions.c.day,
            deliveries.c.state,
            deliveries.c.reason,
            deliveries.c.due_at,
            deliveries.c.next_at,
            deliveries.c.ended_at,
            deliveries.c.attempts,
        )
        .join(editions, editions.c.id == deliveries.c.edition_id)
        .where(deliveries.c.subscriber_id == subscriber_id)
    )


def _newest_first(subscriber_id: int) -> Select[Any]:
    return _entries(subscriber_id).order_by(editions.c.day.desc(), editions.c.id.desc())


def _entry(row: Row[Any]) -> Entry:
    values = row._asdict()
    return Entry(**values | {"cadence": Cadence(row.cadence), "state": State(row.state)})
