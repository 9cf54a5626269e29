"""Operator queries: find deliveries, requeue or cancel them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model import Kind, Reason, State, Status, kind_of
from bot.rules.schedule import LIFETIME, Rhythm, waking
from bot.store.accounts import reaching_now
from bot.store.edition_queries import with_deliveries
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

    async def editions(self, connection: AsyncConnection) -> Sequence[int]:
        """The editions whose deliveries may match, the newest first."""
        wanted: list[ColumnElement[bool]] = []
        if self.day is not None:
            wanted.append(editions.c.day == self.day)
        if self.cadence is not None:
            wanted.append(editions.c.cadence == self.cadence)
        return await with_deliveries(connection, *wanted)

    def conditions(self) -> list[ColumnElement[bool]]:
        """The filter on deliveries of these editions."""
        found: list[ColumnElement[bool]] = []
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
    """The newest `limit` deliveries that match, of the newest editions; 0 for all."""
    query = (
        select(*delivery_columns(DeliveryLine))
        .join(editions, editions.c.id == deliveries.c.edition_id)
        .where(*wanted.conditions())
        .order_by(deliveries.c.id.desc())
    )
    rows: list[dict[str, Any]] = []
    for edition_id in await wanted.editions(connection):
        if limit and len(rows) == limit:
            break
        of_it = query.where(deliveries.c.edition_id == edition_id).limit(limit - len(rows) if limit else None)
        rows += [row._asdict() for row in await connection.execute(of_it)]
    return [DeliveryLine(**row | {"cadence": kind_of(row["cadence"]), "state": State(row["state"])}) for row in rows]


async def count_retryable(connection: AsyncConnection, wanted: DeliveryFilter) -> int:
    """How many deliveries `retry` would requeue."""
    chosen = _retryable(wanted, await wanted.editions(connection))
    return int(await connection.scalar(chosen.with_only_columns(func.count())) or 0)


async def count_droppable(connection: AsyncConnection, wanted: DeliveryFilter) -> int:
    """How many deliveries `drop` would cancel."""
    chosen = _droppable(wanted, await wanted.editions(connection))
    return int(await connection.scalar(chosen.with_only_columns(func.count())) or 0)


async def retry(connection: AsyncConnection, wanted: DeliveryFilter, *, now: datetime) -> int:
    """Requeue deliveries for when each reader may next be disturbed. Returns how many there were.

    Only for active readers, and nothing that a newer edition superseded. Unconfirmed deliveries count as repeated.
    """
    ids = await wanted.editions(connection)
    chosen = _retryable(wanted, ids)
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
                .where(deliveries.c.state.in_(RETRYABLE), deliveries.c.edition_id.in_(ids))
                .values(
                    state=State.OWED.value,
                    channel=reaching_now,
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
    ids = await wanted.editions(connection)
    chosen = deliveries.c.id.in_(_droppable(wanted, ids)), deliveries.c.edition_id.in_(ids)
    result = await connection.execute(
        update(deliveries)
        .where(*chosen, deliveries.c.state.in_(DROPPABLE))
        .values(state=State.SKIPPED.value, owner=None, ended_at=now, **reason_columns(Reason.DROPPED))
    )
    return result.rowcount


def _by_instant(rhythms: Iterable[Rhythm], now: datetime) -> Iterable[tuple[datetime, list[Rhythm]]]:
    """Rhythms, grouped by when their readers may next be disturbed."""
    found: defaultdict[datetime, list[Rhythm]] = defaultdict(list)
    for rhythm in rhythms:
        found[waking(rhythm, now)].append(rhythm)
    return found.items()


def _retryable(wanted: DeliveryFilter, ids: Sequence[int]) -> Select[tuple[int]]:
    return (
        _chosen(wanted, ids)
        .join(subscribers, subscribers.c.id == deliveries.c.subscriber_id)
        .where(
            deliveries.c.state.in_(RETRYABLE),
            func.coalesce(deliveries.c.reason_code, "") != Reason.SUPERSEDED,
            subscribers.c.status == Status.ACTIVE,
        )
    )


def _droppable(wanted: DeliveryFilter, ids: Sequence[int]) -> Select[tuple[int]]:
    return _chosen(wanted, ids).where(deliveries.c.state.in_(DROPPABLE))


def _chosen(wanted: DeliveryFilter, ids: Sequence[int]) -> Select[tuple[int]]:
    return select(deliveries.c.id).where(deliveries.c.edition_id.in_(ids), *wanted.conditions())
