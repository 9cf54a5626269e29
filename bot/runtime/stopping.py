"""Stops the program when a signal says so: in order if that works, and after a deadline whatever hangs."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import threading
from contextlib import suppress

log = logging.getLogger(__name__)

LONGEST_STOP = 8.0
"""Seconds between the signal and the end of the process at the latest; containers are killed after ten."""
STUCK = 1
"""The exit code of a process that had to be ended."""


def stop_on_signals(stop: asyncio.Event, longest: float = LONGEST_STOP) -> None:
    """Set `stop` when SIGTERM or SIGINT comes, and end the process `longest` seconds later if it still runs then."""
    loop = asyncio.get_running_loop()

    def told() -> None:
        if not stop.is_set():
            stop.set()
            last = threading.Timer(longest, _end, [loop])
            last.daemon = True  # a process that ends in order does not wait for it
            last.start()

    for number in (signal.SIGTERM, signal.SIGINT):
        try:
            loop.add_signal_handler(number, told)
        except NotImplementedError:  # Windows
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(told))


def drain_on_signal(drain: asyncio.Event) -> None:
    """Set `drain` when SIGUSR1 comes (`papers drain`); Windows has no such signal."""
    with suppress(NotImplementedError, AttributeError):
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, drain.set)


def _end(loop: asyncio.AbstractEventLoop) -> None:
    """Say what hangs, and end the process. What was in flight is found in the database at the next start."""
    hanging = sorted(task.get_name() for task in asyncio.all_tasks(loop))
    log.error("stopping took too long, process ended", extra={"tasks": hanging})
    os._exit(STUCK)
