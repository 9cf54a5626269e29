"""Pacing ahead of time: a service's rates are kept before it has to complain. aiolimiter's home.

Only the holder of an account's lock sends, so the rates of an account are spent in one place. Answers to people
who are waiting go past the queue: of a broadcast, no more than one message is ever ahead of them.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict

from aiolimiter import AsyncLimiter

from bot.channel import Pace, Rate

RECIPIENTS = 10_000
"""As many recipients' buckets are remembered; one that was not used for so long is full again."""


class Pacer:
    """Lets sends pass at the pace that a channel declares."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._account = None if pace.account is None else _bucket(pace.account)
        self._recipients: OrderedDict[str, AsyncLimiter] = OrderedDict()
        self._gate = asyncio.Lock()
        self._urgent = 0
        self._calm = asyncio.Event()
        self._calm.set()

    async def turn(self, to: str, *, urgent: bool = False) -> None:
        """Wait until a message to `to` may leave."""
        bucket = self._recipient(to)
        if bucket is not None:
            await bucket.acquire()
        if self._account is None:
            return
        if urgent:
            self._urgent += 1
            self._calm.clear()
            try:
                await self._account.acquire()
            finally:
                self._urgent -= 1
                if not self._urgent:
                    self._calm.set()
            return
        async with self._gate:  # one message of the broadcast stands at the door, the others behind it
            await self._calm.wait()
            await self._account.acquire()

    def _recipient(self, to: str) -> AsyncLimiter | None:
        rate = self._pace.kinds.get(self._pace.kind(to), self._pace.recipient)
        if rate is None:
            return None
        bucket = self._recipients.get(to)
        if bucket is None:
            bucket = self._recipients[to] = _bucket(rate)
            if len(self._recipients) > RECIPIENTS:
                self._recipients.popitem(last=False)
        self._recipients.move_to_end(to)
        return bucket


def _bucket(rate: Rate) -> AsyncLimiter:
    """A limiter that spaces evenly: a burst followed by the full rate would be twice the rate in its first second."""
    return AsyncLimiter(1, rate.seconds / rate.count)
