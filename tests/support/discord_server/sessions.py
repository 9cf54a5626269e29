"""Sessions of the gateway, which outlive their connections (topics/gateway)."""

from __future__ import annotations

import asyncio
import json
import zlib
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.support.discord_server.messages import Json

DISPATCH, HEARTBEAT, IDENTIFY, PRESENCE, VOICE_STATE, RESUME = 0, 1, 2, 3, 4, 6
RECONNECT, REQUEST_MEMBERS, INVALID_SESSION, HELLO, ACK = 7, 8, 9, 10, 11
GUILDS, GUILD_MESSAGES, DIRECT_MESSAGES, MESSAGE_CONTENT = 1 << 0, 1 << 9, 1 << 12, 1 << 15
PRIVILEGED = 1 << 1 | 1 << 8 | MESSAGE_CONTENT
KNOWN_INTENTS = (1 << 22) - 1 | 1 << 24 | 1 << 25
SENDS, SEND_WINDOW = 120, 60.0
LARGEST = 4096
"""Bytes that one frame of a client may have."""
REPLAYED = 5_000
"""Events kept for a session that may resume."""


class ClosedError(Exception):
    """The service closes a connection."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


@dataclass(eq=False)
class Session:
    """What one client has been told, whether it is connected now or not."""

    id: str
    intents: int
    shard: tuple[int, int]
    seq: int = 0
    events: deque[str] = field(default_factory=lambda: deque(maxlen=REPLAYED))
    """The frames since the beginning, of which the last has `seq` as its number."""
    connection: Connection | None = None

    def wants(self, event: str, guild_id: int | None) -> bool:
        """Whether the client asked for such events, and this shard is where they go."""
        number, count = self.shard
        if (0 if guild_id is None else (guild_id >> 22) % count) != number:
            return False
        if event.startswith(("GUILD_", "CHANNEL_", "THREAD_")):
            return bool(self.intents & GUILDS)
        if event.startswith("MESSAGE_"):
            return bool(self.intents & (DIRECT_MESSAGES if guild_id is None else GUILD_MESSAGES))
        return True

    def push(self, event: str, data: Json) -> None:
        """Number an event, keep it, and send it if anybody is there."""
        self.seq += 1
        frame = json.dumps({"op": DISPATCH, "t": event, "s": self.seq, "d": data})
        self.events.append(frame)
        if self.connection is not None:
            self.connection.outgoing.put_nowait(frame)

    def since(self, seq: int) -> Iterator[str]:
        """The frames after a number."""
        first = self.seq - len(self.events)
        return (frame for place, frame in enumerate(self.events, start=first + 1) if place > seq)


@dataclass(eq=False)
class Connection:
    """One websocket, as long as it lasts."""

    socket: web.WebSocketResponse
    request: web.Request
    squeeze: Any = None
    session: Session | None = None
    outgoing: asyncio.Queue[str | ClosedError] = field(default_factory=asyncio.Queue)
    sends: deque[float] = field(default_factory=deque)

    def say(self, op: int, data: Any = None) -> None:
        """Send a frame that is no event."""
        self.outgoing.put_nowait(json.dumps({"op": op, "t": None, "s": None, "d": data}))

    async def write(self) -> None:
        """Send what there is to send until it is closed."""
        while True:
            frame = await self.outgoing.get()
            if isinstance(frame, ClosedError):
                await self.socket.close(code=frame.code, message=frame.reason.encode())
                return
            if self.squeeze is None:
                await self.socket.send_str(frame)
            else:
                await self.socket.send_bytes(
                    self.squeeze.compress(frame.encode()) + self.squeeze.flush(zlib.Z_SYNC_FLUSH)
                )

    def cut(self) -> None:
        """Drop it without a word, as a failing network does."""
        if self.request.transport is not None:
            self.request.transport.abort()
