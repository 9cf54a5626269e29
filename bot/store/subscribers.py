"""Subscribers and what they chose."""

from __future__ import annotations

import json
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Row, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model import Address, Cadence, Preferences, Status, Style, Subscriber
from bot.store.schema import choices, subscribers
from bot.store.upsert import insert


async def add(connection: AsyncConnection, address: Address, preferences: Preferences, *, now: datetime) -> int | None:
    """Subscribe an address; its id, or None where it is known already (nothing is changed then)."""
    subscriber_id: int | None = await connection.scalar(
        insert(connection, subscribers)
        .values(
            channel=address.channel,
            recipient=address.recipient,
            status=Status.ACTIVE.value,
            choice_id=await choose(connection, preferences),
            hour=preferences.hour,
            weekdays=preferences.weekdays,
            timezone=preferences.timezone,
            cadence=preferences.cadence.value,
            created_at=now,
        )
        .on_conflict_do_nothing()
        .returning(subscribers.c.id)
    )
    return subscriber_id


async def get(connection: AsyncConnection, address: Address) -> Subscriber | None:
    """The subscriber with this address."""
    query = (
        select(subscribers, *(column for column in choices.c if column.name != "id"))
        .join(choices, choices.c.id == subscribers.c.choice_id)
        .where(subscribers.c.channel == address.channel, subscribers.c.recipient == address.recipient)
    )
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        return None
    return Subscriber(row.id, address, Status(row.status), preferences(row))


async def set_status(connection: AsyncConnection, subscriber_id: int, status: Status, reason: str | None) -> None:
    """Change where a subscriber stands, and say why."""
    await connection.execute(
        update(subscribers).where(subscribers.c.id == subscriber_id).values(status=status.value, reason=reason)
    )


async def move(connection: AsyncConnection, subscriber_id: int, recipient: str) -> None:
    """Store a subscriber's new recipient id, unless somebody has it already."""
    other = subscribers.alias()
    taken = select(other.c.id).where(other.c.channel == subscribers.c.channel, other.c.recipient == recipient)
    await connection.execute(
        update(subscribers).where(subscribers.c.id == subscriber_id, ~taken.exists()).values(recipient=recipient)
    )


async def count(connection: AsyncConnection) -> int:
    """How many there are, whatever their status."""
    return int(await connection.scalar(select(func.count()).select_from(subscribers)) or 0)


async def choose(connection: AsyncConnection, wanted: Preferences) -> int:
    """The id of the row of choices that says what `wanted` says, made where there is none yet."""
    values = {
        "language": wanted.language,
        "style": wanted.style.value,
        "papers": wanted.papers,
        "min_votes": wanted.min_votes,
        "topics": json.dumps(wanted.topics, ensure_ascii=False),
    }
    await connection.execute(insert(connection, choices).values(**values).on_conflict_do_nothing())
    same = (choices.c[name] == value for name, value in values.items())
    return int((await connection.execute(select(choices.c.id).where(*same))).scalar_one())


def preferences(row: Row[*tuple[Any, ...]]) -> Preferences:
    """The preferences in a row that joins a subscriber with their choice."""
    return _preferences(
        row.language,
        row.style,
        row.papers,
        row.min_votes,
        row.topics,
        row.hour,
        row.weekdays,
        row.timezone,
        row.cadence,
    )


@lru_cache(4096)
def _preferences(  # noqa: PLR0917 - a cache knows calls by their place
    language: str,
    style: str,
    papers: int,
    min_votes: int,
    topics: str,
    hour: int,
    weekdays: int,
    timezone: str,
    cadence: str,
) -> Preferences:
    """Remembered: many readers chose the same, and who are due together differ in little."""
    return Preferences(
        language=language,
        style=Style(style),
        papers=papers,
        min_votes=min_votes,
        topics=tuple(json.loads(topics)),
        hour=hour,
        weekdays=weekdays,
        timezone=timezone,
        cadence=Cadence(cadence),
    )
