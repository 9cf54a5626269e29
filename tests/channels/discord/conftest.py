"""A local Discord for tests of its routes: a bare client, a server with members, a channel."""

from collections.abc import AsyncIterator

import pytest

from tests.support.discord_server import DiscordServer
from tests.support.discord_server.guilds import Guild
from tests.support.discord_server.places import Channel
from tests.support.discord_server.raw import Raw


@pytest.fixture
async def server() -> AsyncIterator[DiscordServer]:
    async with DiscordServer() as started:
        yield started


@pytest.fixture
async def raw(server: DiscordServer) -> AsyncIterator[Raw]:
    async with Raw(server) as client:
        yield client


@pytest.fixture
def guild(server: DiscordServer) -> Guild:
    return server.guild("Readers")


@pytest.fixture
def papers(guild: Guild) -> Channel:
    return guild.text("papers")
