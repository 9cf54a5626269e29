"""Deliveries put into a state, and looked up, for tests of what operators do with them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import select, update

from bot.model import Preferences
from bot.store import Store
from bot.store.schema import deliveries
from tests.support.fake_channel import NOW

HOUR = timedelta(hours=1)
READERS = {f"ada{n}@mail.example": Preferences(timezone="Asia/Seoul" if n % 2 else "UTC") for n in range(8)}
"""22:00 UTC is 07:00 in Seoul: for half of them it is a waking hour when the edition is published."""


async def set_states(store: Store, states: dict[int, str], **more: object) -> None:
    """Set the states of deliveries by their ids, with a reason for ended ones."""
    async with store.write() as connection:
        for delivery_id, state in states.items():
            values = {"state": state, "reason": f"why {state}", "ended_at": None if state == "owed" else NOW} | more
            await connection.execute(update(deliveries).where(deliveries.c.id == delivery_id).values(**values))


async def states(store: Store) -> dict[int, str]:
    async with store.read() as connection:
        query = select(deliveries.c.id, deliveries.c.state).order_by(deliveries.c.id)
        return dict(tuple(row) for row in await connection.execute(query))


async def one(store: Store, delivery_id: int) -> Any:
    async with store.read() as connection:
        return (await connection.execute(select(deliveries).where(deliveries.c.id == delivery_id))).one()
