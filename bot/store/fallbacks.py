"""Renderings that a service rejected, and which of them fell back to `headline`."""

from __future__ import annotations

from sqlalchemy import Select, and_, case, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model import State
from bot.rules.outcomes import REJECTIONS
from bot.store.schema import deliveries, renderings
from bot.store.upsert import insert


async def count_rejection(connection: AsyncConnection, delivery_id: int) -> bool:
    """Count a reader for whom a delivery's rendering was rejected. Returns whether that made it fall back.

    A rendering that anybody was sent is not at fault, and never falls back, however many services reject it.
    """
    rendering = select(deliveries.c.channel, deliveries.c.edition_id, deliveries.c.choice_id).where(
        deliveries.c.id == delivery_id
    )
    channel, edition_id, choice_id = (await connection.execute(rendering)).one()
    sent = _sent(channel, edition_id).where(deliveries.c.choice_id == choice_id).exists()
    more = renderings.c.rejections + 1
    statement = insert(connection, renderings).values(
        channel=channel, edition_id=edition_id, choice_id=choice_id, rejections=1, fell_back=False
    )
    row = await connection.execute(
        statement.on_conflict_do_update(
            index_elements=["channel", "edition_id", "choice_id"],
            set_={
                "rejections": more,
                "fell_back": case((and_(more == REJECTIONS, ~sent), True), else_=renderings.c.fell_back),
            },
        ).returning(renderings.c.rejections, renderings.c.fell_back)
    )
    counted = row.one()
    return bool(counted.rejections == REJECTIONS and counted.fell_back)


async def count_fallen_back(connection: AsyncConnection, channel: str, edition_id: int) -> int:
    """How many of an edition's renderings fell back on a channel; 0 if any delivery of it was sent there."""
    query = select(func.count()).where(
        renderings.c.channel == channel,
        renderings.c.edition_id == edition_id,
        renderings.c.fell_back,
        ~_sent(channel, edition_id).exists(),
    )
    return int(await connection.scalar(query) or 0)


def _sent(channel: str, edition_id: int) -> Select[tuple[int]]:
    """Deliveries of an edition that were sent on a channel."""
    return select(deliveries.c.id).where(
        deliveries.c.edition_id == edition_id, deliveries.c.channel == channel, deliveries.c.state == State.SENT
    )
