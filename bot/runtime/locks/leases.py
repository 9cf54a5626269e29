"""Leases in a table of PostgreSQL: a role is its holder's until an instant by the server's clock, unless renewed.

Each taking of a role has a higher number, a fencing token. Work under a lease shows it (`guard`): a process that was
cut off, or froze, changes nothing once another one has the role. A number protects rows and not what is sent: so a
holder counts its lease by its own monotonic clock, begins nothing shortly before its end and breaks off everything
then.

Each statement is a transaction of its own, so that a pooler may stand between.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import URL, Row, make_url, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from bot.runtime.locks import lease_statements as sql
from bot.runtime.locks.lock import OWNER, HeldError, Holder, LostError, described, ourselves
from bot.runtime.server_connection import connection_arguments
from bot.runtime.supervisor import pause

log = logging.getLogger(__name__)

LASTS = 12.0
"""Seconds for which a lease is taken and renewed."""
RENEWED_EVERY = 4.0
"""Seconds between two renewals."""
TRIED_EVERY = 1.0
"""Seconds between two tries to renew while the server does not answer."""
LAST_MOMENTS = 3.0
"""Seconds before the end of a lease in which nothing is begun that cannot be taken back."""
PATIENCE = 4.0
"""Seconds that one statement about leases may take."""
PROCESS = "process:"
"""Prefix of the role that each process has for itself, so that one which only stands by is seen too."""


@dataclass(eq=False, slots=True)
class Lease:
    """A lease that we hold, and when it ends by our monotonic clock: it began before the server's."""

    number: int
    ends: float
    over: asyncio.Event = field(default_factory=asyncio.Event)


