"""The gateway: connections, events, and disconnects on demand (topics/gateway)."""

from __future__ import annotations

import asyncio
import json
import zlib
from collections import Counter, deque
from typing import Any

from aiohttp import WSMsgType, web

from tests.support.discord_server.bell import Bell
from tests.support.discord_server.clock import Clock
from tests.support.discord_server.messages import Json
from tests.support.discord_server.places import Places
from tests.support.discord_server.sessions import (
    ACK,
    HEARTBEAT,
    HELLO,
    IDENTIFY,
    INVALID_SESSION,
    KNOWN_INTENTS,
    LARGEST,
    PRESENCE,
    PRIVILEGED,
    RECONNECT,
    REQUEST_MEMBERS,
    RESUME,
    SEND_WINDOW,
    SENDS,
    VOICE_STATE,
    ClosedError,
    Connection,
    Session,
)


class Gateway:
    """Where clients connect to be told what happens."""

    def __init__(self, places: Places, clock: Clock) -> None:
        self.places, self.clock = places, clock
        self.token = "bot-token"
        self.url = ""
        self.privileged = 0
        """Privileged intents that the app was granted, as bits."""
        self.interval = 41.25
        """Seconds between heartbeats that clients are asked for."""
        self.acknowledges = True
        self.resumable = True
        """Whether a session may be resumed; else every RESUME is answered with INVALID_SESSION."""
        self.identify_limit = 1_000
        self.identifies: deque[float] = deque()
        self.sessions: dict[str, Session] = {}
        self.connections: list[Connection] = []
        self.counts: Counter[str] = Counter()
        """Frames by what they were: "HELLO", "IDENTIFY", "RESUMED", "close 4004", ..."""
        self.received: deque[Json] = deque(maxlen=200)
        self.bell = Bell()

    @property
    def live(self) -> list[Session]:
        """Sessions with somebody there."""
        return [each for each in self.sessions.values() if each.connection is not None]

    async def until(self, what: str, count: int = 1, *, limit: float = 10) -> None:
        """Wait until something was counted so often: "READY", "RESUMED"; TimeoutError if it never is."""
        await self.bell.until(lambda: self.counts[what] >= count, limit=limit)

    def announce(self, event: str, data: Json, guild_id: int | None = None) -> None:
        """Tell every session that it concerns."""
        self.note(event)
        for session in self.sessions.values():
            if session.wants(event, guild_id):
                session.push(event, data)

    def drop(self) -> None:
        """Drop every connection without a close frame; sessions may be resumed."""
        for each in self.connections:
            each.cut()

    def reconnect(self) -> None:
        """Ask every client to reconnect."""
        for each in self.connections:
            each.say(RECONNECT)

    def invalidate(self, *, resumable: bool = False) -> None:
        """Tell every client that its session is over, or that it may try to resume."""
        for each in self.connections:
            if not resumable and each.session is not None:
                self.sessions.pop(each.session.id, None)
                each.session = None
            each.say(INVALID_SESSION, resumable)

    def close(self, code: int) -> None:
        """Close every connection with a code."""
        for each in self.connections:
            each.outgoing.put_nowait(ClosedError(code, "as the test wished"))

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """One connection, from HELLO to its end."""
        socket = web.WebSocketResponse(max_msg_size=1 << 20, timeout=1)
        await socket.prepare(request)
        squeeze = zlib.compressobj() if request.query.get("compress") == "zlib-stream" else None
        connection = Connection(socket, request, squeeze)
        self.connections.append(connection)
        writer = asyncio.create_task(connection.write())
        try:
            self._admit(request)
            connection.say(HELLO, {"heartbeat_interval": int(self.interval * 1000)})
            self.note("HELLO")
            await self._listen(connection)
        except ClosedError as closed:
            self.note(f"close {closed.code}")
            connection.outgoing.put_nowait(closed)
            await asyncio.wait([writer], timeout=5)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)
            self.connections.remove(connection)
            self._detach(connection)
        return socket

    def _admit(self, request: web.Request) -> None:
        if request.query.get("v") != "10":
            raise ClosedError(4012, "Invalid API version")
        if request.query.get("encoding", "json") != "json" or request.query.get("compress") not in {
            None,
            "zlib-stream",
        }:
            raise ClosedError(4002, "This server speaks JSON, plain or as a zlib stream")

    async def _listen(self, connection: Connection) -> None:
        beat = self.clock.seconds
        while True:
            try:
                frame = await connection.socket.receive(timeout=self.interval * 1.5)
            except TimeoutError:
                raise ClosedError(4009, "Session timed out") from None
            if frame.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
                return
            op, data = self._read(connection, frame.data)
            if op == HEARTBEAT:
                beat = self.clock.seconds
                self.note("HEARTBEAT")
                if self.acknowledges:
                    connection.say(ACK)
            elif self.clock.seconds - beat > self.interval * 1.5:
                raise ClosedError(4009, "Session timed out")
            elif op == IDENTIFY:
                self._identify(connection, data)
            elif op == RESUME:
                self._resume(connection, data)
            elif connection.session is None:
                raise ClosedError(4003, "Not authenticated")
            elif op not in (PRESENCE, VOICE_STATE, REQUEST_MEMBERS):
                raise ClosedError(4001, "Unknown opcode")

    def _read(self, connection: Connection, raw: str | bytes) -> tuple[int, Any]:
        now = self.clock.seconds
        connection.sends.append(now)
        while connection.sends[0] <= now - SEND_WINDOW:
            connection.sends.popleft()
        if len(connection.sends) > SENDS:
            raise ClosedError(4008, "Rate limited")
        if len(raw) > LARGEST:
            raise ClosedError(4002, "Decode error")
        try:
            frame = json.loads(raw)
            op, data = frame["op"], frame.get("d")
        except (ValueError, KeyError, TypeError, AttributeError):
            raise ClosedError(4002, "Decode error") from None
        self.received.append(frame)
        return op, data

    def _identify(self, connection: Connection, data: Any) -> None:
        if connection.session is not None:
            raise ClosedError(4005, "Already authenticated")
        now = self.clock.seconds
        self.identifies.append(now)
        while self.identifies[0] <= now - 86_400:
            self.identifies.popleft()
        if len(self.identifies) > self.identify_limit:
            self.token = f"reset-{self.clock.snowflake()}"  # the service takes the token away
        self.note("IDENTIFY")
        if not isinstance(data, dict) or data.get("token") != self.token:
            raise ClosedError(4004, "Authentication failed")
        if not isinstance(data.get("properties"), dict):
            raise ClosedError(4002, "Decode error")
        intents = data.get("intents")
        if not isinstance(intents, int) or intents < 0 or intents & ~KNOWN_INTENTS:
            raise ClosedError(4013, "Invalid intent(s)")
        if intents & PRIVILEGED & ~self.privileged:
            raise ClosedError(4014, "Disallowed intent(s)")
        shard = data.get("shard", [0, 1])
        if not (isinstance(shard, list) and len(shard) == 2 and 0 <= shard[0] < shard[1]):
            raise ClosedError(4010, "Invalid shard")
        session = Session(f"{self.clock.snowflake():x}", intents, (shard[0], shard[1]))
        guilds = [
            each
            for each in self.places.guilds.values()
            if each.has_bot and (each.id >> 22) % session.shard[1] == session.shard[0]
        ]
        if len(guilds) > 2_500:
            raise ClosedError(4011, "Sharding required")
        self.sessions[session.id] = session
        session.connection, connection.session = connection, session
        ready = {
            "v": 10,
            "user": self.places.bot.json() | {"verified": True, "mfa_enabled": False, "email": None, "flags": 0},
            "guilds": [{"id": str(each.id), "unavailable": True} for each in guilds],
            "session_id": session.id,
            "resume_gateway_url": self.url,
            "session_type": "normal",
            "private_channels": [],
            "shard": list(session.shard),
            "application": {"id": str(self.places.bot.id), "flags": 0},
        }
        session.push("READY", ready)
        for each in guilds:
            if session.wants("GUILD_CREATE", each.id):
                session.push("GUILD_CREATE", each.json(full=True))
        self.note("READY")

    def _resume(self, connection: Connection, data: Any) -> None:
        if connection.session is not None:
            raise ClosedError(4005, "Already authenticated")
        if not isinstance(data, dict) or data.get("token") != self.token:
            raise ClosedError(4004, "Authentication failed")
        session, seq = self.sessions.get(str(data.get("session_id"))), data.get("seq")
        if session is None or not self.resumable:
            self.note("INVALID_SESSION")
            connection.say(INVALID_SESSION, False)
            return
        if not isinstance(seq, int) or not 0 <= seq <= session.seq:
            raise ClosedError(4007, "Invalid seq")
        if session.connection is not None:
            session.connection.cut()
        for frame in list(session.since(seq)):
            connection.outgoing.put_nowait(frame)
        session.connection, connection.session = connection, session
        session.push("RESUMED", {})
        self.note("RESUMED")

    def _detach(self, connection: Connection) -> None:
        session = connection.session
        if session is not None and session.connection is connection:
            session.connection = None
            if connection.socket.close_code in (1000, 1001):
                self.sessions.pop(session.id, None)
        self.note("disconnect")

    def note(self, what: str) -> None:
        """Count what happened, and wake whoever waits for it."""
        self.counts[what] += 1
        self.bell.ring()
