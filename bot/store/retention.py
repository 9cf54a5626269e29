"""Retention: old deliveries are folded into counts, week by week, and an edition's sums hold at every instant.

On PostgreSQL a partition whose editions are all that old is dropped as a whole; other rows are deleted, as on SQLite.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model import Reason, State
from bot.store import partitions
from bot.store.database import Store
from bot.store.edition_queries import with_deliveries
from bot.store.partitions import InUseError, Partition
from bot.store.schema import deliveries, delivery_counts, editions, reason_columns
from bot.store.upsert import insert

KEEP = timedelta(days=60)
"""Time after its edition closed for which a delivery is kept at most."""
WEEK = timedelta(days=7)

BATCH = 5_000  # rows in one transaction
ON_ITS_WAY = (State.OWED, State.SENDING)
ENDED = [state for state in State if state not in ON_ITS_WAY]
MAY_CHANGE = (*ON_ITS_WAY, State.UNKNOWN)
"""States of deliveries that something may still become of; while it holds one, no partition is dropped."""


def kept_from(now: datetime) -> datetime:
    """When the first edition closed whose deliveries are kept at `now`: those of a week go together."""
    return partitions.week_of(now - KEEP) + WEEK


async def fold_old(store: Store, *, before: datetime, batch: int = BATCH) -> int:
    """Replace the deliveries of editions closed before `before` by counts. Returns how many there were.

    What such an edition still owes expires first. Each batch is its own transaction, so that other writers do not wait
    long. Raises InUseError where a partition cannot be dropped just now; what was folded before remains so.
    """
    dropped = await _old_partitions(store, before)
    async with store.read() as connection:
        old = await with_deliveries(connection, editions.c.closed_at < before)
    folded = 0
    for edition_id in old:
        while await _expire(store, edition_id, batch):
            pass
        whole = any(each.holds(edition_id) for each in dropped)
        while counted := await _fold_batch(store, edition_id, [State.UNKNOWN] if whole else ENDED, batch):
            folded += counted
    for partition in dropped:
        folded += await _drop(store, partition)
    return folded


async def _expire(store: Store, edition_id: int, batch: int) -> int:
    ends = {
        "state": State.EXPIRED.value,
        "owner": None,
        "ended_at": deliveries.c.expires_at,
        **reason_columns(Reason.TOO_LATE),
    }
    async with store.write() as connection:
        rows = update(deliveries).where(*_some(edition_id, ON_ITS_WAY, batch))
        return (await connection.execute(rows.values(ends))).rowcount


async def _old_partitions(store: Store, before: datetime) -> Sequence[Partition]:
    """The partitions to which no edition will be added, and all of whose editions closed before `before`."""
    if store.path is not None:
        return []
    async with store.read() as connection:
        upcoming = await partitions.next_edition_id(connection)
        young = await connection.scalar(select(func.min(editions.c.id)).where(editions.c.closed_at >= before))
        there = await partitions.partitions(connection)
    return [each for each in there if each.end <= min(upcoming, upcoming if young is None else young)]


async def _drop(store: Store, partition: Partition) -> int:
    """Count a partition's deliveries and drop it. Returns how many there were.

    They are counted before the table is locked: none is added or deleted meanwhile. What an operator requeued meanwhile
    is looked for under the lock.
    """
    name = partition.name
    grouped = f"select edition_id, channel, state, count(*) as count from {name} group by 1, 2, 3"  # noqa: S608 - ours
    changing = " or ".join(f"exists (select from {name} where state = '{state}')" for state in MAY_CHANGE)
    async with partitions.changing(store) as connection:
        rows = await connection.execute(text(grouped))
        counted = Counter({(row.edition_id, row.channel, row.state): row.count for row in rows})
        await _add(connection, counted)
        await connection.execute(text(f"lock table only deliveries, only {name} in access exclusive mode"))
        if await connection.scalar(text(f"select {changing}")):
            raise InUseError(f"{name} holds deliveries that may still change")
        await connection.execute(text(f"drop table {name}"))
    return counted.total()


async def _fold_batch(store: Store, edition_id: int, states: Sequence[State], batch: int) -> int:
    """Count exactly what is deleted: the DELETE returns it."""
    async with store.write() as connection:
        deleted = await connection.execute(
            delete(deliveries)
            .where(*_some(edition_id, states, batch))
            .returning(deliveries.c.edition_id, deliveries.c.channel, deliveries.c.state)
        )
        counted = Counter((row.edition_id, row.channel, row.state) for row in deleted)
        await _add(connection, counted)
    return counted.total()


def _some(edition_id: int, states: Sequence[State], batch: int) -> Sequence[ColumnElement[bool]]:
    """The condition for up to `batch` of an edition's deliveries in these states."""
    theirs = deliveries.c.edition_id == edition_id, deliveries.c.state.in_(states)
    return *theirs, deliveries.c.id.in_(select(deliveries.c.id).where(*theirs).limit(batch))


async def _add(connection: AsyncConnection, counted: Counter[tuple[int, str, str]]) -> None:
    if not counted:
        return
    statement = insert(connection, delivery_counts)
    await connection.execute(
        statement.on_conflict_do_update(
            index_elements=["edition_id", "channel", "state"],
            set_={"count": delivery_counts.c["count"] + statement.excluded["count"]},
        ),
        [
            {"edition_id": edition_id, "channel": channel, "state": state, "count": count}
            for (edition_id, channel, state), count in sorted(counted.items())
        ],
    )
