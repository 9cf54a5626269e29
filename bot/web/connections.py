"""Connections of visitors, within bounds: their number, and how long one may take to read what it asked for.

Deliveries need connections of their own; slow visitors must never use up what the system gives us.
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
"""Connections at once; most systems give a process 1,024 files."""
MOST_OF_ONE = 50
"""Connections at once of one visitor; a browser opens six to a host, and a house or an office has many browsers."""
STUCK = 20.0
"""Seconds after which a visitor who takes nothing of what we send is given up."""
LOOK = 2.0


class _Turned(asyncio.Protocol):
    """For who comes when there is no room: closed at once."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.close()


class _Arrival(asyncio.Protocol):
    """For who comes while there is room: handed on to the server's own protocol, or closed, by where it comes from."""

    def __init__(self, gate: ConnectionLimiter) -> None:
        self._gate = gate

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        arrived = cast("asyncio.Transport", transport)
        made = self._gate.admit(_peer(arrived))
        if made is None:
            arrived.close()
            return
        arrived.set_protocol(made)
        made.connection_made(arrived)


class ConnectionLimiter:
    """Makes a protocol for each connection, as `loop.create_server` wants it.

    Behind one of `proxies` there are many visitors, whom it has to keep within bounds itself.
    """

    def __init__(
        self, server: Server, most: int = MOST, stuck: float = STUCK, *, proxies: Sequence[Network] = ()
    ) -> None:
        self._server = server
        self._most = most
        self._stuck = stuck
        self._proxies = proxies
        self._waiting: dict[RequestHandler, tuple[int, float]] = {}
        """What each connection had not taken at a look, and since when it has taken nothing of that."""

    def __call__(self) -> asyncio.Protocol:
        if len(self._server.connections) >= self._most:
            return _Turned()
        return _Arrival(self)

    def admit(self, peer: str) -> asyncio.Protocol | None:
        """The server's own protocol for a connection from an address; None where it has too many already."""
        if not is_among(peer, self._proxies):
            client = rate_limit_key(peer, (), ())
            peers = [_peer(each.transport) for each in self._server.connections if each.transport is not None]
            if sum(rate_limit_key(each, (), ()) == client for each in peers) >= MOST_OF_ONE:
                return None
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


def _peer(transport: asyncio.BaseTransport) -> str:
    """The IP address at the other end, "" where it is gone already."""
    name = transport.get_extra_info("peername")
    return str(name[0]) if isinstance(name, tuple) else ""
