"""Groups and channels that many people share: who set them up, what is inside them, their channel-only options."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from sqlalchemy import and_, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model import Address
from bot.store.schema import choices, subscribers


async def within(connection: AsyncConnection, address: Address) -> Sequence[Address]:
    """The addresses inside a place (topics, threads): their recipient ids begin with its own and a slash."""
    found = await connection.scalars(
        select(subscribers.c.recipient).where(
            subscribers.c.channel == address.channel,
            subscribers.c.recipient.startswith(f"{address.recipient}/", autoescape=True),
        )
    )
    return [Address(address.channel, recipient, address.account) for recipient in found]


async def set_extras(connection: AsyncConnection, subscriber_id: int, wanted: Mapping[str, str]) -> None:
    """Store a subscriber's channel-only options."""
    await connection.execute(
        update(subscribers).where(subscribers.c.id == subscriber_id).values(extras=json.dumps(wanted, sort_keys=True))
    )


async def setter(connection: AsyncConnection, subscriber_id: int) -> tuple[Address, str] | None:
    """The person who set a subscription up, and their language: that of their own subscription, else of this one."""
    theirs = subscribers.alias()
    spoken = choices.alias()
    query = (
        select(
            subscribers.c.channel,
            subscribers.c.set_up_by,
            theirs.c.account,
            func.coalesce(spoken.c.language, choices.c.language),
        )
        .join(choices, choices.c.id == subscribers.c.choice_id)
        .outerjoin(
            theirs, and_(theirs.c.channel == subscribers.c.channel, theirs.c.recipient == subscribers.c.set_up_by)
        )
        .outerjoin(spoken, spoken.c.id == theirs.c.choice_id)
        .where(subscribers.c.id == subscriber_id, subscribers.c.set_up_by.is_not(None))
    )
    row = (await connection.execute(query)).one_or_none()
    return None if row is None else (Address(*row[:3]), row[3])
