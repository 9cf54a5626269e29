"""The last failure of the LLM endpoint, in `system_state`: for commands that run beside the service."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.schema import system_state
from bot.store.upsert import put

KEY = "llm_fault"


@dataclass(frozen=True, slots=True)
class EndpointFault:
    """Why the endpoint failed, in one sentence, and when."""

    says: str
    at: datetime


async def save(connection: AsyncConnection, says: str, now: datetime) -> None:
    """Store why the endpoint failed, in place of what was stored before."""
    value = json.dumps({"says": says, "at": now.isoformat()})
    await put(connection, system_state, {"key": KEY, "value": value})


async def clear(connection: AsyncConnection) -> None:
    """Forget the failure, since the endpoint answers again."""
    await connection.execute(system_state.delete().where(system_state.c.key == KEY))


async def load(connection: AsyncConnection) -> EndpointFault | None:
    """The failure that has not been followed by a text, or None."""
    value = await connection.scalar(select(system_state.c.value).where(system_state.c.key == KEY))
    if value is None:
        return None
    found = json.loads(value)
    return EndpointFault(str(found["says"]), datetime.fromisoformat(found["at"]))
