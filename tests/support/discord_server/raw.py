"""A plain HTTP and websocket client, for tests of the server without a library in between."""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import aiohttp

from tests.support.discord_server.messages import Json
from tests.support.discord_server.places import Channel
from tests.support.discord_server.server import DiscordServer

AGENT = "DiscordBot (https://papers.example, 1)"


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    raw: bytes

    @property
    def body(self) -> Any:
        """The JSON, None where there is nothing."""
        return json.loads(self.raw) if self.raw else None

    @property
    def code(self) -> int:
        """Discord's code of a refusal, else 0."""
        return int(self.body.get("code", 0)) if isinstance(self.body, dict) else 0

    @property
    def faults(self) -> dict[str, str]:
        """The faults of a body: their codes by their places, "embeds.0.title"."""
        found: dict[str, str] = {}

        def walk(node: Json, at: list[str]) -> None:
            for name, inner in node.items():
                if name == "_errors":
                    found[".".join(at)] = inner[0]["code"]
                else:
                    walk(inner, [*at, name])

        walk(self.body.get("errors", {}), [])
        return found


class Raw:
    """Calls a server as the bot."""

    def __init__(self, server: DiscordServer) -> None:
        self.server = server
        self._lines: list[Line] = []

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(10))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for each in self._lines:
            await each.socket.close()
        await self._session.close()

    async def __call__(self, method: str, path: str, body: Any = None, **more: Any) -> Answer:
        """One call; `headers` replace the usual ones, `data` is sent instead of JSON."""
        headers = {"Authorization": f"Bot {self.server.token}", "User-Agent": AGENT} | more.pop("headers", {})
        if body is not None:
            more["json"] = body
        sent = {name: value for name, value in headers.items() if value is not None}
        async with self._session.request(
            method, self.server.api + path, headers=sent, skip_auto_headers=["User-Agent"], **more
        ) as response:
            return Answer(response.status, dict(response.headers), await response.read())

    async def connect(self, **query: str) -> Line:
        """A websocket of the gateway's, before HELLO."""
        asked = {"v": "10", "encoding": "json"} | query
        socket = await self._session.ws_connect(self.server.gateway.url, params=asked)
        self._lines.append(Line(self.server, socket, "compress" in query))
        return self._lines[-1]

    async def identified(self, **more: Any) -> Line:
        """A websocket that was told READY, which is not yet read."""
        line = await self.connect()
        await line.next(10)
        await line.identify(**more)
        return line


class Line:
    """One websocket."""

    def __init__(self, server: DiscordServer, socket: aiohttp.ClientWebSocketResponse, squeezed: bool) -> None:
        self.server, self.socket = server, socket
        self._inflate = zlib.decompressobj() if squeezed else None

    async def send(self, op: Any, data: Any = None) -> None:
        """Send a frame."""
        await self.socket.send_json({"op": op, "d": data})

    async def identify(self, **more: Any) -> None:
        """Say who we are; what is None is left out."""
        data = {"token": self.server.token, "intents": 1, "properties": {"os": "linux"}} | more
        await self.send(2, {name: value for name, value in data.items() if value is not None})

    async def receive(self) -> Json:
        """The next frame; EOFError with the code where the connection was closed instead."""
        message = await self.socket.receive(timeout=10)
        if message.type is aiohttp.WSMsgType.BINARY and self._inflate is not None:
            return dict(json.loads(self._inflate.decompress(message.data)))
        if message.type is not aiohttp.WSMsgType.TEXT:
            raise EOFError(self.socket.close_code)
        return dict(json.loads(message.data))

    async def next(self, wanted: int | str) -> Json:
        """The next frame with this op, or this event's data, whatever comes before it."""
        while True:
            frame = await self.receive()
            if wanted in (frame["op"], frame["t"]):
                return frame

    async def closed(self) -> int | None:
        """The code with which the connection is closed, whatever is said before."""
        try:
            while True:
                await self.receive()
        except EOFError:
            return self.socket.close_code


def messages(channel: Channel) -> str:
    """The path of a channel's messages."""
    return f"/channels/{channel.id}/messages"
