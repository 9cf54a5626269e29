"""Health figures for metrics: overdue deliveries, deliveries by state, subscribers, texts of models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model import State
from bot.store.accounts import through
from bot.store.edition_queries import closed_since
from bot.store.schema import channels, deliveries, subscribers
from bot.store.text_tables import texts


@dataclass(frozen=True, slots=True)
class Texts:
    """Number of texts that a model wrote, and the tokens that they cost."""

    count: int
    tokens: int


async def overdue(connection: AsyncConnection, now: datetime) -> Mapping[str, datetime]:
    """When the longest overdue delivery was due, by channel; waiting channels are left out."""
    due = func.min(deliveries.c.next_at)
    query = (
        select(deliveries.c.channel, due)
        .outerjoin(channels, channels.c.channel == deliveries.c.channel)
        .where(
            deliveries.c.state == State.OWED,
            deliveries.c.next_at <= now,
            channels.c.waits_until.is_(None) | (channels.c.waits_until <= now),
        )
        .group_by(deliveries.c.channel)
    )
    return {row[0]: row[1] for row in await connection.execute(query)}


async def unanswered(connection: AsyncConnection, failures: int) -> Mapping[str, int]:
    """Channels that wait because their service failed at least `failures` times in a row, and how many times."""
    query = select(channels.c.channel, channels.c.failures).where(
        channels.c.failures >= failures, channels.c.waits_until.is_not(None)
    )
    return {row.channel: row.failures for row in await connection.execute(query)}


async def halted(connection: AsyncConnection) -> Mapping[str, datetime]:
    """When halted channels halted, by channel."""
    query = select(channels.c.channel, channels.c.halted_at).where(channels.c.halted_at.is_not(None))
    return {row[0]: row[1] for row in await connection.execute(query)}


async def count_states(connection: AsyncConnection, since: datetime) -> Mapping[tuple[str, str], int]:
    """Deliveries of editions closed since then, by channel and state."""
    key = (deliveries.c.channel, deliveries.c.state)
    ids = await closed_since(connection, since)
    rows = await connection.execute(select(*key, func.count()).where(deliveries.c.edition_id.in_(ids)).group_by(*key))
    return {(channel, state): count for channel, state, count in rows}


async def count_reasons(connection: AsyncConnection, since: datetime) -> Mapping[tuple[str, str, str], int]:
    """Deliveries of editions closed since then that have a reason, by channel, state and reason code."""
    key = (deliveries.c.channel, deliveries.c.state, deliveries.c.reason_code)
    ids = await closed_since(connection, since)
    query = (
        select(*key, func.count())
        .where(deliveries.c.edition_id.in_(ids), deliveries.c.reason_code.is_not(None))
        .group_by(*key)
    )
    return {(channel, state, code): count for channel, state, code, count in await connection.execute(query)}


async def readers(connection: AsyncConnection) -> Mapping[tuple[str, str], int]:
    """Subscribers, by account and status."""
    key = (through, subscribers.c.status)
    rows = await connection.execute(select(*key, func.count()).group_by(*key))
    return {(channel, status): count for channel, status, count in rows}


async def written(connection: AsyncConnection) -> Mapping[tuple[str, str], Texts]:
    """Stored texts, by model and verdict."""
    key = (texts.c.model, texts.c.verdict)
    rows = await connection.execute(select(*key, func.count(), func.sum(texts.c.tokens)).group_by(*key))
    return {(model, verdict): Texts(count, int(tokens or 0)) for model, verdict, count, tokens in rows}
