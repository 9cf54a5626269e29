"""Keeps an account's rate together with every other process that sends with it: sends are reserved, a few at a time."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Protocol

from bot.channel import Channel, Rate
from bot.store import DatabaseFault, NoConnectionError, OutOfReachError, Store, account_budgets

log = logging.getLogger(__name__)

AHEAD = 0.25
"""Seconds of the account's rate that one process reserves at most: so long at most an answer waits for others."""
LATE = 3
"""Sends that a turn may be late and still be taken; what is later is given up, else sends would bunch."""
SLOWER = 0.8
"""Share of the account's rate that is used for a while after the service found us too fast."""
SLOW_SECONDS = 60.0  # seconds for which that share holds
ASK_AGAIN = 1.0
"""Seconds until the database is asked again that did not answer."""

Reserve = Callable[[int, float], Awaitable[float]]
"""Given a number of sends and the seconds between them, reserves them: seconds until the first (`account_budgets`)."""


class AccountRate(Protocol):
    """A rate of an account: `wait` returns when one more message may be sent."""

    def slow_down(self) -> None: ...

    async def wait(self) -> None: ...


class SharedRate:
    """The rate of an account whose sends are spread over processes. For one event loop."""

    def __init__(self, rate: Rate, reserve: Reserve) -> None:
        self._apart = rate.seconds / rate.count
        self._most = max(1, round(AHEAD / self._apart))
        self._reserve = reserve
        self._slots: deque[float] = deque()
        """When the sends that we have reserved may begin, by the loop's clock."""
        self._next: asyncio.Task[None] | None = None
        self._number = 1
        """Sends to reserve next: one by one at first, more while they are used up."""
        self._lock = asyncio.Lock()
        self._slow_until = 0.0

    def slow_down(self) -> None:
        """Reserve wider apart for a minute."""
        self._slow_until = asyncio.get_running_loop().time() + SLOW_SECONDS

    async def wait(self) -> None:
        """Wait until one more send is allowed. While the database does not answer, none is."""
        clock = asyncio.get_running_loop().time
        async with self._lock:
            self._drop_late(clock())
            while not self._slots:
                await asyncio.shield(self._reserving())
                self._drop_late(clock())
            at = self._slots.popleft()
            if len(self._slots) < self._number / 2 and at > clock():  # we are faster than the rate: ask ahead of need
                _ = self._reserving()
            await asyncio.sleep(max(at - clock(), 0.0))

    def _drop_late(self, now: float) -> None:
        """Give up what was reserved for moments that are long over, and begin small again."""
        while self._slots and self._slots[0] < now - LATE * self._apart:
            self._slots.popleft()
            self._number = 1

    def _reserving(self) -> asyncio.Task[None]:
        if self._next is None or self._next.done():
            self._next = asyncio.create_task(self._reserve_more(), name="reserve sends")
        return self._next

    async def _reserve_more(self) -> None:
        loop = asyncio.get_running_loop()
        apart = self._apart / SLOWER if loop.time() < self._slow_until else self._apart
        while True:
            try:
                wait = await self._reserve(self._number, apart)
                break
            except (DatabaseFault, NoConnectionError, OutOfReachError, OSError, TimeoutError) as error:
                log.warning("no sends can be reserved, retried", extra={"reason": type(error).__name__})
                await asyncio.sleep(ASK_AGAIN)
        first = max(loop.time() + wait, self._slots[-1] + apart if self._slots else 0.0)
        self._slots.extend(first + number * apart for number in range(self._number))
        self._number = min(2 * self._number, self._most)


def shared_rate(store: Store, channel: Channel) -> SharedRate | None:
    """The rate of a channel's account, which all processes on one PostgreSQL share; None where one process sends."""
    rate = channel.pace.account
    if rate is None or store.path is not None:
        return None
    return SharedRate(rate, partial(account_budgets.reserve, store, channel.name))
