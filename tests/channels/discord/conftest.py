"""A local Discord: a bare client or the program before it, a server with members, a channel."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.store import Store
from tests.support.discord_program import World
from tests.support.discord_server import DiscordServer, Person
from tests.support.discord_server.guilds import Guild
from tests.support.discord_server.places import Channel
from tests.support.discord_server.raw import Raw
from tests.support.discord_stage import Desk
from tests.support.discord_story import DAY
from tests.support.local_discord_bot import ADMIN, PAPERS, Bot
from tests.support.pages import paper


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


@pytest.fixture
async def bot(server: DiscordServer) -> AsyncIterator[Bot]:
    """A bot that has registered its commands and is connected."""
    async with Raw(server) as raw:
        assert (await raw("PUT", f"/applications/{server.application_id}/commands", [PAPERS, ADMIN])).status == 200
        line = await raw.identified()
        await line.next("READY")
        yield Bot(server, raw, line)


@pytest.fixture
def ada(server: DiscordServer, guild: Guild, papers: Channel) -> Person:
    """Somebody in the channel whose app speaks Korean."""
    person = server.person("ada", locale="ko").can(guild)
    person.at = papers
    return person


@pytest.fixture
async def stage(server: DiscordServer, tmp_path: Path) -> AsyncIterator[Desk]:
    """Our channel alone, logged in. It must make no invalid call."""
    desk = Desk(server, tmp_path)
    async with desk.channel:
        yield desk
    assert not server.violations


@pytest.fixture
async def world(store: Store, tmp_path: Path) -> AsyncIterator[World]:
    """The program with an edition of twelve papers. It must make no invalid call."""
    async with DiscordServer() as server:
        made = World(server, store, tmp_path)
        await made.publish(DAY, *(paper(number, keywords=("agents", "vision")) for number in range(1, 13)))
        yield made
        assert not server.violations
