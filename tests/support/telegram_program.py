"""Our bot before the local Bot API server: the whole program but the feed, restarted whenever a test likes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

from bot import app
from bot.model import Address, Cadence, Edition, Found, Paper, Subscriber
from bot.render.templates import template
from bot.rules.closing import rank
from bot.service import Role, Service
from bot.store import Store, audience, edition_queries, paper_queries, subscriber_queries
from channels import telegram
from channels.telegram.channel import Telegram
from tests.support.databases import put_database
from tests.support.pages import HOSTILE, Kept, kit, paper
from tests.support.telegram_server import TelegramServer

STOPS = 20.0
"""Seconds after which stopping is said to hang."""
WORK = frozenset({Role.DELIVER, Role.LISTEN})
SENTENCE = "A way of measuring is shown that holds up better than what was used until now, and costs less to run. "


def many(count: int, day: datetime) -> list[Paper]:
    """Papers of one day, long enough that not all of them fit into one message, some of them odd."""
    found = [
        replace(
            paper(number, sentence=SENTENCE * 6, code="https://github.com/a/b", project="https://a.example/?q=1&r=2"),
            listed_on=day.date(),
            listed_at=day - timedelta(hours=1, minutes=number),
            thumbnail=f"https://cdn-thumbnails.huggingface.co/social-thumbnails/papers/2604.{number:05}.png",
        )
        for number in range(1, count + 1)
    ]
    found[1] = replace(found[1], title=HOSTILE)
    found[2] = replace(found[2], title="تعلّم الآلة with diffusion <3", organisation="جامعة")
    found[3] = replace(found[3], title="확산 모델의 새로운 학습 방법: diffusion")
    return found


async def put(store: Store, found: Sequence[Paper], *, closed_at: datetime) -> int:
    """Store an edition of these papers for whoever is subscribed; its id."""
    day = found[0].listed_on
    async with store.write() as connection:
        await paper_queries.keep(connection, Found(found, frozenset({day})))
        number = await edition_queries.add(connection, Edition(Cadence.DAY, day, closed_at, rank(found)))
        assert number is not None
        await audience.owe(connection, number, Cadence.DAY, published_at=closed_at)
    return number


class Station:
    """The program at work beside a server; `restart` ends it in good order and starts it again."""

    def __init__(self, home: Path, server: TelegramServer, settings: Mapping[str, str] | None = None) -> None:
        self.home, self.server = home, server
        self._environ = {
            "TELEGRAM_TOKEN": server.token,
            "TELEGRAM_API_URL": server.origin,
            "TELEGRAM_RATE": "1000",
            "FEED_URL": "http://127.0.0.1:9/",
            **(settings or {}),
        }
        self.service: Service
        self._stack: AsyncExitStack
        self._work: asyncio.Task[None]
        self._stop = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._stop = asyncio.Event()
        self._stack = AsyncExitStack()
        put_database(self.home)
        self.service = await self._stack.enter_async_context(app.open_app(self.home, self._environ))
        self._work = asyncio.create_task(self.service.run(self._stop, WORK))
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._stop.set()
        try:
            async with asyncio.timeout(STOPS):
                await self._work
        finally:
            await self._stack.aclose()

    async def restart(self) -> None:
        await self.server.polled()  # httpx forgets a connection whose making is called off
        await self.__aexit__()
        await self.__aenter__()

    @property
    def store(self) -> Store:
        return self.service.store

    async def end_of(self, part: str) -> None:
        """Wait until a part of the work has come to its end."""
        tasks = [task for task in asyncio.all_tasks() if task.get_name() == part]
        async with asyncio.timeout(STOPS):
            await asyncio.gather(*tasks)

    async def reader(self, place: str) -> Subscriber:
        async with self.store.read() as connection:
            found = await subscriber_queries.get(connection, Address("telegram", place))
        assert found is not None, place
        return found

    async def publish(self, count: int = 23) -> None:
        """An edition of today, closed just now."""
        now = datetime.now(UTC)
        await put(self.store, many(count, now), closed_at=now)


def channel(server: TelegramServer, home: Path, *, token: str | None = None) -> Telegram:
    """The channel alone, not yet logged in."""
    given = {"TELEGRAM_TOKEN": token or server.token, "TELEGRAM_API_URL": server.origin}
    lent = replace(kit(home), memory=Kept(), template=template)
    return telegram.open(telegram.Settings.model_validate(given), lent)
