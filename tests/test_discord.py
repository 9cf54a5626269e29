"""Discord end to end: the real discord.py against a local Discord, from a command to an edition."""

from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import pytest

from bot.store import Store
from tests.discord_service import DiscordServer
from tests.discord_world import World
from tests.pages import paper

pytestmark = pytest.mark.parametrize("database", ["sqlite:///subscribers.db"])

DAY = date(2026, 4, 29)


@pytest.fixture
async def world(store: Store, tmp_path: Path) -> AsyncIterator[World]:
    async with DiscordServer() as server:
        yield World(server, store, tmp_path)
        assert not server.violations


async def test_a_moderator_subscribes_a_channel_and_it_gets_the_edition(world: World) -> None:
    guild = world.server.guild("Readers")
    papers = guild.text("papers")
    ada = world.server.person("ada").can(guild, "manage_guild")
    await world.publish(DAY, *(paper(number) for number in range(1, 13)))
    async with world.life():
        today = await ada.uses("/papers today", in_=papers)
        assert today.ephemeral
        assert "1. Paper number 1" in today.text
        assert "You are subscribed." in (await ada.uses("/papers subscribe")).text
        await world.deliver()
    [message] = papers.messages
    assert message.embeds[0]["title"] == "Daily papers · Wednesday, 29 April 2026"
    assert len(message.embeds) == 10
    assert message.allowed_mentions == {"parse": []}
