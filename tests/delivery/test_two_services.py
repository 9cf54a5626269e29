"""Two services in one process: one of them goes dark, and the readers on the other notice nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot import app
from bot.channel import Rate
from bot.model import Address, Preferences
from bot.service import Role
from bot.store import Store, subscriber_queries
from channels.telegram import channel
from tests.support.databases import put_database
from tests.support.discord_server import DiscordServer, Fault
from tests.support.telegram_program import many, put
from tests.support.telegram_server import Fault as Trouble
from tests.support.telegram_server import TelegramServer

READERS = 20
LIMIT = 60.0
"""Seconds after which something that should happen is said to hang."""


@pytest.fixture(autouse=True)
def _no_rate_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channel, "PER_CHAT", Rate(1000))


@pytest.fixture
async def chats() -> AsyncIterator[TelegramServer]:
    async with TelegramServer(everybody=True) as server:
        yield server


@pytest.fixture
async def rooms() -> AsyncIterator[DiscordServer]:
    async with DiscordServer() as server:
        yield server


async def subscribe(store: Store, rooms: DiscordServer) -> list[str]:
    """Add that many readers to each, to whom an edition is due now. Returns the channels of those on Discord."""
    guild = rooms.guild("Readers")
    places = [f"channel:{guild.text(f'papers-{number}').id}" for number in range(READERS)]
    now = datetime.now(UTC)
    wanted = Preferences(hour=now.hour * 60 + now.minute // 15 * 15)
    async with store.write() as connection:
        for number, place in enumerate(places):
            await subscriber_queries.add(connection, Address("telegram", f"{1000 + number}"), wanted, now=now)
            await subscriber_queries.add(connection, Address("discord", place), wanted, now=now)
    await put(store, many(5, now), closed_at=now)
    return places


@pytest.mark.parametrize("dark", ["telegram", "discord"])
async def test_one_service_without_a_network_holds_up_nobody_on_the_other(
    tmp_path: Path, chats: TelegramServer, rooms: DiscordServer, dark: str
) -> None:
    environ = {
        "TELEGRAM_TOKEN": chats.token,
        "TELEGRAM_API_URL": chats.origin,
        "TELEGRAM_RATE": "1000",
        "DISCORD_TOKEN": rooms.token,
        "DISCORD_API_URL": rooms.api,
        "FEED_URL": "http://127.0.0.1:9/",
    }
    stop = asyncio.Event()
    put_database(tmp_path)
    async with app.open_app(tmp_path, environ) as service:
        await subscribe(service.store, rooms)
        if dark == "telegram":
            chats.fail(Trouble.silent(), method="*")  # not even a login is answered
        else:
            rooms.fails(Fault.silent())
        work = asyncio.create_task(service.run(stop, frozenset({Role.DELIVER})))
        async with asyncio.timeout(LIMIT):
            if dark == "telegram":
                await rooms.bell.until(lambda: rooms.counts["messages"] >= READERS, limit=LIMIT)
                assert chats.counts["sendMessage"] == 0
            else:
                await chats.answered(READERS, "sendMessage", limit=LIMIT)
                assert rooms.counts["messages"] == 0
        stop.set()
        async with asyncio.timeout(LIMIT):
            await work
