"""Pages that stay, such as a site's: which were delivered and may lack what came late, and which are complete."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import and_, delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model import NOTE, State, Status
from bot.store.accounts import through
from bot.store.follow_up_tables import completed_pages
from bot.store.schema import deliveries, editions, subscribers
from bot.store.upsert import insert

MOST = 1_000
"""Pages that are looked at in one go."""


async def waiting(connection: AsyncConnection, account: str, *, since: datetime) -> Sequence[tuple[int, datetime]]:
    """The editions sent by an account since an instant whose pages are not complete: each delivery, and when it ended.

    Only those of active subscribers: a site that was given up stays as it is.
    """
    complete = and_(
        completed_pages.c.edition_id == deliveries.c.edition_id,
        completed_pages.c.subscriber_id == deliveries.c.subscriber_id,
    )
    query = (  # by subscribers, who are few: deliveries have no index of what was sent on a channel
        select(deliveries.c.id, deliveries.c.ended_at)
        .select_from(subscribers)
        .join(deliveries, deliveries.c.subscriber_id == subscribers.c.id)
        .join(editions, editions.c.id == deliveries.c.edition_id)
        .outerjoin(completed_pages, complete)
        .where(
            subscribers.c.channel == account.partition(".")[0],  # of which there is an index
            through == account,
            subscribers.c.status == Status.ACTIVE,
            deliveries.c.state == State.SENT,
            deliveries.c.ended_at > since,
            editions.c.cadence != NOTE,
            completed_pages.c.edition_id.is_(None),
        )
        .order_by(deliveries.c.ended_at, deliveries.c.id)
        .limit(MOST)
    )
    return [(row.id, row.ended_at) for row in await connection.execute(query)]


async def note(connection: AsyncConnection, edition_id: int, subscriber_id: int, now: datetime) -> None:
    """Note that a subscriber's page of an edition is complete: it is not written again."""
    row = insert(connection, completed_pages).values(edition_id=edition_id, subscriber_id=subscriber_id, noted_at=now)
    await connection.execute(row.on_conflict_do_nothing())


async def forget(connection: AsyncConnection, before: datetime) -> None:
    """Delete notes that are older than any page that would be looked at."""
    await connection.execute(delete(completed_pages).where(completed_pages.c.noted_at < before))
