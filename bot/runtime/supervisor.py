"""Endless work, kept going: each part runs on its own, fails on its own and comes back on its own."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

log = logging.getLogger(__name__)

SHORTEST_BREAK = 1.0
LONGEST_BREAK = 60.0
TICK = 1.0
"""Seconds after which an idle part looks again, whatever it was told: other processes may have made work."""


def clock() -> datetime:
    """Now. Everything below this takes the time as an argument."""
    return datetime.now(UTC)


async def pause(seconds: float, *events: asyncio.Event) -> None:
    """Wait for any of `events`, at most for `seconds`."""
    waiting = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for each in waiting:
            each.cancel()


async def until(stop: asyncio.Event, work: asyncio.Future[Any]) -> bool:
    """Wait for `work`, or cut it off when told to stop; whether it came to its end. Raises what it raised."""
    stopped = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait([work, stopped], return_when=asyncio.FIRST_COMPLETED)
        if work.done():
            work.result()
            return True
        return False
    finally:
        stopped.cancel()
        if not work.done():
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)


async def supervise(name: str, work: Callable[[], Awaitable[None]], stop: asyncio.Event) -> None:
    """Run `work` until it returns; where it raises, say so once and start it again, after ever longer breaks."""
    breather, said = SHORTEST_BREAK, None
    while not stop.is_set():
        started = asyncio.get_running_loop().time()
        try:
            await work()
            return
        except (Exception, asyncio.CancelledError) as error:  # one part failing never stops the others
            task = asyncio.current_task()
            if isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling():
                raise  # it is we who are to stop, not some library's own affair
            if asyncio.get_running_loop().time() - started > LONGEST_BREAK:
                breather, said = SHORTEST_BREAK, None
            if said != repr(error):
                log.exception("part failed and is started again", extra={"part": name})
                said = repr(error)
        await pause(breather, stop)
        breather = min(breather * 2, LONGEST_BREAK)
