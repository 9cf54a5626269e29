"""One reader's conversation with the commands, for tests."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Any

from sqlalchemy import select

from bot.channel import Reply, Requester
from bot.commands import ReaderCommands
from bot.model import (
    Address,
    Preferences,
    Subscriber,
)
from bot.store import Store, subscriber_queries
from bot.store.schema import deliveries
from tests.support.fake_channel import NOW, FakeChannel

HOUR = timedelta(hours=1)
LATER = NOW + HOUR
ADA = Address("fake", "ada")


class Chat:
    """One reader's conversation; every line comes ten seconds after the last."""

    def __init__(self, store: Store, now: datetime = LATER, **options: Any) -> None:
        self.store = store
        self.channel = FakeChannel()
        self.now = now
        given: dict[str, Any] = {"fallback": Preferences(), "closes": time(22)}
        self.options = given | options
        self.readers = ReaderCommands(store, [self.channel], **self.options)
        self.requester = Requester(ADA)

    async def ask(self, line: str, **requester: Any) -> Reply:
        self.now += timedelta(seconds=10)
        return await self.readers.ask(replace(self.requester, **requester), line, self.now)

    async def says(self, line: str, **requester: Any) -> str:
        return " ".join((await self.ask(line, **requester)).says)

    async def reader(self, address: Address = ADA) -> Subscriber | None:
        async with self.store.read() as connection:
            return await subscriber_queries.get(connection, address)

    async def preferences(self) -> Preferences:
        reader = await self.reader()
        assert reader is not None
        return reader.preferences

    async def rows(self) -> list[tuple[str, str | None]]:
        async with self.store.read() as connection:
            query = select(deliveries.c.state, deliveries.c.reason_code).order_by(deliveries.c.id)
            return [(row.state, row.reason_code) for row in await connection.execute(query)]
