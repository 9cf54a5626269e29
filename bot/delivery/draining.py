"""Draining: a process that was asked to drain claims nothing more, finishes what is in flight, and ends."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from bot.delivery.dispatcher import Dispatcher
from bot.runtime.locks import this_process
from bot.runtime.supervisor import pause, until
from bot.store import DatabaseFault, NoConnectionError, OutOfReachError, Store, drain_requests

log = logging.getLogger(__name__)

ASKED_EVERY = 2.0
"""Seconds between two looks for a request in the database."""
LOOK_EVERY = 0.2
"""Seconds between two looks whether what is in flight has ended."""


async def drain_when_told(
    store: Store, dispatchers: Sequence[Dispatcher], told: asyncio.Event, stop: asyncio.Event
) -> None:
    """Wait until `told`, or until asked in the database; then finish, and set `stop`. Returns when that is set."""
    if not await until(stop, asyncio.ensure_future(_told(store, told))):
        return
    log.info("draining: nothing more is claimed")
    for dispatcher in dispatchers:
        dispatcher.draining = True
    while any(dispatcher.busy for dispatcher in dispatchers) and not stop.is_set():
        await pause(LOOK_EVERY, stop)
    stop.set()


async def _told(store: Store, told: asyncio.Event) -> None:
    while not told.is_set():
        try:
            if await drain_requests.is_asked(store, this_process()):
                return
        except (DatabaseFault, NoConnectionError, OutOfReachError, OSError):
            pass  # whatever needs the database says so
        await pause(ASKED_EVERY, told)
