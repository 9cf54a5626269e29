"""The Discord channel before a local Discord, without a database."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.channel import Channel, Kit, Outcome, Personal
from bot.render.templates import template
from channels import discord
from channels.discord import Settings
from channels.discord.channel import Discord
from tests.support.channel_contract import Stage
from tests.support.discord_server import DiscordServer, Fault
from tests.support.discord_server.guilds import Guild
from tests.support.discord_server.places import Channel as Room
from tests.support.pages import Kept

POST = "POST /channels/{channel_id}/messages"
FORUM_POST = "POST /channels/{channel_id}/threads"
LONG = 45.0
"""Seconds of a wait that the library hands on instead of sleeping for them."""


@dataclass
class Desk(Stage):
    """The channel before a local Discord, with one guild and its rooms."""

    server: DiscordServer
    home: Path
    memory: Kept = field(default_factory=Kept)

    def __post_init__(self) -> None:
        self.guild: Guild = self.server.guild("Readers")
        self.room: Room = self.guild.text("papers")
        self.to, self.secret = f"channel:{self.room.id}", self.server.token
        self.channel: Discord = self.opened()

    def opened(self, token: str | None = None) -> Discord:
        given = {"DISCORD_TOKEN": token or self.server.token, "DISCORD_API_URL": self.server.api}
        return discord.open(Settings.model_validate(given), Kit(self.home, self.home, self.memory, template))

    async def arrived(self) -> int:
        return self.room.posted

    async def turns_away(self) -> None:
        self.room.delete()

    async def bars(self) -> None:
        self.room.deny(self.guild.everyone, "send_messages")

    async def slows(self) -> float | None:
        self.server.fails(Fault.limited(LONG), channel=self.room)
        return LONG

    async def floods(self) -> float | None:
        self.server.fails(Fault.limited(LONG, scope="global"))
        return LONG

    async def breaks_down(self) -> None:
        self.server.fails(Fault.answers(503))

    async def goes_away(self) -> None:
        await self.server.__aexit__()
        with suppress(OSError):  # meets the connections that were there before, of which nobody would know
            await self.channel.check()

    async def forgets_us(self) -> None:
        self.server.fails(Fault.answers(401))

    async def finds_fault(self) -> None:
        self.server.fails(Fault.refusal(50035))

    async def cuts_off(self) -> None:
        self.server.fails(Fault.lost(), route=POST, times=1)

    async def hangs(self) -> None:
        self.server.fails(Fault.silent(), route=POST, times=1)

    async def heals(self) -> None:
        self.server.heal()

    def stranger(self) -> Channel:
        return self.opened(f"{self.secret}-of-another")

    async def sends(self, to: str | None = None, **personal: Any) -> Outcome:
        """Send an edition, and repeat it where `repeat` says so."""
        known: dict[str, Any] = {"key": "1.1"} | personal
        return await self.channel.send(to or self.to, self.message(), Personal(**known))
