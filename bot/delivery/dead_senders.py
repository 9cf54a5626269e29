"""Finds what dead senders had in flight on a channel: it may have arrived, and is marked as unknown."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from bot.runtime.locks import OWNER, Locks
from bot.store import Store, unconfirmed

log = logging.getLogger(__name__)

SWEEP = timedelta(seconds=5)
"""Time between two searches for deliveries whose process died or that may be sent again."""


class DeadSenders:
    """Looks for dead senders of one channel, now and then."""

    def __init__(self, store: Store, locks: Locks, channel: str) -> None:
        self._store, self._locks, self._channel = store, locks, channel
        self._looked_at: datetime | None = None

    async def mark(self, living: str, now: datetime) -> int:
        """Mark as unknown what dead ones had in flight; returns how many deliveries that were.

        `living` is the owner that asks. Owners are listed before their locks are tried.
        """
        if self._looked_at is not None and self._looked_at <= now < self._looked_at + SWEEP:
            return 0
        async with self._store.read() as connection:
            owners = await unconfirmed.owners_in_flight(connection, self._channel)
        others = [f"{OWNER}{owner}" for owner in owners - {living}]
        doubted = 0
        for role in await self._locks.free_among(*others) if others else ():
            async with self._store.write() as connection:
                owner = role.removeprefix(OWNER)
                doubted += await unconfirmed.mark_unknown(connection, self._channel, owner, now=now)
        self._looked_at = now
        if doubted:
            event = "sending process died, its deliveries are marked unknown"
            log.warning(event, extra={"channel": self._channel, "count": doubted})
        return doubted
