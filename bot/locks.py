"""Who does what: one poller, one listener and one sender per account, whatever is started how often.

On SQLite a lock is an operating system's lock on a file beside the database, on PostgreSQL a session advisory lock
on a connection of its own (https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS). Both
vanish with the process that holds them, so none leaves a ghost.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from filelock import FileLock, Timeout
from sqlalchemy import URL, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

PULSE = 3.0
"""Seconds between two looks at whether our connection still lives, and the longest that such a look may take."""
SETTLING = 3 * PULSE
"""Seconds that a lock found free on PostgreSQL is left alone first: its last holder may not have noticed yet."""


OWNER = "owner:"
"""Roles that begin so are of one process for its lifetime: what it claimed is in doubt when its lock is free."""


class HeldError(Exception):
    """Somebody else holds the lock; `holder` says who, as far as is known."""

    def __init__(self, role: str, holder: str) -> None:
        super().__init__(f"{role} is held by {holder}")
        self.role = role
        self.holder = holder


class LostError(Exception):
    """The connection that our locks hang on is gone: whoever held one stops at once."""


class Locks(Protocol):
    """The locks of one process."""

    async def take(self, *roles: str) -> list[str]:
        """Take the locks of roles, all or none; those that were not ours before.

        Raises HeldError where somebody else has one of them.
        """
        ...

    async def give_back(self, role: str) -> None:
        """Let others have it."""
        ...

    async def is_free(self, role: str, *, at_once: bool = False) -> bool:
        """Whether nobody holds a role's lock; by then nobody's work under it is going on.

        `at_once` is for who knows that already: whoever holds an account's lock has waited for the last one to stop.
        """
        ...

    async def watch(self, *roles: str) -> None:
        """Return never; raise LostError when one of these is not ours any more."""
        ...

    async def close(self) -> None:
        """Give everything back."""
        ...


class FileLocks:
    """Locks beside an SQLite file."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self._held: dict[str, FileLock] = {}

    async def take(self, *roles: str) -> list[str]:
        taken: list[str] = []
        try:
            for role in roles:
                if role not in self._held:
                    await self._take(role)
                    taken.append(role)
        except HeldError:
            for role in taken:
                await self.give_back(role)
            raise
        return taken

    async def _take(self, role: str) -> None:
        if role.startswith(OWNER):
            await self.clear()
        lock = self._lock(role)
        try:
            lock.acquire(blocking=False)
        except Timeout:
            raise HeldError(role, self._holder(role)) from None
        self._held[role] = lock
        with suppress(OSError):  # who holds it is a courtesy; that it is held does not hang on it
            self._note(role).write_text(json.dumps(_ourselves()), encoding="utf-8")

    async def give_back(self, role: str) -> None:
        lock = self._held.pop(role, None)
        if lock is not None:
            self._note(role).unlink(missing_ok=True)
            lock.release()
            if role.startswith(OWNER):  # nobody will ask for it again
                self._path(role).unlink(missing_ok=True)

    async def clear(self) -> None:
        """Take away the files that processes left behind which were killed."""
        prefix = f"{self._database.name}.{OWNER.replace(':', '-')}"
        for path in self._database.parent.glob(f"{prefix}*.lock"):
            await self.is_free(f"{OWNER}{path.name.removeprefix(prefix).removesuffix('.lock')}")

    async def is_free(self, role: str, *, at_once: bool = False) -> bool:  # noqa: ARG002
        if role in self._held:
            return False
        lock = self._lock(role)
        try:
            lock.acquire(blocking=False)
        except Timeout:
            return False
        if role.startswith(OWNER):
            self._note(role).unlink(missing_ok=True)
            self._path(role).unlink(missing_ok=True)
        lock.release()
        return True

    async def watch(self, *roles: str) -> None:  # noqa: ARG002
        await asyncio.Event().wait()  # a file lock lasts as long as we do

    async def close(self) -> None:
        for role in list(self._held):
            await self.give_back(role)

    def _path(self, role: str) -> Path:
        return self._database.with_name(f"{self._database.name}.{role.replace(':', '-')}.lock")

    def _note(self, role: str) -> Path:
        return self._path(role).with_suffix(".holder")

    def _lock(self, role: str) -> FileLock:
        return FileLock(self._path(role), thread_local=False)

    def _holder(self, role: str) -> str:
        try:
            return _described(json.loads(self._note(role).read_text(encoding="utf-8")))
        except (OSError, ValueError):
            return "another process"


