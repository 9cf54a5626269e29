"""The whole program's reading side with a real database, the real discord.py and a local Discord."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from sqlalchemy import select

from bot.channel import Kit, Reply, Requester
from bot.channel_loader import CACHE
from bot.commands import ReaderCommands
from bot.delivery.alerts import Alerts
from bot.delivery.dispatcher import Dispatcher
from bot.delivery.session import Session
from bot.model import Address, Cadence, Edition, Found, Paper, Preferences, State, Status, Style, Subscriber
from bot.render.templates import template
from bot.rules.closing import rank
from bot.runtime.locks import make_locks
from bot.runtime.supervisor import clock
from bot.store import Store, audience, edition_queries, paper_queries, subscriber_queries
from bot.store.channel_memory import ChannelMemory
from bot.store.schema import deliveries
from channels import discord as channel_module
from channels.discord import Settings
from channels.discord.channel import Discord
from tests.support.discord_server import DiscordServer


def a_kit(store: Store, home: Path) -> Kit:
    return Kit(home=home, pictures=home / CACHE, memory=ChannelMemory(store, "discord"), template=template)


def a_discord(server: DiscordServer, store: Store, home: Path, **given: str) -> Discord:
    """The channel as it would be opened for this server."""
    settings = {"DISCORD_TOKEN": server.token, "DISCORD_API_URL": server.api} | given
    return channel_module.open(Settings.model_validate(settings), a_kit(store, home))


class Telling(ReaderCommands):
    """The commands, which say when they were told something."""

    def __init__(self, told: asyncio.Event, store: Store, channels: Sequence[Discord], **given: Any) -> None:
        super().__init__(store, channels, **given)
        self._told = told
        self.open = asyncio.Event()
        """While it is not set, nothing is answered."""
        self.open.set()

    async def ask(self, asker: Requester, line: str, now: datetime) -> Reply:
        await self.open.wait()
        return await super().ask(asker, line, now)

    async def gone(self, address: Address, reason: str, now: datetime) -> None:
        await super().gone(address, reason, now)
        self._told.set()

    async def permitted(self, address: Address) -> bool:
        permitted = await super().permitted(address)
        self._told.set()
        return permitted


@dataclass
class World:
    """A database with editions, a Discord, and the channel between them; `life` is one life of the process."""

    server: DiscordServer
    store: Store
    home: Path
    styles: Sequence[Style] = (Style.HEADLINE, Style.ABSTRACT)
    channel: Discord = field(init=False)
    session: Session = field(init=False)
    readers: Telling = field(init=False)
    told: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the channel has told the core something about a place."""

    @asynccontextmanager
    async def life(self, *, listens: bool = True, **given: str) -> AsyncIterator[Discord]:
        """One life of the process: logged in, and listening if wanted; gone without a trace afterwards."""
        self.channel = a_discord(self.server, self.store, self.home, **given)
        self.readers = readers = Telling(
            self.told,
            self.store,
            [self.channel],
            fallback=Preferences(),
            closes=time(22),
            styles=self.styles,
        )
        async with Session(self.channel) as self.session:
            await self.session.open()
            before = self.server.gateway.counts["READY"]
            task = asyncio.create_task(self.channel.listen(readers)) if listens else None
            if task is not None:
                ready = asyncio.create_task(self.server.gateway.until("READY", before + 1))
                await asyncio.wait([task, ready], return_when=asyncio.FIRST_COMPLETED)
                if task.done():
                    ready.cancel()
                    task.result()
            try:
                yield self.channel
            finally:
                if task is not None:
                    task.cancel()
                    await asyncio.gather(task, return_exceptions=True)

    async def publish(self, day: date, *listed: Paper, audience_too: bool = True) -> Edition:
        """Close an edition of these papers now, and owe it to everybody."""
        now = clock()
        edition = Edition(Cadence.DAY, day, now, rank(listed))
        async with self.store.write() as connection:
            await paper_queries.keep(connection, Found(listed, frozenset({day})))
            edition_id = await edition_queries.add(connection, edition)
            assert edition_id is not None
            if audience_too:
                await audience.owe(connection, edition_id, Cadence.DAY, published_at=now)
        return edition

    async def deliver(self) -> None:
        """Hand out everything that is due."""
        locks = make_locks(self.store.engine.url, self.store.path)
        alerts = Alerts([self.session], [], "en")
        dispatcher = Dispatcher(self.store, self.channel, locks, alert=alerts.alert)
        for now in await self._due():
            while await dispatcher.step(now) or dispatcher.busy:
                if dispatcher.busy:
                    await dispatcher.attempt_ended.wait()
        await alerts.flush()
        await locks.close()

    @property
    def memory(self) -> ChannelMemory:
        return ChannelMemory(self.store, "discord")

    async def becomes(self, recipient: str, status: Status, *, limit: float = 10) -> None:
        """Wait until a reader is in that state; what brought them there was told to the program just now."""
        async with asyncio.timeout(limit):
            while (await self.reader(recipient)).status is not status:
                await self.told.wait()
                self.told.clear()

    async def _due(self) -> list[datetime]:
        """Now, and whenever something of what is owed will be due."""
        query = select(deliveries.c.next_at).where(deliveries.c.state == State.OWED).distinct()
        async with self.store.read() as connection:
            due = await connection.scalars(query)
        return sorted({max(clock(), moment) for moment in due})

    async def reader(self, recipient: str) -> Subscriber:
        async with self.store.read() as connection:
            found = await subscriber_queries.get(connection, Address("discord", recipient))
        assert found is not None
        return found
