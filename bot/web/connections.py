"""Limits on connections: how many there may be, and how long one may take to read its answer.

Deliveries need connections too; slow visitors must never use up what the system allows the process.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import cast

from aiohttp.web_protocol import RequestHandler
from aiohttp.web_server import Server

from bot.web.client import is_among, rate_limit_key
from bot.web.settings import Network

MOST = 400
"""Connections at once; most systems allow a process 1,024 open files."""
MOST_PER_CLIENT = 50
"""Connections at once of one client; a browser opens six to a host, and a household or an office has many browsers."""
STUCK = 20.0
"""Seconds after which a client that reads nothing of its answer is cut off."""
CHECK_EVERY = 2.0
"""Seconds between two checks for stuck clients."""


class _Refused(asyncio.Protocol):
    """A connection over the limit: closed at once."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.close()


class _Accepted(asyncio.Protocol):
    """A connection within the limit: handed to the server's protocol, or closed if its client has too many."""

    def __init__(self, limiter: ConnectionLimiter) -> None:
        self._limiter = limiter

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        connected = cast("asyncio.Transport", transport)
        protocol = self._limiter.admit(_peer(connected))
        if protocol is None:
            connected.close()
            return
        connected.set_protocol(protocol)
        protocol.connection_made(connected)


class ConnectionLimiter:
    """Makes a protocol for each connection, as `loop.create_server` wants it.

    Connections from `proxies` carry many clients; only the proxy itself can limit those one by one.
    """

    def __init__(
        self, server: Server, most: int = MOST, stuck: float = STUCK, *, proxies: Sequence[Network] = ()
    ) -> None:
        self._server = server
        self._most = most
        self._stuck = stuck
        self._proxies = proxies
        self._waiting: dict[RequestHandler, tuple[int, float]] = {}
        """The bytes that each connection had unread at the last check, and since when it has read none of them."""

    def __call__(self) -> asyncio.Protocol:
        if len(self._server.connections) >= self._most:
            return _Refused()
        return _Accepted(self)

    def admit(self, peer: str) -> asyncio.Protocol | None:
        """The server's protocol for a connection from an IP address; None if its client has too many already."""
        if not is_among(peer, self._proxies):
            client = rate_limit_key(peer, (), ())
            peers = [_peer(each.transport) for each in self._server.connections if each.transport is not None]
            if sum(rate_limit_key(each, (), ()) == client for each in peers) >= MOST_PER_CLIENT:
                return None
        protocol: asyncio.Protocol = self._server()
        return protocol

    async def watch(self, *, every: float = CHECK_EVERY) -> None:
        """Cut stuck clients off, for ever."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(every)
            self.look(loop.time)

    def look(self, time: Callable[[], float]) -> None:
        """Close the connections that have been stuck for too long; `time` is the event loop's."""
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


def _peer(transport: asyncio.BaseTransport) -> str:
    """The IP address at the other end, "" if it is gone already."""
    name = transport.get_extra_info("peername")
    return str(name[0]) if isinstance(name, tuple) else ""
