"""Counters of what was spent today (UTC), where no row tells: one number in `system_state` for each kind."""

from __future__ import annotations

import json
from datetime import date
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.schema import system_state
from bot.store.upsert import put


class Spending(StrEnum):
    """What is counted, and the key of its row."""

    SPEECH = "speech_spent"
    """Characters that were spoken, which speech services charge for."""
    TOPICS = "topics_spent"
    """Tokens for topics that were put into English."""
    KEYWORDS = "keywords_spent"
    """Tokens for keywords that were put into readers' languages."""


TOKENS = (Spending.TOPICS, Spending.KEYWORDS)
"""What is paid from the budget of a language model, beside its texts."""


async def spent(connection: AsyncConnection, what: Spending, day: date) -> int:
    """How much was spent on a UTC day; what was on earlier days is forgotten."""
    value = await connection.scalar(select(system_state.c.value).where(system_state.c.key == what))
    found = {} if value is None else json.loads(value)
    return int(found.get("amount", 0)) if found.get("day") == day.isoformat() else 0


async def add(connection: AsyncConnection, what: Spending, day: date, amount: int) -> None:
    """Count what was spent on a day."""
    value = json.dumps({"day": day.isoformat(), "amount": await spent(connection, what, day) + amount})
    await put(connection, system_state, {"key": what.value, "value": value})
