"""Operator queries: find deliveries, requeue or cancel them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import astuple, dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, Select, func, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model import Kind, Reason, State, Status, kind_of
from bot.rules.schedule import LIFETIME, Rhythm, waking
from bot.store.schema import RHYTHM, deliveries, delivery_columns, editions, reason_columns, subscribers

RETRYABLE = (State.UNKNOWN, State.REJECTED, State.EXPIRED, State.BARRED)
DROPPABLE = (State.OWED, State.UNKNOWN)
RHYTHMS = 100
"""Rhythms in one statement."""


@dataclass(frozen=True, slots=True)
class DeliveryFilter:
    """A filter of deliveries; None and False match everything."""

    day: date | None = None
    cadence: Kind | None = None
    channel: str | None = None
    state: State | None = None
    reason: str | None = None
    """Part of the reason's text, in any case."""
    repeated: bool = False
    """Only those that were sent again without confirmation."""

    def conditions(self) -> list[ColumnElement[bool]]:
        """The filter on a query of deliveries joined with their editions."""
        found: list[ColumnElement[bool]] = []
        if self.day is not None:
            found.append(editions.c.day == self.day)
        if self.cadence is not None:
            found.append(editions.c.cadence == self.cadence)
        if self.channel is not None:
            found.append(deliveries.c.channel == self.channel)
        if self.state is not None:
            found.append(deliveries.c.state == self.state)
        if self.reason is not None:
            found.append(deliveries.c.reason.icontains(self.reason, autoescape=True))
        if self.repeated:
            found.append(deliveries.c.repeats > 0)
        return found


@dataclass(frozen=True, slots=True)
class DeliveryLine:
    """A delivery as operators see it: without the address."""

    id: int
    day: date
    cadence: Kind
    channel: str
    subscriber_id: int | None
    state: State
    reason: str | None
    reason_code: str | None
    attempts: int
    repeats: int
    due_at: datetime
    ended_at: datetime | None


async def find(connection: AsyncConnection, wanted: DeliveryFilter, limit: int) -> list[DeliveryLine]:
    """The newest `limit` deliveries that match; 0 for all."""
    query = (
        select(*delivery_columns(DeliveryLine))
        .join(editions, editions.c.id == deliveries.c.edition_id)
        .where(*wanted.conditions())
        .order_by(deliveries.c.id.desc())
        .limit(limit or None)
    )
    rows = (row._asdict() for row in await connection.execute(query))
    return [DeliveryLine(**row | {"cadence": kind_of(row["cadence"]), "state": State(row["state"])}) for row in rows]


async def count_retryable(connection: AsyncConnection, wanted: DeliveryFilter) -> int:
    """How many deliveries `retry` would requeue."""
    return int(await connection.scalar(_retryable(wanted).with_only_columns(func.count())) or 0)


async def count_droppable(connection: AsyncConnection, wanted: DeliveryFilter) -> int:
    """How many deliveries `drop` would cancel."""
    return int(await connection.scalar(_droppable(wanted).with_only_columns(func.count())) or 0)


async def retry(connection: AsyncConnection, wanted: DeliveryFilter, *, now: datetime) -> int:
    """Requeue deliveries for when each reader may next be disturbed. Returns how many there were.

    Only for active readers, and nothing that a newer edition superseded. Unconfirmed deliveries count as repeated.
    """
    chosen = _retryable(wanted)
    reopened = select(deliveries.c.edition_id).where(deliveries.c.id.in_(chosen))
    await connection.execute(update(editions).where(editions.c.id.in_(reopened)).values(ended_at=None))
    found = await connection.execute(chosen.with_only_columns(*RHYTHM).distinct())
    owed = 0
    for at, group in _by_instant((Rhythm(*row) for row in found), now):
        for start in range(0, len(group), RHYTHMS):
            some = [astuple(each) for each in group[start : start + RHYTHMS]]
            result = await connection.execute(
                update(deliveries)
                .where(deliveries.c.id.in_(chosen.where(tuple_(*RHYTHM).in_(some))))
                .where(deliveries.c.state.in_(RETRYABLE))
                .values(
                    state=State.OWED.value,
                    reason=None,
                    reason_code=None,
                    repeats=deliveries.c.repeats
                    + (deliveries.c.state == State.UNKNOWN).cast(deliveries.c.repeats.type),
                    rejections=0,
                    owner=None,
                    next_at=at,
                    expires_at=now + LIFETIME,
                    ended_at=None,
                )
            )
            owed += result.rowcount
    return owed


async def drop(connection: AsyncConnection, wanted: DeliveryFilter, *, now: datetime) -> int:
    """Cancel deliveries that are owed or unconfirmed. Returns how many there were."""
    result = await connection.execute(
        update(deliveries)
        .where(deliveries.c.id.in_(_droppable(wanted)), deliveries.c.state.in_(DROPPABLE))
        .values(state=State.SKIPPED.value, owner=None, ended_at=now, **reason_columns(Reason.DROPPED))
    )
    return result.rowcount


def _by_instant(rhythms: Iterable[Rhythm], now: datetime) -> Iterable[tuple[datetime, list[Rhythm]]]:
    """Rhythms, grouped by when their readers may next be disturbed."""
    found: defaultdict[datetime, list[Rhythm]] = defaultdict(list)
    for rhythm in rhythms:
        found[waking(rhythm, now)].append(rhythm)
    return found.items()


def _retryable(wanted: DeliveryFilter) -> Select[tuple[int]]:
    return (
        _chosen(wanted)
        .join(subscribers, subscribers.c.id == deliveries.c.subscriber_id)
        .where(
            deliveries.c.state.in_(RETRYABLE),
            func.coalesce(deliveries.c.reason_code, "") != Reason.SUPERSEDED,
            subscribers.c.status == Status.ACTIVE,
        )
    )


def _droppable(wanted: DeliveryFilter) -> Select[tuple[int]]:
    return _chosen(wanted).where(deliveries.c.state.in_(DROPPABLE))


def _chosen(wanted: DeliveryFilter) -> Select[tuple[int]]:
    return select(deliveries.c.id).join(editions, editions.c.id == deliveries.c.edition_id).where(*wanted.conditions())
