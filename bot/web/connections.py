"""Connections of visitors, within bounds: their number, and how long one may take to read what it asked for.

Deliveries need connections of their own; slow visitors must never use up what the system gives us.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from aiohttp.web_protocol import RequestHandler
from aiohttp.web_server import Server

MOST = 400
"""Connections at once; most systems give a process 1,024 files."""
STUCK = 20.0
"""Seconds after which a visitor who takes nothing of what we send is given up."""
LOOK = 2.0


class _Turned(asyncio.Protocol):
    """For who comes when there is no room: closed at once."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.close()


class Gate:
    """Makes a protocol for each connection, as `loop.create_server` wants it."""

    def __init__(self, server: Server, most: int = MOST, stuck: float = STUCK) -> None:
        self._server = server
        self._most = most
        self._stuck = stuck
        self._waiting: dict[RequestHandler, tuple[int, float]] = {}
        """What each connection had not taken at a look, and since when it has taken nothing of that."""

    def __call__(self) -> asyncio.Protocol:
        if len(self._server.connections) >= self._most:
            return _Turned()
        made: asyncio.Protocol = self._server()
        return made

    async def watch(self, *, every: float = LOOK) -> None:
        """Give up, for ever, those who take nothing."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(every)
            self.look(loop.time)

    def look(self, time: Callable[[], float]) -> None:
        """Close what has been stuck for too long; `time` is the event loop's."""
        now, waiting = time(), {}
        for connection in list(self._server.connections):
            transport = connection.transport
            left = 0 if transport is None else transport.get_write_buffer_size()
            if not left or transport is None:
                continue
            before, since = self._waiting.get(connection, (left, now))
            since = since if left >= before else now
            if now - since >= self._stuck:
                transport.abort()
            else:
                waiting[connection] = (left, since)
        self._waiting = waiting
