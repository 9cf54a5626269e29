"""The gateway of Discord: sessions, lost connections, refusals."""

from __future__ import annotations

import asyncio
import logging

import discord
import pytest

from bot.channel import LoginError
from bot.store import listening_outages
from tests.support.discord_program import World
from tests.support.discord_story import dropped

pytestmark = [pytest.mark.parametrize("database", ["sqlite"], indirect=True), pytest.mark.slow]


async def test_a_session_that_cannot_be_resumed_is_begun_again(world: World) -> None:
    ada = world.server.person("ada").can(world.server.guild("Readers"))
    async with world.life():
        world.server.gateway.invalidate()
        await world.server.gateway.until("READY", 2)
        assert (await ada.uses("/papers help")).text
        assert world.server.gateway.counts["IDENTIFY"] == 2
    assert world.server.registry.syncs == 1


async def test_a_lost_connection_is_noted_until_it_is_back(world: World, caplog: pytest.LogCaptureFixture) -> None:
    async def deaf() -> bool:
        async with world.store.read() as connection:
            return "discord" in await listening_outages.load(connection)

    caplog.set_level(logging.INFO, "bot")
    async with world.life():
        await dropped(world)
        async with asyncio.timeout(10):
            while await deaf() or "channel listens again" not in caplog.messages:
                pass  # every look lets the others work


async def test_a_token_that_the_gateway_refuses_ends_the_listening(world: World) -> None:
    async with world.life(listens=False) as channel:
        listening = asyncio.create_task(channel.listen(world.readers))
        await world.server.gateway.until("READY")
        world.server.gateway.close(4004)
        with pytest.raises(LoginError, match="DISCORD_TOKEN"):
            await asyncio.wait_for(listening, 10)


async def test_close_to_the_days_limit_no_session_is_begun(world: World) -> None:
    world.server.gateway.identify_limit = 0
    async with world.life(listens=False) as channel:
        listening = asyncio.create_task(channel.listen(world.readers))
        await world.server.bell.until(lambda: world.server.counts["GET /gateway/bot"] > 0, limit=10)
        for _ in range(20):
            await asyncio.sleep(0)
        assert world.server.gateway.counts["IDENTIFY"] == 0
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)


async def test_a_gateway_that_is_gone_for_good_is_said(world: World) -> None:
    async with world.life(listens=False) as channel:
        listening = asyncio.create_task(channel.listen(world.readers))
        await world.server.gateway.until("READY")
        world.server.gateway.close(4013)
        with pytest.raises(discord.ConnectionClosed):
            await asyncio.wait_for(listening, 10)