class Leases:
    """The leases of this process, all renewed by one statement on one connection."""

    def __init__(self, url: URL | str) -> None:
        self._engine = create_async_engine(
            url,
            poolclass=NullPool,
            isolation_level="AUTOCOMMIT",
            hide_parameters=True,
            connect_args=connection_arguments(make_url(url).query),
        )
        self._connection: AsyncConnection | None = None
        self._lock = asyncio.Lock()
        self._held: dict[str, Lease] = {}
        self._lost: set[str] = set()
        """Roles that we had and did not give back: whatever is still done under them is refused."""
        self._process = f"{PROCESS}{uuid.uuid4().hex}"
        self._renewing: asyncio.Task[None] | None = None
        self._closing: set[asyncio.Future[None]] = set()

    async def take(self, *roles: str) -> list[str]:
        taken: list[str] = []
        if not self._held:
            await self._rows(sql.SWEEP)
        try:
            for role in (self._process, *roles):
                if role not in self._held:
                    await self._take(role)
                    taken.append(role)
        except BaseException:
            for role in taken:
                if role != self._process:
                    await self.give_back(role)
            raise
        finally:
            if self._held and (self._renewing is None or self._renewing.done()):
                self._renewing = asyncio.create_task(self._renew_while_held(), name="leases")
        return [role for role in taken if role != self._process]

    async def _take(self, role: str) -> None:
        began = asyncio.get_running_loop().time()
        taken = await self._rows(sql.TAKE, role=role, process=described(ourselves()), seconds=LASTS)
        if not taken:
            found = await self._rows(sql.HOLDER, role=role)
            holder, until = (found[0].process, found[0].ends_at) if found else ("a process that has just ended", "")
            raise HeldError(role, holder, until=until)
        self._held[role] = Lease(taken[0].number, began + LASTS)
        self._lost.discard(role)

    async def give_back(self, role: str) -> None:
        self._lost.discard(role)
        lease = self._held.pop(role, None)
        if lease is not None:
            lease.over.set()
            with suppress(LostError):  # then it ends by itself
                passing = role.startswith((OWNER, PROCESS))  # no other process will ask for it
                await self._rows(sql.FORGET if passing else sql.GIVE_BACK, role=role, number=lease.number)

    async def is_free(self, role: str) -> bool:
        return role not in self._held and not await self._rows(sql.HOLDER, role=role)

    async def free_among(self, *roles: str) -> list[str]:
        taken = {row.role for row in await self._rows(sql.TAKEN, roles=list(roles))} | self._held.keys()
        return [role for role in roles if role not in taken]

    async def holders(self) -> list[Holder]:
        found = await self._rows(sql.HOLDERS)
        return [Holder(row.role, row.process, row.taken_at, row.takeovers) for row in found]

    async def watch(self, *roles: str) -> None:
        while True:
            leases = [self._require(role) for role in roles]
            left = min(lease.ends for lease in leases) - asyncio.get_running_loop().time()
            await pause(max(left, 0.0), *[lease.over for lease in leases])

    async def guard(self, connection: AsyncConnection, *roles: str) -> None:
        ours = self.shown(*roles)
        if not ours:
            return
        given = {"roles": list(ours), "numbers": list(ours.values())}
        kept = {row.role for row in await connection.execute(text(sql.GUARD), given)}
        for role in ours:
            if role not in kept and role in self._held:
                self._lose(role, self._held[role])
        for role in ours:
            self._require(role)

    def shown(self, *roles: str) -> dict[str, int]:
        return {role: self._require(role).number for role in roles if role in self._held or role in self._lost}

    def may_begin(self, *roles: str) -> bool:
        now = asyncio.get_running_loop().time()
        held = [self._held[role] for role in roles if role in self._held]
        return not self._lost.intersection(roles) and all(now < lease.ends - LAST_MOMENTS for lease in held)

    async def close(self) -> None:
        for role in list(self._held):
            await self.give_back(role)
        if self._renewing is not None:
            self._renewing.cancel()
            await asyncio.gather(self._renewing, return_exceptions=True)
        await asyncio.gather(*self._closing, return_exceptions=True)
        if self._connection is not None:
            await self._connection.close()
        await self._engine.dispose()

    def _require(self, role: str) -> Lease:
        """Our lease of a role. Raises LostError where it has ended."""
        lease = self._held.get(role)
        if lease is not None and asyncio.get_running_loop().time() >= lease.ends:
            self._lose(role, lease)
        if role not in self._held:
            raise LostError(f"the lease of {role.partition(':')[0]} has ended")
        return self._held[role]

    def _lose(self, role: str, lease: Lease) -> None:
        if self._held.get(role) is lease:
            del self._held[role]
            self._lost.add(role)
            lease.over.set()

    async def _renew_while_held(self) -> None:
        """Renew all leases every few seconds, or end those whose time is over."""
        wait = RENEWED_EVERY
        while True:
            await asyncio.sleep(wait)
            wait = RENEWED_EVERY
            try:
                await self._renew()
            except LostError:  # until the first one ends
                wait = TRIED_EVERY
            for role in list(self._held):
                with suppress(LostError):
                    self._require(role)
            if not self._held:
                return

    async def _renew(self) -> None:
        began, ours = asyncio.get_running_loop().time(), dict(self._held)
        numbers = [lease.number for lease in ours.values()]
        kept = {row.role for row in await self._rows(sql.RENEW, roles=list(ours), numbers=numbers, seconds=LASTS)}
        for role, lease in ours.items():
            if role in kept:
                lease.ends = began + LASTS
            else:
                self._lose(role, lease)

    async def _rows(self, query: str, **values: object) -> Sequence[Row[Any]]:
        """Run one statement. Raises LostError where the server does not answer in time."""
        async with self._lock:
            asked = asyncio.ensure_future(self._ask(query, values))
            # Not a timeout around it: a driver may take long to cancel a query, and we must stop now.
            try:
                await asyncio.wait([asked], timeout=PATIENCE)
                if asked.done():
                    return asked.result()
                raise TimeoutError
            except (DBAPIError, OSError, TimeoutError) as error:
                self._drop_connection(asked)
                raise LostError(f"the database cannot be asked for leases ({type(error).__name__})") from error
            except asyncio.CancelledError:
                self._drop_connection(asked)
                raise

    async def _ask(self, query: str, values: dict[str, object]) -> Sequence[Row[Any]]:
        if self._connection is None:
            self._connection = await self._engine.connect()
        result = await self._connection.execute(text(query), values)
        return result.all() if result.returns_rows else ()

    def _drop_connection(self, asked: asyncio.Future[Sequence[Row[Any]]]) -> None:
        """Close a connection that failed in the background: that may take a while. Leases do not depend on it."""
        failed, self._connection = self._connection, None

        async def close() -> None:
            asked.cancel()
            await asyncio.gather(asked, return_exceptions=True)
            if failed is not None:
                with suppress(Exception):
                    await failed.invalidate()
                    await failed.close()

        closing = asyncio.ensure_future(close())
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)