class ServerLocks:
    """Locks on a PostgreSQL server, all on one connection of this process.

    A role that was given back leaves no trace. One whose holder crashed or was cut off leaves a row behind, and
    whoever takes it next waits until the holder must have noticed.
    """

    def __init__(self, url: URL | str) -> None:
        self._engine = create_async_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT", hide_parameters=True)
        self._connection: AsyncConnection | None = None
        self._turn = asyncio.Lock()
        self._held: set[str] = set()
        self._seen_free: dict[str, float] = {}
        self._burials: set[asyncio.Future[None]] = set()

    async def take(self, *roles: str) -> list[str]:
        taken: list[str] = []
        wanted = [role for role in roles if role not in self._held]
        try:
            for role in wanted:
                if not await self._scalar(TRY, key=_key(role)):
                    raise HeldError(role, await self._holder(role))
                self._held.add(role)
                taken.append(role)
            await self._settle([role for role in taken if not role.startswith(OWNER)])
        except HeldError:
            for role in taken:
                await self.give_back(role)
            raise
        return taken

    async def _settle(self, roles: Sequence[str]) -> None:
        """Wait until who held these before must have noticed, if one of them crashed, and leave our own trace."""
        if any([await self._scalar(TRACE, role=f"lock:{role}") for role in roles]):
            await asyncio.sleep(SETTLING)
        for role in roles:
            await self._scalar(LEAVE_TRACE, role=f"lock:{role}", by=json.dumps(_ourselves()))
        self._insist(roles)

    def _insist(self, roles: Sequence[str]) -> None:
        if not self._held.issuperset(roles):
            raise LostError("the connection that held our locks was lost")

    async def give_back(self, role: str) -> None:
        if role in self._held:
            self._held.discard(role)
            with suppress(LostError):  # then it is given back already
                await self._scalar(WIPE_TRACE, role=f"lock:{role}")
                await self._scalar(RELEASE, key=_key(role))

    async def is_free(self, role: str, *, at_once: bool = False) -> bool:
        if role in self._held:
            return False
        if not await self._scalar(TRY, key=_key(role)):
            self._seen_free.pop(role, None)
            return False
        await self._scalar(RELEASE, key=_key(role))
        now = asyncio.get_running_loop().time()
        return at_once or now - self._seen_free.setdefault(role, now) >= SETTLING

    async def watch(self, *roles: str) -> None:
        while True:
            self._insist(roles)  # another part may have noticed first, and the connection be a new one
            await asyncio.sleep(PULSE)
            await self._scalar(PULSE_QUERY)

    async def close(self) -> None:
        for role in list(self._held):
            await self.give_back(role)
        if self._connection is not None:
            await self._connection.close()
        await self._engine.dispose()

    async def _holder(self, role: str) -> str:
        name = await self._scalar(HOLDER, key=_key(role))
        return str(name) if name else "another process"

    async def _scalar(self, query: str, **values: object) -> object:
        """Run one statement on our connection; LostError where it is gone, and with it every lock on it."""
        async with self._turn:
            asked = asyncio.ensure_future(self._ask(query, values))
            # Not a time-out around it: a driver may take long to call a query back, and we must stop now.
            await asyncio.wait([asked], timeout=PULSE)
            try:
                if asked.done():
                    return asked.result()
                raise TimeoutError
            except (DBAPIError, OSError, TimeoutError) as error:
                self._lose(asked)
                raise LostError(f"the connection that holds our locks is gone ({type(error).__name__})") from error
            except asyncio.CancelledError:
                asked.cancel()
                raise

    async def _ask(self, query: str, values: dict[str, object]) -> object:
        connection = await self._connected()
        result = await connection.execute(text(query), values)
        return result.scalar() if result.returns_rows else None

    def _lose(self, asked: asyncio.Future[object]) -> None:
        """Let go of a connection that is gone, in the background: it may take its time to say so."""
        lost, self._connection = self._connection, None
        self._held.clear()

        async def bury() -> None:
            asked.cancel()
            await asyncio.gather(asked, return_exceptions=True)
            if lost is not None:
                with suppress(Exception):
                    await lost.invalidate()
                    await lost.close()

        burial = asyncio.ensure_future(bury())
        self._burials.add(burial)
        burial.add_done_callback(self._burials.discard)

    async def _connected(self) -> AsyncConnection:
        if self._connection is None:
            self._connection = await self._engine.connect()
            name = _described(_ourselves())[:60]
            await self._connection.execute(text("select set_config('application_name', :name, false)"), {"name": name})
        return self._connection


TRY = "select pg_try_advisory_lock(:key)"
RELEASE = "select pg_advisory_unlock(:key)"
PULSE_QUERY = "select 1"
TRACE = "select value from facts where key = :role"
LEAVE_TRACE = "insert into facts values (:role, :by) on conflict (key) do update set value = excluded.value"
WIPE_TRACE = "delete from facts where key = :role"
HOLDER = """
    select activity.application_name from pg_locks locks join pg_stat_activity activity using (pid)
    where locks.locktype = 'advisory' and locks.granted and locks.objsubid = 1
    and (locks.classid::bigint << 32 | locks.objid::bigint) = :key
"""


@asynccontextmanager
async def holding(locks: Locks, *roles: str) -> AsyncIterator[None]:
    """Hold several roles' locks for a block, all or none; those that were ours before stay ours. Raises HeldError."""
    taken = await locks.take(*roles)
    try:
        yield
    finally:
        for role in reversed(taken):
            await locks.give_back(role)


async def wait_for(locks: Locks, *roles: str, every: float = 1.0) -> None:
    """Take roles' locks as soon as they are free."""
    while True:
        try:
            await locks.take(*roles)
        except HeldError:
            await asyncio.sleep(every)
        else:
            return


def make_locks(server: URL, file: Path | None) -> Locks:
    """The locks that go with a database: on its server, or beside its file."""
    return ServerLocks(server) if file is None else FileLocks(file)


def _key(role: str) -> int:
    """A role as PostgreSQL's 64-bit lock key; kept positive, so that it reads back from pg_locks as it went in."""
    return int.from_bytes(hashlib.sha256(f"morning-papers {role}".encode()).digest()[:8], "big") >> 1


def _ourselves() -> dict[str, object]:
    return {"pid": os.getpid(), "host": socket.gethostname(), "since": datetime.now(UTC).isoformat(timespec="seconds")}


def _described(holder: dict[str, object]) -> str:
    return f"process {holder['pid']} on {holder['host']} since {holder['since']}"
