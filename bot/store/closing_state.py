"""The closing state (bot.rules.closing.ClosingState), stored key by key in `system_state`."""

from __future__ import annotations

from dataclasses import fields
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.rules.closing import ClosingState
from bot.store.schema import system_state
from bot.store.upsert import put

DAYS = {"origin", "settled", "settled_week", "settled_month"}


async def load(connection: AsyncConnection, *, lock: bool = False) -> ClosingState:
    """Load the closing state; `lock` keeps others from closing until the transaction ends."""
    known = {field.name for field in fields(ClosingState)}
    query = (
        select(system_state.c.key, system_state.c.value)
        .where(system_state.c.key.in_(known))
        .order_by(system_state.c.key)
    )
    rows = await connection.execute(query.with_for_update() if lock else query)
    kept: dict[str, Any] = {
        key: date.fromisoformat(value) if key in DAYS else datetime.fromisoformat(value) for key, value in rows
    }
    return ClosingState(**kept)


async def save(connection: AsyncConnection, **changes: date | datetime | None) -> None:
    """Store some fields of the closing state; None deletes one."""
    forgotten = [key for key, value in changes.items() if value is None]
    if forgotten:
        await connection.execute(system_state.delete().where(system_state.c.key.in_(forgotten)))
    kept = [{"key": key, "value": value.isoformat()} for key, value in changes.items() if value is not None]
    if kept:
        await put(connection, system_state, *kept)
