"""Requests to drain, from `papers drain` to processes anywhere: each looks for its own every few seconds.

A signal reaches only processes that its sender can see: in another container their number is another program's.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.database import Store
from bot.store.schema import system_state
from bot.store.upsert import put

KEY = "drain:{process}"


async def ask(connection: AsyncConnection, processes: Collection[str]) -> None:
    """Ask processes, by their ids (`bot.runtime.locks.Holder.id`), to claim nothing more, finish and end."""
    for process in processes:
        await put(connection, system_state, {"key": KEY.format(process=process), "value": ""})


async def withdraw(connection: AsyncConnection, processes: Collection[str]) -> bool:
    """Delete the requests to processes. Returns whether there was one."""
    keys = [KEY.format(process=process) for process in processes]
    gone = await connection.execute(delete(system_state).where(system_state.c.key.in_(keys)))
    return gone.rowcount > 0


async def is_asked(store: Store, process: str) -> bool:
    """Whether a process is asked to drain; the request is then taken away."""
    async with store.read() as connection:
        if (
            await connection.scalar(system_state.select().where(system_state.c.key == KEY.format(process=process)))
            is None
        ):
            return False
    async with store.write() as connection:
        return await withdraw(connection, [process])
