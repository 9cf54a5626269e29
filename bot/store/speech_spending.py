"""Characters that were spoken on the present UTC day, in `system_state`: what speech services charge for."""

from __future__ import annotations

import json
from datetime import date

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.schema import system_state
from bot.store.upsert import put

KEY = "speech_spent"


async def spent(connection: AsyncConnection, day: date) -> int:
    """Characters spoken on a UTC day; those of earlier days are forgotten."""
    value = await connection.scalar(select(system_state.c.value).where(system_state.c.key == KEY))
    found = {} if value is None else json.loads(value)
    return int(found["characters"]) if found.get("day") == day.isoformat() else 0


async def add(connection: AsyncConnection, day: date, characters: int) -> None:
    """Count characters that were spoken on a day."""
    value = json.dumps({"day": day.isoformat(), "characters": await spent(connection, day) + characters})
    await put(connection, system_state, {"key": KEY, "value": value})
