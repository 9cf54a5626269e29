"""Locks between processes: one poller, one listener and one sender per account, however many are started.

On SQLite a lock is an operating system's lock on a file beside the database, on PostgreSQL a session advisory lock
on a connection of its own. Both are released when the process that holds them dies.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from sqlalchemy import URL

from bot.runtime.locks.advisory_locks import ServerLocks
from bot.runtime.locks.file_locks import FileLocks
from bot.runtime.locks.lock import OWNER, HeldError, LockError, Locks, LostError

__all__ = [
    "OWNER",
    "FileLocks",
    "HeldError",
    "LockError",
    "Locks",
    "LostError",
    "ServerLocks",
    "holding",
    "make_locks",
    "wait_for",
]


@asynccontextmanager
async def holding(locks: Locks, *roles: str) -> AsyncIterator[None]:
    """Hold the locks of several roles for a block, all or none; those held before stay held. Raises HeldError."""
    taken = await locks.take(*roles)
    try:
        yield
    finally:
        for role in reversed(taken):
            await locks.give_back(role)


async def wait_for(locks: Locks, *roles: str, every: float = 1.0) -> None:
    """Take the locks of several roles, trying again `every` that many seconds until all are free."""
    while True:
        try:
            await locks.take(*roles)
        except HeldError:
            await asyncio.sleep(every)
        else:
            return


def make_locks(server: URL, file: Path | None) -> Locks:
    """The locks of a database: on its server, or beside its `file` where it is SQLite."""
    return ServerLocks(server) if file is None else FileLocks(file)
