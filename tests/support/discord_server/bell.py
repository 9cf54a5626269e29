"""Waiting for something to become true, without sleeping."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Bell:
    """Rung whenever anything changed."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """Wake everybody who waits, so that they look again."""
        rung, self._rung = self._rung, asyncio.Event()
        rung.set()

    async def until(self, holds: Callable[[], bool], *, limit: float) -> None:
        """Return as soon as it holds; TimeoutError after so many seconds, which only catches what hangs."""
        async with asyncio.timeout(limit):
            while not holds():
                await self._rung.wait()
