"""The ntfy channel keeps the contract of all channels, before a local server that speaks ntfy's protocol."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from bot.channel import Channel
from channels import ntfy
from channels.ntfy.channel import Ntfy
from tests.support.channel_contract import Contract, Stage
from tests.support.pages import kit

TOKEN = "tk_a-secret-of-ours"


class Server:
    """A local ntfy server: takes messages with the right token, or answers as it is told."""

    def __init__(self) -> None:
        self.taken: list[dict[str, str]] = []
        self.status = 200
        self.retry_after: float | None = None
        self.cuts = self.hangs = False
        self.token = TOKEN

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            return web.Response(status=401)
        if request.method == "GET":
            return web.json_response({"username": "papers"})
        if self.hangs:
            await asyncio.Event().wait()
        if self.status == 200:
            self.taken.append(await request.json())
        if self.cuts and request.transport is not None:
            request.transport.abort()
        headers = {} if self.retry_after is None else {"Retry-After": f"{self.retry_after:.0f}"}
        return web.json_response({}, status=self.status, headers=headers)


class NtfyStage(Stage):
    to, secret = "papers", TOKEN

    def __init__(self, channel: Ntfy, server: Server, runner: web.ServerRunner, home: Path, url: str) -> None:
        self.channel, self.server, self.runner, self.home, self.url = channel, server, runner, home, url

    async def arrived(self) -> int:
        return len(self.server.taken)

    async def turns_away(self) -> None:
        self.server.status = 404

    async def bars(self) -> None:
        self.server.status = 403

    async def slows(self) -> float | None:
        pytest.skip("ntfy limits senders, never topics")

    async def floods(self) -> float | None:
        self.server.status, self.server.retry_after = 429, 7.0
        return 7.0

    async def breaks_down(self) -> None:
        self.server.status = 502

    async def goes_away(self) -> None:
        await self.runner.cleanup()

    async def forgets_us(self) -> None:
        self.server.token = "another"

    async def finds_fault(self) -> None:
        self.server.status = 400

    async def cuts_off(self) -> None:
        self.server.cuts = True

    async def hangs(self) -> None:
        self.server.hangs = True

    async def heals(self) -> None:
        self.server.hangs = False

    def stranger(self) -> Channel:
        return ntfy.open(ntfy.Settings(NTFY_URL=self.url, NTFY_TOKEN="not-ours"), kit(self.home))


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[NtfyStage]:
    server = Server()
    runner = web.ServerRunner(web.Server(server), shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    async with ntfy.open(ntfy.Settings(NTFY_URL=url, NTFY_TOKEN=TOKEN), kit(tmp_path)) as channel:
        yield NtfyStage(channel, server, runner, tmp_path, url)
    await runner.cleanup()


class TestContract(Contract):
    pass


async def test_a_message_names_its_papers_and_their_addresses(stage: NtfyStage) -> None:
    await stage.send()
    (posted,) = stage.server.taken
    assert posted["topic"] == "papers"
    assert "1. Paper number 1" in posted["message"]
    assert "https://" in posted["message"]
