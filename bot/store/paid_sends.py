"""Counts the sends that an account pays for, before they are made, against a daily limit of all processes."""

from __future__ import annotations

from datetime import UTC

from sqlalchemy import select

from bot.runtime.supervisor import clock
from bot.store.database import Store
from bot.store.schema import system_state
from bot.store.upsert import insert, put


def _key(account: str) -> str:
    return f"paid:{account}"


async def count(store: Store, account: str, wanted: int, most: int) -> int:
    """Count up to `wanted` more sends of an account today, `most` a day. Returns how many may be made.

    What is counted and not made, because the process ended, is lost: no more than `most` are ever paid for in a day by
    the database's clock.
    """
    today = f"{(await store.server_time() or clock()).astimezone(UTC):%Y-%m-%d}"
    row = system_state.c.key == _key(account)
    async with store.write() as connection:
        first = insert(connection, system_state).values(key=_key(account), value=f"{today} 0")
        await connection.execute(first.on_conflict_do_nothing())
        value: str = (await connection.execute(select(system_state.c.value).where(row).with_for_update())).scalar_one()
        day, _, made = value.partition(" ")
        before = int(made) if day >= today else 0  # a clock that is set back begins no new day
        granted = max(0, min(wanted, most - before))
        if granted:
            await put(
                connection, system_state, {"key": _key(account), "value": f"{max(day, today)} {before + granted}"}
            )
    return granted


async def counted(store: Store, account: str) -> tuple[str, int]:
    """The last day on which an account's sends were counted, written 2026-04-29, and how many; ("", 0) for none."""
    async with store.read() as connection:
        value: str | None = await connection.scalar(
            select(system_state.c.value).where(system_state.c.key == _key(account))
        )
    day, _, made = (value or " 0").partition(" ")
    return day, int(made)
