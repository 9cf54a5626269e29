"""Readers who have left: their rows have a term, after which a hash that keeps imports away is all that is left."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select, update

from bot.model import Address, Reason, Status
from bot.store import subscriber_queries
from bot.store.database import Store
from bot.store.schema import subscribers

KEEP = timedelta(days=180)
"""Time for which readers who left are kept, unless a setting says otherwise."""
LEFT = (Status.UNSUBSCRIBED.value, Status.GONE.value)
BATCH = 500
"""Rows that are erased in one transaction."""


async def erase_former(store: Store, *, now: datetime, keep: timedelta) -> int:
    """Erase readers who left longer than `keep` ago, and put their addresses' hashes on the suppression list.

    The term begins when this first sees that they left; and again if they come back. Returns how many were erased.
    """
    async with store.write() as connection:
        started = subscribers.c.status.in_(LEFT), subscribers.c.left_at.is_(None)
        await connection.execute(update(subscribers).where(*started).values(left_at=now))
    erased = 0
    query = (
        select(subscribers.c.id, subscribers.c.channel, subscribers.c.recipient, subscribers.c.status)
        .where(subscribers.c.status.in_(LEFT), subscribers.c.left_at <= now - keep)
        .order_by(subscribers.c.id)
        .limit(BATCH)
        .with_for_update(skip_locked=True)  # one who comes back meanwhile stays
    )
    while True:
        async with store.write() as connection:
            rows = (await connection.execute(query)).all()
            for row in rows:
                reason = Reason.UNREACHABLE if row.status == Status.GONE else Reason.UNSUBSCRIBED
                await subscriber_queries.suppress(connection, Address(row.channel, row.recipient), reason, now=now)
                await subscriber_queries.forget(connection, row.id, now=now)
        erased += len(rows)
        if len(rows) < BATCH:
            return erased
