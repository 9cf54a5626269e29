"""Keeps searches from taking the machine from everything else: few at once, and pauses between them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

AT_ONCE = 4
"""Searches that run at the same time."""
MOST_WAITING = 60
"""Searches that may wait for their turn."""
REST = 40.0
"""For how many times as long as a search took its place stays empty while others wait; deliveries have that time."""


class BusyError(Exception):
    """More searches wait than may."""


class SearchGate:
    """Lets `at_once` searches run at a time, in the order in which they came, with a rest if there are more of them."""

    def __init__(self, at_once: int = AT_ONCE, waiting: int = MOST_WAITING, rest: float = REST) -> None:
        self._places = asyncio.Semaphore(at_once)
        self._most_waiting = waiting
        self._waiting = 0
        self._rest = rest
        self.running = 0
        """Searches that run now."""

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for one's turn, and have it for a block of code. Raises BusyError."""
        if self._waiting >= self._most_waiting:
            raise BusyError
        self._waiting += 1
        try:
            await self._places.acquire()
        finally:
            self._waiting -= 1
        loop = asyncio.get_running_loop()
        began = loop.time()
        self.running += 1
        try:
            yield
        finally:
            self.running -= 1
            rest = self._rest if self._waiting else 0.0
            loop.call_later((loop.time() - began) * rest, self._places.release)
