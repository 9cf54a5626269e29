"""A group in which several people write, for tests."""

from __future__ import annotations

from datetime import time
from typing import Any

from bot.channel import Reply, Requester
from bot.channel.preference import SILENT
from bot.commands import ReaderCommands
from bot.delivery.alerts import Alerts
from bot.delivery.dispatcher import Dispatcher
from bot.delivery.session import Session
from bot.model import Address, Preferences, Subscriber
from bot.runtime.locks import make_locks
from bot.store import Store, subscriber_queries
from channels.discord.post_options import PING
from tests.support.fake_channel import NOW, FakeChannel, settle

PLACE = Address("fake", "lab")
ADA = Address("fake", "ada")


class Room:
    """A shared place on a channel with preferences of its own; Ada manages it."""

    def __init__(self, store: Store, **channel: Any) -> None:
        self.store = store
        self.channel = FakeChannel(extras=(SILENT, PING), **channel)
        self.readers = ReaderCommands(store, [self.channel], fallback=Preferences(hour=22 * 60), closes=time(22))

    async def ask(
        self, line: str, *, address: Address = PLACE, person: str | None = "ada", may_change: bool = True
    ) -> Reply:
        return await self.readers.ask(Requester(address, person=person, may_change=may_change), line, NOW)

    async def reader(self, address: Address = PLACE) -> Subscriber:
        async with self.store.read() as connection:
            found = await subscriber_queries.get(connection, address)
        assert found is not None
        return found

    async def deliver(self) -> None:
        locks = make_locks(self.store.engine.url, self.store.path)
        alerts = Alerts([Session(self.channel)], [], "en")
        await settle(Dispatcher(self.store, self.channel, locks, alert=alerts.alert), NOW)
        await alerts.flush()
        await locks.close()
