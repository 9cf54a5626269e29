"""Waiting for a condition without polling."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Bell:
    """Rings at every change."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """Wake all waiting tasks, so that they check their conditions."""
        rung, self._rung = self._rung, asyncio.Event()
        rung.set()

    async def until(self, holds: Callable[[], bool], *, limit: float) -> None:
        """Return as soon as it holds; TimeoutError after a limit in seconds, which only catches what hangs."""
        async with asyncio.timeout(limit):
            while not holds():
                await self._rung.wait()
