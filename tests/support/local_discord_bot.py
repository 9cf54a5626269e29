"""A bot of three commands at the local Discord."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any

from tests.support.discord_server import DiscordServer, Reply
from tests.support.discord_server.messages import Json
from tests.support.discord_server.raw import Answer, Line, Raw

DATE = {"type": 3, "name": "day", "description": "Which day", "required": True, "autocomplete": True}
PAPERS: Json = {
    "name": "papers",
    "name_localizations": {"ko": "논문"},
    "description": "Papers",
    "integration_types": [0, 1],
    "contexts": [0, 1, 2],
    "options": [
        {"type": 1, "name": "today", "name_localizations": {"ko": "오늘"}, "description": "Today"},
        {"type": 1, "name": "date", "description": "A day", "options": [DATE]},
        {
            "type": 1,
            "name": "subscribe",
            "description": "Subscribe",
            "options": [
                {"type": 7, "name": "channel", "description": "Where", "required": True, "channel_types": [0, 5]},
                {
                    "type": 3,
                    "name": "language",
                    "name_localizations": {"ko": "언어"},
                    "description": "In which language",
                    "choices": [{"name": "한국어", "value": "ko"}, {"name": "English", "value": "en"}],
                },
                {"type": 4, "name": "max-papers", "description": "How many", "min_value": 1, "max_value": 30},
                {"type": 5, "name": "quiet", "description": "Without a sound"},
                {"type": 6, "name": "editor", "description": "Whose"},
                {"type": 8, "name": "role", "description": "For whom"},
                {"type": 3, "name": "topic", "description": "What", "min_length": 2, "max_length": 5},
            ],
        },
    ],
}


ADMIN: Json = {"name": "admin", "description": "For few", "default_member_permissions": 1 << 5}


@dataclass
class Bot:
    """A bot that answers as a test tells it to, by bare calls."""

    server: DiscordServer
    raw: Raw
    line: Line

    async def asked(self, doing: Awaitable[Any]) -> tuple[Json, asyncio.Future[Any]]:
        """Somebody does something: the event that comes of it, and what they will see."""
        task = asyncio.ensure_future(doing)
        event = asyncio.ensure_future(self.line.next("INTERACTION_CREATE"))
        await asyncio.wait([task, event], return_when=asyncio.FIRST_COMPLETED)
        if not event.done():
            event.cancel()
            await task
        return (await event)["d"], task

    async def answer(self, event: Json, kind: int, data: Json | None = None, query: str = "") -> Answer:
        body = {"type": kind} | ({"data": data} if data is not None else {})
        path = f"/interactions/{event['id']}/{event['token']}/callback{query}"
        return await self.raw("POST", path, body, headers={"Authorization": None})

    async def follow(self, method: str, event: Json, body: Json | None = None, which: str = "") -> Answer:
        path = f"/webhooks/{self.server.application_id}/{event['token']}{which}"
        return await self.raw(method, path, body, headers={"Authorization": None})

    async def says(self, doing: Awaitable[Reply], content: str = "Hello", **more: Any) -> Reply:
        """Answer at once with a message."""
        event, task = await self.asked(doing)
        assert (await self.answer(event, 4, {"content": content} | more)).status == 204
        reply: Reply = await task
        return reply


BUTTON = {"type": 2, "style": 1, "label": "Next", "custom_id": "next"}
LINK = {"type": 2, "style": 5, "label": "Open", "url": "https://a.example"}
SELECT = {
    "type": 3,
    "custom_id": "style",
    "placeholder": "Style",
    "options": [{"label": "Short", "value": "s"}, {"label": "Long", "value": "l"}],
}


ROWS = [{"type": 1, "components": [BUTTON, LINK]}, {"type": 1, "components": [SELECT]}]
