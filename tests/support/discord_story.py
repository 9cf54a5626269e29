"""People and places of the stories on Discord."""

from __future__ import annotations

from datetime import date

from tests.support.discord_program import World
from tests.support.discord_server.messages import Message, walk
from tests.support.discord_server.places import Channel

DAY = date(2026, 4, 29)


async def dropped(world: World) -> None:
    """The gateway's connection is lost, and is there again."""
    before = world.server.gateway.counts["RESUMED"]
    world.server.gateway.drop()
    await world.server.gateway.until("RESUMED", before + 1)


def at(channel: Channel, kind: str = "channel") -> str:
    return f"{kind}:{channel.id}"


def texts(message: Message) -> list[str]:
    """The texts of a message of components, from the top."""
    return [each["content"] for each in walk(message.components) if each["type"] == 10]
