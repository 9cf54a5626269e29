"""Outages of listening: since when a channel receives nothing, kept in `system_state` so that every process knows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.schema import system_state
from bot.store.upsert import put

PREFIX = "not listening:"
"""Of the keys in `system_state`; the rest of the key is the channel's name."""


@dataclass(frozen=True, slots=True)
class ListeningOutage:
    """Since when a channel receives nothing, why, and whether the operator was told."""

    since: datetime
    reason: str
    told: bool = False

    @property
    def says(self) -> str:
        """The outage as a finding for the operator."""
        return f"not listening since {self.since:%Y-%m-%dT%H:%M:%SZ} ({self.reason})"


async def load(connection: AsyncConnection, *, lock: bool = False) -> Mapping[str, ListeningOutage]:
    """The outages that last, by channel; `lock` keeps others from changing them until the transaction ends."""
    query = select(system_state.c.key, system_state.c.value).where(system_state.c.key.startswith(PREFIX))
    rows = await connection.execute(query.with_for_update() if lock else query)
    return {key.removeprefix(PREFIX): _read(value) for key, value in rows}


async def begin(connection: AsyncConnection, channel: str, outage: ListeningOutage) -> ListeningOutage:
    """Store an outage; one that lasts already keeps its beginning. Returns it as it is stored."""
    before = (await load(connection, lock=True)).get(channel)
    if before is not None:
        outage = replace(outage, since=before.since, told=before.told or outage.told)
    if outage != before:
        value = json.dumps([outage.since.isoformat(), outage.reason, outage.told])
        await put(connection, system_state, {"key": f"{PREFIX}{channel}", "value": value})
    return outage


async def end(connection: AsyncConnection, channel: str) -> ListeningOutage | None:
    """Delete an outage that is over. Returns it, None if there was none."""
    query = delete(system_state).where(system_state.c.key == f"{PREFIX}{channel}").returning(system_state.c.value)
    value = await connection.scalar(query)
    return None if value is None else _read(value)


def _read(value: str) -> ListeningOutage:
    since, reason, told = json.loads(value)
    return ListeningOutage(datetime.fromisoformat(since), reason, told)
