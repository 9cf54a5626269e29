"""Supervision of endless jobs: one that fails is restarted with backoff and stops no other."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from typing import Any

log = logging.getLogger(__name__)

SHORTEST_BACKOFF = 1.0  # seconds
LONGEST_BACKOFF = 60.0
"""Seconds before a failed job is restarted; doubled with every failure in a row."""
TICK = 1.0
"""Seconds after which an idle job looks for work again: other processes may have made some."""


def clock() -> datetime:
    """The current time, in UTC. Everything below the service gets the time as an argument."""
    return datetime.now(UTC)


async def pause(seconds: float, *events: asyncio.Event) -> None:
    """Wait until any of `events` is set, for `seconds` at most."""
    waiting = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for each in waiting:
            each.cancel()


async def until(stop: asyncio.Event, work: asyncio.Future[Any]) -> bool:
    """Wait for `work`, and cancel it when `stop` is set. Returns whether it finished; raises what it raises."""
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


def backoffs() -> Iterator[float]:
    """The seconds to wait before each further try, doubled up to `LONGEST_BACKOFF`, for ever."""
    wait = SHORTEST_BACKOFF
    while True:
        yield wait
        wait = min(wait * 2, LONGEST_BACKOFF)


async def supervise(name: str, work: Callable[[], Awaitable[None]], stop: asyncio.Event) -> None:
    """Run `work` until it returns; when it raises, log the error once and restart it with backoff."""
    waits, logged = backoffs(), None
    while not stop.is_set():
        started = asyncio.get_running_loop().time()
        try:
            await work()
            return
        except (Exception, asyncio.CancelledError) as error:  # one failing job never stops the others
            task = asyncio.current_task()
            if isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling():
                raise  # we are being cancelled; otherwise it is some library's own cancellation
            if asyncio.get_running_loop().time() - started > LONGEST_BACKOFF:
                waits, logged = backoffs(), None
            if logged != repr(error):
                log.exception("job failed, it is restarted with backoff", extra={"job": name})
                logged = repr(error)
        await pause(next(waits), stop)
