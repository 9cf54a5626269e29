"""Waiting without polling: every waiting task checks its condition again when the bell rings."""

import asyncio
import math
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")

LIMIT = 10.0  # seconds; only catches what hangs


class Bell:
    """Rings at every change of something that tests wait for."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Future[None]] = set()

    def ring(self) -> None:
        for waiting in self._waiting:
            if not waiting.done():
                waiting.set_result(None)

    async def until(self, look: Callable[[], Found | None], what: Callable[[], str], limit: float = LIMIT) -> Found:
        """The first result of `look` that is not None. Raises TimeoutError with the text `what` after the limit."""
        try:
            async with asyncio.timeout(None if limit == math.inf else limit):
                while (found := look()) is None:
                    await self._rung()
                return found
        except TimeoutError:
            raise TimeoutError(what()) from None

    async def _rung(self) -> None:
        waiting = asyncio.get_running_loop().create_future()
        self._waiting.add(waiting)
        try:
            await waiting
        finally:
            self._waiting.discard(waiting)
