"""Speech services on this machine: an endpoint with OpenAI's API, and Edge's protocol; both misbehave when told to."""

from __future__ import annotations

import asyncio
import io
import math
import re
from array import array
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import mutagen.id3
import mutagen.mp3
from aiohttp import WSMsgType, web
from aiohttp.test_utils import TestServer

from bot.media.speech.recorder import Recorder
from bot.media.speech.voices import SpeechError
from bot.media.speech.wave_sound import Samples, encode

A_SENTENCE = 0.6
"""Seconds of the tone that stands for every text."""


def samples(
    seconds: float = A_SENTENCE, *, rate: int = 24_000, channels: int = 1, loud: float = 0.2, hertz: int = 440
) -> Samples:
    """A tone."""
    tone = (int(loud * 32_767 * math.sin(2 * math.pi * hertz * n / rate)) for n in range(int(seconds * rate)))
    return Samples(rate, channels, array("h", (value for value in tone for _ in range(channels))))


def mp3(seconds: float = A_SENTENCE, **more: Any) -> bytes:
    return encode(samples(seconds, **more))


def wav(seconds: float = A_SENTENCE, *, told: int | None = None, **more: Any) -> bytes:
    """A WAV file; `told` is the size that it claims to have, as programs that write to a pipe claim too much."""
    sound = samples(seconds, **more)
    body, wide = sound.values.tobytes(), 2 * sound.channels
    size = len(body) if told is None else told
    head = b"fmt " + (16).to_bytes(4, "little") + (1).to_bytes(2, "little") + sound.channels.to_bytes(2, "little")
    head += sound.rate.to_bytes(4, "little") + (sound.rate * wide).to_bytes(4, "little")
    head += wide.to_bytes(2, "little") + (16).to_bytes(2, "little")
    riff = b"RIFF" + (size + 36 & 0xFFFFFFFF).to_bytes(4, "little") + b"WAVE"
    return riff + head + b"data" + size.to_bytes(4, "little") + body


def played(content: bytes) -> Any:
    """An MP3 as mutagen reads it: its tags, and `info` about its sound."""
    return mutagen.mp3.MP3(io.BytesIO(content))  # type: ignore[no-untyped-call]


def tags_of(content: bytes) -> Any:
    """The tags of an MP3, as they were written."""
    return mutagen.id3.ID3(io.BytesIO(content), translate=False)  # type: ignore[no-untyped-call]


@dataclass
class SpeechServer:
    """Answers every request with `sound`, or as `fault` says: dropped, silent, or an HTTP status."""

    sound: bytes = b""
    fault: str | int | None = None
    failing: int = 0
    """Requests that fail so; 0: all of them."""
    headers: dict[str, str] = field(default_factory=dict)
    key: str = "secret-key"
    asked: list[dict[str, str]] = field(default_factory=list)

    async def __aenter__(self) -> Self:
        self.sound = self.sound or await asyncio.to_thread(mp3)
        self._end = asyncio.Event()
        app = web.Application()
        app.router.add_post("/v1/audio/speech", self._speak)
        self._server = TestServer(app)
        await self._server.start_server()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end.set()
        await self._server.close()

    @property
    def url(self) -> str:
        return str(self._server.make_url("/v1"))

    async def _speak(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(await request.json())
        if request.headers.get("Authorization") != f"Bearer {self.key}":
            return web.json_response({"error": {"message": f"no such key at {request.url}"}}, status=401)
        fault = self.fault if not self.failing or len(self.asked) <= self.failing else None
        if isinstance(fault, int):
            return web.Response(status=fault, headers=self.headers)
        if fault == "silent":
            await self._end.wait()
        answer = web.StreamResponse(headers={"Content-Type": "audio/mpeg", "Content-Length": str(len(self.sound))})
        await answer.prepare(request)
        if fault == "dropped":
            await answer.write(self.sound[: len(self.sound) // 2])
            assert request.transport is not None
            request.transport.abort()
            return answer
        await answer.write(self.sound)
        return answer


class EdgeServer:
    """Speaks the protocol of Edge's read-aloud service: a WebSocket, text frames to us, sound in binary ones."""

    def __init__(self) -> None:
        self.fault: str | int | None = None
        self.said: list[tuple[str, str]] = []
        """Voice and text of every request."""
        self._end = asyncio.Event()

    async def connect(self, request: web.Request) -> web.StreamResponse:
        if isinstance(self.fault, int):
            return web.Response(status=self.fault, headers={"Date": "Wed, 29 Apr 2026 22:00:00 GMT"})
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            if message.type is WSMsgType.TEXT and "Path:ssml" in message.data:
                found = re.search(r"<voice name='([^']+)'>.*<prosody[^>]*>(.*)</prosody>", message.data, re.DOTALL)
                assert found is not None
                self.said.append((found[1], found[2]))
                await self._answer(socket)
                break
        return socket

    async def _answer(self, socket: web.WebSocketResponse) -> None:
        await socket.send_str("X-RequestId:1\r\nPath:turn.start\r\n\r\n{}")
        if self.fault == "silent":
            await self._end.wait()
        sound = await asyncio.to_thread(mp3)
        head = b"X-RequestId:1\r\nContent-Type:audio/mpeg\r\nPath:audio\r\n"
        for at in range(0, len(sound), 720):
            await socket.send_bytes(len(head).to_bytes(2, "big") + head + sound[at : at + 720])
            if self.fault == "dropped":
                assert socket._req is not None
                assert socket._req.transport is not None
                socket._req.transport.abort()
                return
        if self.fault == "empty":
            return
        await socket.send_str("X-RequestId:1\r\nPath:turn.end\r\n\r\n{}")

    def end(self) -> None:
        self._end.set()


@asynccontextmanager
async def edge_server() -> AsyncIterator[tuple[EdgeServer, str]]:
    """The server and the address that stands for the service's."""
    edge = EdgeServer()
    app = web.Application()
    app.router.add_get("/edge/v1", edge.connect)
    server = TestServer(app)
    await server.start_server()
    try:
        yield edge, f"{str(server.make_url('/edge/v1')).replace('http://', 'ws://')}?TrustedClientToken=x"
    finally:
        edge.end()
        await server.close()


class ToneSpeaker:
    """A voice without a service: a tone for every text."""

    most = 200

    def __init__(self, *, sound: bytes = b"") -> None:
        self.sound = sound or mp3()
        self.said: list[tuple[str, str]] = []
        self.faults: list[SpeechError] = []
        """What the next requests fail with."""
        self.mute: set[str] = set()

    async def unable(self, language: str) -> str | None:
        return f"no voice for {language}" if language in self.mute else None

    async def speak(self, text: str, language: str) -> bytes:
        if self.faults:
            raise self.faults.pop(0)
        self.said.append((text, language))
        return self.sound

    def recorder(self) -> Recorder:
        """A recorder that does not pause between two tries."""
        return Recorder(self, pauses=(0.0, 0.0), assemble=asyncio.to_thread)
