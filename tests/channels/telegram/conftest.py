"""The local Bot API server, and before it the program with an edition, or the channel alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.channel import Rate
from bot.commands import token_buckets
from channels.telegram import channel, polling
from channels.telegram.channel import Telegram
from tests.support import telegram_program
from tests.support.telegram_program import Station
from tests.support.telegram_server import TelegramServer
from tests.support.telegram_server.people import Person
from tests.support.telegram_server.town import Town, open_town


@pytest.fixture
def without_rate_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits so high that no test waits for them."""
    monkeypatch.setattr(channel, "PER_CHAT", Rate(1000))
    monkeypatch.setattr(channel, "PER_GROUP", Rate(1000))
    monkeypatch.setattr(token_buckets, "BURST", 10_000)
    monkeypatch.setattr(polling, "FIRST_BACKOFF", 0.01)


@pytest.fixture
async def server() -> AsyncIterator[TelegramServer]:
    """A local Bot API server, which must have seen no invalid call."""
    async with TelegramServer() as opened:
        yield opened
        assert not opened.violations


@pytest.fixture
async def station(server: TelegramServer, tmp_path: Path) -> AsyncIterator[Station]:
    """The program with an edition of today."""
    async with Station(tmp_path, server) as opened:
        await opened.publish()
        yield opened


@pytest.fixture
async def ada(server: TelegramServer, station: Station) -> Person:
    """Somebody the bot has met."""
    person = server.person(42)
    await person.writes("/privacy")
    await person.hears("message")
    return person


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    """A server with people and places, which must have seen no invalid call."""
    async with open_town() as opened:
        yield opened
        assert not opened.server.violations


@pytest.fixture
async def bot(town: Town, tmp_path: Path) -> AsyncIterator[Telegram]:
    """Our channel alone, logged in."""
    async with telegram_program.channel(town.server, tmp_path) as opened:
        yield opened
