"""A reader's past deliveries: what arrived, what was missed, what failed in a row."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Row, Select, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model import NOTE, Kind, Reason, State, kind_of
from bot.store.schema import deliveries, delivery_columns, editions, is_in, subscribers

UNREAD = 5
"""Newest archive-only editions that are checked for missed ones; a message names three."""
IN_A_ROW = 10
"""Past editions that are checked for a row without a match."""
STRIKES_SEEN = 40
"""Past editions that are checked for a row of failures; more than a month of days."""


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One edition that was owed to the reader, and how its delivery stands."""

    cadence: Kind
    day: date
    state: State
    reason: str | None
    reason_code: Reason | None
    due_at: datetime
    next_at: datetime
    ended_at: datetime | None
    attempts: int
    receipt: str | None


async def entry(connection: AsyncConnection, subscriber_id: int, edition_id: int) -> HistoryEntry | None:
    """The reader's delivery of one edition, None where it was not owed to them."""
    query = _entries(subscriber_id).where(editions.c.id == edition_id)
    row = (await connection.execute(query)).one_or_none()
    return None if row is None else _entry(row)


async def was_for_readers(connection: AsyncConnection, edition_id: int) -> bool:
    """Whether an edition was meant for readers, and not only for the archive."""
    return bool(await connection.scalar(select(editions.c.for_readers).where(editions.c.id == edition_id)))


async def entries(connection: AsyncConnection, subscriber_id: int) -> list[HistoryEntry]:
    """The reader's deliveries that are still stored one by one, the newest first."""
    return [_entry(row) for row in await connection.execute(_newest_first(subscriber_id))]


async def no_match_in_a_row(connection: AsyncConnection, subscriber_id: int, before: int) -> int:
    """Editions of this one's cadence in a row before it that had no match for the reader's filters."""
    query = _past(subscriber_id, before, IN_A_ROW).where(editions.c.id != before)
    count = 0
    for row in await connection.execute(query):
        if row.state != State.SKIPPED or row.reason_code != Reason.NO_MATCH:
            break
        count += 1
    return count


async def strikes(connection: AsyncConnection, subscriber_id: int, edition_id: int) -> list[date]:
    """The days of the editions of this one's cadence in a row up to it that did not reach the reader, newest first.

    Editions that were not sent for other reasons neither count nor end the row.
    """
    query = _past(subscriber_id, edition_id, STRIKES_SEEN)
    days = []
    for row in await connection.execute(query):
        if row.reason_code == Reason.NOT_REACHED:
            days.append(row.day)
        elif row.state == State.SENT:
            break
    return days


def may_have_missed(rows: FromClause) -> ColumnElement[bool]:
    """A cheap condition, loaded with `rows` of deliveries: only where it is true does `missed` have to be asked."""
    lost = deliveries.alias()
    expired = lost.c.subscriber_id == rows.c.subscriber_id, is_in(State.EXPIRED, lost)
    return or_(
        select(lost.c.id).where(*expired).correlate(rows).exists(),
        select(editions.c.id).where(~editions.c.for_readers).correlate(None).exists(),
    )


def nothing_sent(rows: FromClause) -> ColumnElement[bool]:
    """Whether no delivery to the subscriber of one of `rows` is stored that was sent."""
    sent = deliveries.alias()
    arrived = sent.c.subscriber_id == rows.c.subscriber_id, is_in(State.SENT, sent)
    return ~select(sent.c.id).where(*arrived).correlate(rows).exists()


async def missed(connection: AsyncConnection, delivery_ids: Sequence[int]) -> Mapping[int, tuple[date, ...]]:
    """The days of the editions that each delivery's reader has missed since they were last sent one.

    Missed editions expired before delivery, or were closed so late that they went to the archive only. Announcements
    name no missed editions.
    """
    own, theirs, lost = editions.alias(), editions.alias(), deliveries.alias()
    earlier = and_(theirs.c.cadence == own.c.cadence, theirs.c.day < own.c.day, own.c.cadence != NOTE)
    expired = (
        select(deliveries.c.id, theirs.c.day)
        .join(own, own.c.id == deliveries.c.edition_id)
        .join(lost, lost.c.subscriber_id == deliveries.c.subscriber_id)
        .join(theirs, theirs.c.id == lost.c.edition_id)
        .where(deliveries.c.id.in_(delivery_ids), is_in(State.EXPIRED, lost), earlier)
    )
    candidates = [(row.id, row.day) for row in await connection.execute(expired)]
    unread = select(editions.c.id).where(~editions.c.for_readers).order_by(editions.c.day.desc()).limit(UNREAD)
    archive = list(await connection.scalars(unread))
    if archive:
        archived = (
            select(deliveries.c.id, theirs.c.day)
            .join(subscribers, subscribers.c.id == deliveries.c.subscriber_id)
            .join(own, own.c.id == deliveries.c.edition_id)
            .join(theirs, earlier)
            .where(
                deliveries.c.id.in_(delivery_ids),
                theirs.c.id.in_(archive),
                theirs.c.closed_at > subscribers.c.created_at,
            )
        )
        candidates += [(row.id, row.day) for row in await connection.execute(archived)]
    if not candidates:
        return {}
    last = await _last_sent(connection, {delivery_id for delivery_id, _ in candidates})
    found: defaultdict[int, set[date]] = defaultdict(set)
    for delivery_id, day in candidates:
        if day > last.get(delivery_id, date.min):
            found[delivery_id].add(day)
    return {delivery_id: tuple(sorted(days)) for delivery_id, days in found.items()}


async def _last_sent(connection: AsyncConnection, delivery_ids: Collection[int]) -> dict[int, date]:
    """The day of the last edition of its cadence that each delivery's reader was sent before it."""
    own, theirs, sent = editions.alias(), editions.alias(), deliveries.alias()
    query = (
        select(deliveries.c.id, func.max(theirs.c.day).label("day"))
        .join(own, own.c.id == deliveries.c.edition_id)
        .join(sent, sent.c.subscriber_id == deliveries.c.subscriber_id)
        .join(theirs, theirs.c.id == sent.c.edition_id)
        .where(
            deliveries.c.id.in_(delivery_ids),
            is_in(State.SENT, sent),
            theirs.c.cadence == own.c.cadence,
            theirs.c.day < own.c.day,
        )
        .group_by(deliveries.c.id)
    )
    return {row.id: row.day for row in await connection.execute(query)}


def _entries(subscriber_id: int) -> Select[Any]:
    return (
        select(*delivery_columns(HistoryEntry))
        .join(editions, editions.c.id == deliveries.c.edition_id)
        .where(deliveries.c.subscriber_id == subscriber_id)
    )


def _newest_first(subscriber_id: int) -> Select[Any]:
    return _entries(subscriber_id).order_by(editions.c.day.desc(), editions.c.id.desc())


def _past(subscriber_id: int, edition_id: int, most: int) -> Select[Any]:
    """The newest `most` editions of one edition's cadence up to that one."""
    last = select(editions.c.cadence, editions.c.day).where(editions.c.id == edition_id).subquery()
    before = and_(editions.c.cadence == last.c.cadence, editions.c.day <= last.c.day)
    return _newest_first(subscriber_id).join(last, before).limit(most)


def _entry(row: Row[Any]) -> HistoryEntry:
    code = None if row.reason_code is None else Reason(row.reason_code)
    known = {"cadence": kind_of(row.cadence), "state": State(row.state), "reason_code": code}
    return HistoryEntry(**row._asdict() | known)
