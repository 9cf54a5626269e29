"""Session advisory locks of PostgreSQL (https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS)."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Sequence
from contextlib import suppress

from sqlalchemy import URL, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from bot.runtime.locks.lock import OWNER, HeldError, LostError, described, ourselves

PULSE = 3.0
"""Seconds between two looks at whether our connection still lives, and the longest that such a look may take."""
SETTLING = 3 * PULSE
"""Seconds that a lock found free on PostgreSQL is left alone first: its last holder may not have noticed yet."""


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
            await self._scalar(LEAVE_TRACE, role=f"lock:{role}", by=json.dumps(ourselves()))
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
        await asyncio.gather(*self._burials, return_exceptions=True)
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
            name = described(ourselves())[:60]
            await self._connection.execute(text("select set_config('application_name', :name, false)"), {"name": name})
        return self._connection


TRY = "select pg_try_advisory_lock(:key)"
RELEASE = "select pg_advisory_unlock(:key)"
PULSE_QUERY = "select 1"
TRACE = "select value from system_state where key = :role"
LEAVE_TRACE = "insert into system_state values (:role, :by) on conflict (key) do update set value = excluded.value"
WIPE_TRACE = "delete from system_state where key = :role"
HOLDER = """
    select activity.application_name from pg_locks locks join pg_stat_activity activity using (pid)
    where locks.locktype = 'advisory' and locks.granted and locks.objsubid = 1
    and (locks.classid::bigint << 32 | locks.objid::bigint) = :key
"""


def _key(role: str) -> int:
    """A role as PostgreSQL's 64-bit lock key; kept positive, so that it reads back from pg_locks as it went in."""
    return int.from_bytes(hashlib.sha256(f"morning-papers {role}".encode()).digest()[:8], "big") >> 1
