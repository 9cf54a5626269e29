"""A server with people and places of every kind, and raw calls to it: what the server is tested with."""

import contextlib
import io
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
from aiohttp import ClientSession
from PIL import Image

from tests.support.telegram_server.chats import Topic
from tests.support.telegram_server.server import TelegramServer

Json = dict[str, Any]


class Town:
    """A server with people and places of every kind, and raw calls to it."""

    def __init__(self, server: TelegramServer, http: ClientSession) -> None:
        self.server, self.http = server, http
        self.ada, self.bo = server.person(42, language="ko"), server.person(43, name="Bo")
        self.group, self.super = server.group(-10), server.supergroup(-1001)
        self.forum = server.supergroup(-1002, forum=True)
        self.channel = server.channel(-1003, username="daily_papers")
        self.topics: dict[str, Topic] = {}

    async def settle(self) -> None:
        await self.ada.writes("/start")
        for place in (self.group, self.super, self.forum, self.channel):
            await place.adds_bot(by=self.ada)
        for name in ("open", "closed", "deleted"):
            self.topics[name] = await self.forum.opens_topic(name)
        self.topics["closed"].close()
        self.topics["deleted"].delete()
        for number, kind in ((-21, "kicked"), (-22, "left"), (-23, "gone"), (-24, "migrated")):
            group = self.server.group(number)
            await group.adds_bot(by=self.ada)
            if kind == "kicked":
                await group.removes_bot(by=self.ada)
            elif kind == "left":
                group.chat.members.clear()
            elif kind == "gone":
                await group.is_deleted()
            else:
                await group.migrates()
        for number, add in ((-2021, self.server.supergroup), (-2031, self.server.channel)):
            await add(number).adds_bot(by=self.ada, status="kicked")
            add(number - 1)
        await self.server.channel(-2040).adds_bot(by=self.ada, status="administrator", can_post_messages=False)
        await self.server.supergroup(-2050).adds_bot(by=self.ada, status="restricted", can_send_messages=False)
        muted = self.server.supergroup(-2051)
        await muted.adds_bot(by=self.ada)
        muted.chat.permissions |= {"can_send_messages": False, "can_send_photos": False}
        mute = self.server.supergroup(-2052)
        await mute.adds_bot(by=self.ada)
        mute.chat.write_forbidden = True
        blocked, gone = self.server.person(44, name="Cy"), self.server.person(45, name="Di")
        await blocked.writes("/start")
        await blocked.blocks_bot()
        await gone.writes("/start")
        await gone.leaves_telegram()
        self.server.world.updates.pending.clear()

    async def call(self, method: str, **arguments: Any) -> tuple[int, Json]:
        """The status and the JSON of an answer. Objects are sent as JSON in a form, as client libraries do."""
        form = {name: each if isinstance(each, str) else json.dumps(each) for name, each in arguments.items()}
        async with self.http.post(f"{self.server.base_url}{self.server.token}/{method}", data=form) as answer:
            assert answer.content_type == "application/json"
            return answer.status, await answer.json()

    async def done(self, method: str, **arguments: Any) -> Any:
        status, answer = await self.call(method, **arguments)
        assert (status, answer.get("ok")) == (200, True), answer
        return answer["result"]

    async def refused(self, method: str, **arguments: Any) -> str:
        """The description of a refusal, which is well formed."""
        status, answer = await self.call(method, **arguments)
        assert answer["ok"] is False
        assert answer["error_code"] == status
        return f"{status} {answer['description']}"


@contextlib.asynccontextmanager
async def open_town(**settings: Any) -> AsyncIterator[Town]:
    """A town that is settled, with a server of these settings."""
    async with (
        ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as http,
        TelegramServer(**settings) as server,
    ):
        town = Town(server, http)
        await town.settle()
        yield town


def keyboard(*buttons: Json) -> Json:
    return {"inline_keyboard": [list(buttons)]}


def data(value: str = "go") -> Json:
    return {"text": "Go", "callback_data": value}


def png(width: int = 8, height: int = 8) -> bytes:
    file = io.BytesIO()
    Image.new("L", (width, height)).save(file, "PNG")
    return file.getvalue()


def article(number: object = 1, text: str = "x", **more: Any) -> Json:
    content = {"message_text": text, "parse_mode": "HTML"}
    return {"type": "article", "id": str(number), "title": "T", "input_message_content": content} | more


async def tapped(town: Town) -> str:
    await town.done("sendMessage", chat_id=42, text="x", reply_markup=keyboard(data()))
    update = await town.ada.taps(town.ada.messages[-1], "Go")
    assert update["callback_query"]["message"]["reply_markup"] == keyboard(data())
    return str(update["callback_query"]["id"])
