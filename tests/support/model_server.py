"""A language model's endpoint on this machine: it speaks OpenAI's chat completions, and misbehaves when told to."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from aiohttp import web
from aiohttp.test_utils import TestServer

Answer = str | web.StreamResponse
Author = Callable[["Asked"], Any]
"""Says what is answered: text, a whole response, or something to wait for."""


@dataclass(frozen=True)
class Asked:
    """One question: the task and the paper as they were put, and whether a schema was given."""

    body: Mapping[str, Any]
    key: str

    @property
    def system(self) -> str:
        return str(self.body["messages"][0]["content"])

    @property
    def user(self) -> str:
        return str(self.body["messages"][-1]["content"])

    @property
    def fields(self) -> list[str]:
        """The fields that were asked for."""
        _, _, rest = self.system.partition("exactly these: ")
        return rest.partition(".\n")[0].split(", ")

    @property
    def title(self) -> str:
        _, _, rest = self.user.partition("Title: ")
        return rest.partition("\n")[0]

    @property
    def language(self) -> str:
        return self.system.partition("and read ")[2].partition(".\n")[0]

    @property
    def structured(self) -> bool:
        return "response_format" in self.body


@dataclass
class ModelServer:
    """Answers with what `author` says; counts what it was asked."""

    author: Author
    tokens: int = 1000
    key: str = "secret-key"
    asked: list[Asked] = field(default_factory=list)
    takes_schemas: bool = True
    hang: asyncio.Event | None = None
    models: Sequence[Mapping[str, object]] | None = None
    """What it lists at /models; None: it has no such list."""

    async def __aenter__(self) -> Self:
        self._more = asyncio.Condition()
        app = web.Application(client_max_size=10 << 20)
        app.router.add_post("/v1/chat/completions", self._complete)
        app.router.add_get("/v1/models", self._list)
        self._server = TestServer(app)
        await self._server.start_server()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.hang is not None:
            self.hang.set()
        await self._server.close()

    async def reached(self, count: int) -> None:
        """Wait until that many questions have been asked."""
        async with self._more:
            await self._more.wait_for(lambda: len(self.asked) >= count)

    @property
    def url(self) -> str:
        return str(self._server.make_url("/v1"))

    async def _list(self, request: web.Request) -> web.Response:
        if self.models is None:
            return web.json_response({"error": {"message": "not found"}}, status=404)
        return web.json_response({"object": "list", "data": list(self.models)})

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        asked = Asked(await request.json(), request.headers.get("Authorization", ""))
        if asked.key != f"Bearer {self.key}":
            return web.json_response({"error": {"message": "no such key"}}, status=401)
        if asked.structured and not self.takes_schemas:
            return web.json_response({"error": {"message": "response_format is not supported"}}, status=400)
        async with self._more:
            self.asked.append(asked)
            self._more.notify_all()
        if self.hang is not None:
            await self.hang.wait()
        made = self.author(asked)
        said = await made if isinstance(made, Awaitable) else made
        if isinstance(said, web.StreamResponse):
            return said
        return web.json_response(completion(said, self.tokens))


def completion(content: str | None, tokens: int | None) -> dict[str, object]:
    """An answer as the service gives it."""
    message = {"role": "assistant", "content": content}
    usage = None
    if tokens is not None:
        usage = {"prompt_tokens": tokens - 100, "completion_tokens": 100, "total_tokens": tokens}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return {"id": "c1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": usage}


def as_json(parts: Mapping[str, object]) -> str:
    return json.dumps(parts, ensure_ascii=False)
