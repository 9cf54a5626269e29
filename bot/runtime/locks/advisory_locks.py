"""Session advisory locks of PostgreSQL (https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS)."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Sequence
from contextlib import suppress

from sqlalchemy import URL, make_url, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from bot.runtime.locks.lock import OWNER, HeldError, LostError, described, ourselves
from bot.runtime.server_deadlines import connection_deadlines

PULSE = 3.0
"""Seconds between two checks that our connection is alive; also the timeout of such a check."""
SETTLING = 3 * PULSE
"""Seconds to wait before using a lock that is free: its last holder may not have noticed yet that it lost it."""


class ServerLocks:
    """Locks on a PostgreSQL server, all on one connection of this process.

    Taking a role leaves a row in `system_state`, giving it back deletes it. A row that is still there says that the
    last holder crashed or was cut off; the next one waits until that must have noticed.
    """

    def __init__(self, url: URL | str) -> None:
        deadlines = connection_deadlines(make_url(url).query)
        self._engine = create_async_engine(
            url, poolclass=NullPool, isolation_level="AUTOCOMMIT", hide_parameters=True, connect_args=deadlines
        )
        self._connection: AsyncConnection | None = None
        self._turn = asyncio.Lock()
        self._held: set[str] = set()
        self._seen_free: dict[str, float] = {}
        self._closing: set[asyncio.Future[None]] = set()

    async def take(self, *roles: str) -> list[str]:
        taken: list[str] = []
        wanted = [role for role in roles if role not in self._held]
        try:
            for role in wanted:
                if not await self._scalar(TRY, key=key_of(role)):
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
        """Wait for the last holders to notice that they lost these locks, if one crashed; then leave our own trace."""
        if any([await self._scalar(TRACE, role=f"lock:{role}") for role in roles]):
            await asyncio.sleep(SETTLING)
        for role in roles:
            await self._scalar(LEAVE_TRACE, role=f"lock:{role}", by=json.dumps(ourselves()))
        self._require_held(roles)

    def _require_held(self, roles: Sequence[str]) -> None:
        if not self._held.issuperset(roles):
            raise LostError("the connection that held our locks was lost")

    async def give_back(self, role: str) -> None:
        if role in self._held:
            self._held.discard(role)
            with suppress(LostError):  # then it is released already
                await self._scalar(WIPE_TRACE, role=f"lock:{role}")
                await self._scalar(RELEASE, key=key_of(role))

    async def is_free(self, role: str, *, at_once: bool = False) -> bool:
        if role in self._held:
            return False
        if not await self._scalar(TRY, key=key_of(role)):
            self._seen_free.pop(role, None)
            return False
        await self._scalar(RELEASE, key=key_of(role))
        now = asyncio.get_running_loop().time()
        return at_once or now - self._seen_free.setdefault(role, now) >= SETTLING

    async def watch(self, *roles: str) -> None:
        while True:
            self._require_held(roles)  # another job may have noticed first, and reconnected
            await asyncio.sleep(PULSE)
            await self._scalar(PULSE_QUERY)

    async def close(self) -> None:
        for role in list(self._held):
            await self.give_back(role)
        await asyncio.gather(*self._closing, return_exceptions=True)
        if self._connection is not None:
            await self._connection.close()
        await self._engine.dispose()

    async def _holder(self, role: str) -> str:
        name = await self._scalar(HOLDER, key=key_of(role))
        return str(name) if name else "another process"

    async def _scalar(self, query: str, **values: object) -> object:
        """Run one statement on our connection. Raises LostError where it is gone, and every lock with it."""
        async with self._turn:
            asked = asyncio.ensure_future(self._ask(query, values))
            # Not a timeout around it: a driver may take long to cancel a query, and we must stop now.
            await asyncio.wait([asked], timeout=PULSE)
            try:
                if asked.done():
                    return asked.result()
                raise TimeoutError
            except (DBAPIError, OSError, TimeoutError) as error:
                self._drop_connection(asked)
                raise LostError(f"the connection that holds our locks is gone ({type(error).__name__})") from error
            except asyncio.CancelledError:
                asked.cancel()
                raise

    async def _ask(self, query: str, values: dict[str, object]) -> object:
        connection = await self._connected()
        result = await connection.execute(text(query), values)
        return result.scalar() if result.returns_rows else None

    def _drop_connection(self, asked: asyncio.Future[object]) -> None:
        """Close a lost connection in the background: that may take a while."""
        lost, self._connection = self._connection, None
        self._held.clear()

        async def close() -> None:
            asked.cancel()
            await asyncio.gather(asked, return_exceptions=True)
            if lost is not None:
                with suppress(Exception):
                    await lost.invalidate()
                    await lost.close()

        closing = asyncio.ensure_future(close())
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)

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


def key_of(role: str) -> int:
    """A role as PostgreSQL's 64-bit lock key; positive, so that it reads back from pg_locks unchanged."""
    return int.from_bytes(hashlib.sha256(f"morning-papers {role}".encode()).digest()[:8], "big") >> 1
