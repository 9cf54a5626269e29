"""Retention: old deliveries are folded into counts, and an edition's sums hold at every instant."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model import Reason, State
from bot.store.database import Store
from bot.store.schema import deliveries, delivery_counts, editions, reason_columns
from bot.store.upsert import insert

KEEP = timedelta(days=60)
"""Time after its edition closed for which a delivery is kept."""

BATCH = 5_000
ON_ITS_WAY = (State.OWED, State.SENDING)


async def fold_old(store: Store, *, before: datetime, batch: int = BATCH) -> int:
    """Replace the deliveries of editions closed before `before` by counts. Returns how many there were.

    What such an edition still owes expires first. Each batch is its own transaction, so that other writers do not wait
    long.
    """
    while await _expire(store, before, batch):
        pass
    folded = 0
    while counted := await _fold_batch(store, before, batch):
        folded += counted
    return folded


async def _expire(store: Store, before: datetime, batch: int) -> int:
    ids = _old(before, batch, deliveries.c.state.in_(ON_ITS_WAY))
    ends = {
        "state": State.EXPIRED.value,
        "owner": None,
        "ended_at": deliveries.c.expires_at,
        **reason_columns(Reason.TOO_LATE),
    }
    async with store.write() as connection:
        rows = update(deliveries).where(deliveries.c.id.in_(ids), deliveries.c.state.in_(ON_ITS_WAY))
        return (await connection.execute(rows.values(ends))).rowcount


async def _fold_batch(store: Store, before: datetime, batch: int) -> int:
    """Count exactly what is deleted: the DELETE returns it."""
    ended = deliveries.c.state.not_in(ON_ITS_WAY)
    async with store.write() as connection:
        deleted = await connection.execute(
            delete(deliveries)
            .where(deliveries.c.id.in_(_old(before, batch, ended)), ended)
            .returning(deliveries.c.edition_id, deliveries.c.channel, deliveries.c.state)
        )
        counted = Counter((row.edition_id, row.channel, row.state) for row in deleted)
        await _add(connection, counted)
    return counted.total()


def _old(before: datetime, batch: int, wanted: ColumnElement[bool]) -> Select[tuple[int]]:
    editions_then = select(editions.c.id).where(editions.c.closed_at < before)
    return select(deliveries.c.id).where(deliveries.c.edition_id.in_(editions_then), wanted).limit(batch)


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
