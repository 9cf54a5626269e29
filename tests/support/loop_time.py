"""A clock for tests of rates: sleeping costs no time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Time:
    """An event loop whose clock jumps to whatever it would have waited for."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.now = 0.0
        self.late: Callable[[], float] = lambda: 0.0
        """Seconds by which a wait takes longer than it should, as on a machine that is busy."""
        loop.time = lambda: self.now  # type: ignore[method-assign]
        select = loop._selector.select  # type: ignore[attr-defined]

        def jump(timeout: float | None) -> object:
            found = select(0)
            self.now += 1e-6 if found else (timeout or 1e-6) + self.late()  # work takes a moment, too
            return found

        loop._selector.select = jump  # type: ignore[attr-defined]

    def run(self, work: object) -> None:
        try:
            self.loop.run_until_complete(work)  # type: ignore[arg-type]
        finally:
            self.loop.close()
