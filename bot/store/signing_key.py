"""The key that signs links where the operator sets none: made once, kept in `system_state`."""

from __future__ import annotations

import secrets

from sqlalchemy import select

from bot.store.database import Store
from bot.store.schema import system_state
from bot.store.upsert import insert

KEY = "secret_key"


def make_secret() -> str:
    """A random key of 256 bits."""
    return secrets.token_urlsafe(32)


async def load_secret(store: Store) -> str:
    """This database's key; the first call makes it, and concurrent calls get the same."""
    query = select(system_state.c.value).where(system_state.c.key == KEY)
    async with store.read() as connection:
        kept: str | None = await connection.scalar(query)
    if kept is not None:
        return kept
    async with store.write() as connection:
        row = insert(connection, system_state).values(key=KEY, value=make_secret())
        await connection.execute(row.on_conflict_do_nothing())
        made: str = (await connection.execute(query)).scalar_one()
    return made
