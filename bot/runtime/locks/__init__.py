"""Locks between processes: one poller, one listener and one sender per account, however many are started.

On SQLite a lock is an operating system's lock on a file beside the database, which dies with its process. On PostgreSQL
it is a lease, a row that its holder renews: it ends by itself, whatever became of the holder's machine or network.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from sqlalchemy import URL

from bot.runtime.locks.file_locks import FileLocks
from bot.runtime.locks.leases import Leases
from bot.runtime.locks.lock import OWNER, HeldError, Holder, LockError, Locks, LostError, this_process

__all__ = [
    "OWNER",
    "FileLocks",
    "HeldError",
    "Holder",
    "Leases",
    "LockError",
    "Locks",
    "LostError",
    "holding",
    "make_locks",
    "take_from_the_dead",
    "this_process",
    "wait_for",
]

log = logging.getLogger(__name__)


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
    told = False
    while True:
        try:
            await locks.take(*roles)
        except HeldError:
            pass
        except LostError as error:
            if not told:
                log.warning("locks cannot be asked for, tried again until they can", extra={"reason": str(error)})
            told = True
        else:
            return
        await asyncio.sleep(every)


async def take_from_the_dead(locks: Locks, *roles: str, every: float = 1.0) -> None:
    """Take the locks of several roles, after waiting for the end of leases that nobody renews any more.

    Raises HeldError as soon as a holder shows that it lives, LostError where the database cannot be asked.
    """
    seen: dict[str, object] = {}
    while True:
        try:
            await locks.take(*roles)
        except HeldError as error:
            if error.until != "" and (error.until is None or seen.setdefault(error.role, error.until) != error.until):
                raise
            await asyncio.sleep(every)
        else:
            return


def make_locks(server: URL, file: Path | None) -> Locks:
    """The locks of a database: on its server, or beside its `file` where it is SQLite."""
    return Leases(server) if file is None else FileLocks(file)
