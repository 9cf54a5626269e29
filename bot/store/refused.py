"""Variants that a service refused, and which of them fell back to the plainest style."""

from __future__ import annotations

from sqlalchemy import case, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.consequences import REJECTIONS
from bot.store.schema import deliveries, variants
from bot.store.upsert import insert


async def count(connection: AsyncConnection, delivery_id: int) -> bool:
    """Count one more rejection of this delivery's variant; whether that made it fall back."""
    variant = select(deliveries.c.channel, deliveries.c.edition_id, deliveries.c.choice_id).where(
        deliveries.c.id == delivery_id
    )
    channel, edition_id, choice_id = (await connection.execute(variant)).one()
    statement = insert(connection, variants).values(
        channel=channel, edition_id=edition_id, choice_id=choice_id, rejections=1, fallen=False
    )
    more = variants.c.rejections + 1
    row = await connection.execute(
        statement.on_conflict_do_update(
            index_elements=["channel", "edition_id", "choice_id"],
            set_={"rejections": more, "fallen": case((more >= REJECTIONS, True), else_=variants.c.fallen)},
        ).returning(variants.c.rejections)
    )
    return bool(row.scalar_one() == REJECTIONS)


async def fallen(connection: AsyncConnection, channel: str, edition_id: int) -> int:
    """How many of an edition's variants had to fall back on a channel."""
    query = select(func.count()).where(
        variants.c.channel == channel, variants.c.edition_id == edition_id, variants.c.fallen
    )
    return int(await connection.scalar(query) or 0)
