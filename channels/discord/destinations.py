"""Where editions go on Discord, how a recipient is written, and who may change what there.

channel:<id>    a text or announcement channel, a thread
forum:<id>      a forum or media channel, in which each edition is a post of its own
user:<id>       the direct messages of one person
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

import discord

from bot.channel import Memory

CHANNEL = "discord"
FORUMS = {15, 16}
THREADS = {10, 11, 12}
TEXTS = {0, 5, *THREADS}
"""Types of channel (resources/channel#channel-object-channel-types)."""
_WRITTEN = re.compile(r"(?:(channel|forum|user):)?(\d{15,20})", re.ASCII)
_LINK = re.compile(r"https://(?:\w+\.)?discord(?:app)?\.com/channels/\d{15,20}/(\d{15,20})/?", re.ASCII)
_MENTION = re.compile(r"<(#|@!?)(\d{15,20})>", re.ASCII)
_MODERATES = discord.Permissions(manage_guild=True, manage_channels=True).value
"""Either of these lets somebody run a channel's subscription."""


class Kind(StrEnum):
    """What a recipient is."""

    CHANNEL = "channel"
    FORUM = "forum"
    USER = "user"


@dataclass(frozen=True, slots=True)
class Destination:
    """A recipient: what it is, and Discord's id for it."""

    kind: Kind
    id: int

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}"

    @classmethod
    def parse(cls, written: str) -> Self:
        """Read a recipient as people write it: with its kind, as a link, as a mention, or the bare id of a channel.

        Raises ValueError, with a sentence, for what is none.
        """
        text = written.strip()
        if found := _LINK.fullmatch(text):
            return cls(Kind.CHANNEL, int(found[1]))
        if found := _MENTION.fullmatch(text):
            return cls(Kind.CHANNEL if found[1] == "#" else Kind.USER, int(found[2]))
        if found := _WRITTEN.fullmatch(text.casefold()):
            return cls(Kind(found[1] or Kind.CHANNEL), int(found[2]))
        raise ValueError(f"{written!r} is no place on Discord: write channel:ID, forum:ID or user:ID")

    @classmethod
    def of_channel(cls, channel_id: int, kind: int) -> Self | None:
        """A channel by its type; None where nothing can be posted in it."""
        if kind in FORUMS:
            return cls(Kind.FORUM, channel_id)
        return cls(Kind.CHANNEL, channel_id) if kind in TEXTS else None


@dataclass(frozen=True, slots=True)
class AskedFrom:
    """For which place somebody asks, and as whom. `person` is None where they are alone with the bot."""

    place: Destination
    person: Destination | None = None
    may_change: bool = True
    language: str | None = None
    """The language that the place itself is in."""

    @property
    def shared(self) -> bool:
        """Whether others are there too."""
        return self.person is not None


def moderates(permissions: int) -> bool:
    """Whether these permissions let somebody run a channel's subscription; administrators may do everything."""
    return bool(permissions & (_MODERATES | discord.Permissions(administrator=True).value))


def may_post(permissions: discord.Permissions, *, in_thread: bool) -> bool:
    """Whether these permissions let the bot post editions."""
    speaks = permissions.send_messages_in_threads if in_thread else permissions.send_messages
    return permissions.administrator or (permissions.view_channel and speaks and permissions.embed_links)


@dataclass(frozen=True, slots=True)
class KnownChannel:
    """What is remembered of a subscribed channel: its server, and what people call both."""

    guild: int
    name: str
    server: str

    def __str__(self) -> str:
        return " · ".join(filter(None, (self.name, self.server)))


class Directory:
    """Which channels of which servers are subscribed, in the channel's memory: Discord does not tell afterwards."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._one_by_one = asyncio.Lock()

    async def note(self, place: Destination, known: KnownChannel) -> None:
        """Remember a place, if there is anything new about it."""
        written = json.dumps([known.guild, known.name, known.server], ensure_ascii=False)
        if await self._memory.get(f"place:{place.id}") != written:
            await self._memory.put(f"place:{place.id}", written)
        async with self._one_by_one:  # a server's list is read and written: two at once would lose one
            places = await self.of_guild(known.guild)
            if place not in places:
                listed = json.dumps([*map(str, places), str(place)])
                await self._memory.put(f"guild:{known.guild}", listed)

    async def known(self, place: Destination) -> KnownChannel | None:
        """What is remembered of a place."""
        written = await self._memory.get(f"place:{place.id}")
        return None if written is None else KnownChannel(*json.loads(written))

    async def of_guild(self, guild: int) -> list[Destination]:
        """The places of a server that were ever subscribed."""
        written = await self._memory.get(f"guild:{guild}")
        return [] if written is None else [Destination.parse(each) for each in json.loads(written)]


def is_here(interaction: discord.Interaction) -> bool:
    """Whether the bot itself is in the server where somebody asks, and not just the person's own app."""
    if interaction.guild_id is None:
        return False
    return interaction.is_guild_integration() or interaction.client.get_guild(interaction.guild_id) is not None


def seat_of(interaction: discord.Interaction, channel: Mapping[str, Any] | None = None) -> AskedFrom | None:
    """Where somebody sits who asks: in the channel that they are in, in one that they named, or alone.

    None where they named a channel that nothing can be posted in.
    """
    person = Destination(Kind.USER, interaction.user.id)
    if not is_here(interaction) or interaction.channel_id is None:
        return AskedFrom(person)
    language = _language_of(interaction)
    if channel is not None:
        place = Destination.of_channel(int(channel["id"]), int(channel["type"]))
        may_change = moderates(int(channel.get("permissions") or 0))
        return None if place is None else AskedFrom(place, person, may_change, language)
    return AskedFrom(_place_of(interaction), person, moderates(interaction.permissions.value), language)


def _language_of(interaction: discord.Interaction) -> str | None:
    """The language of the server, where it chose one: only communities can, all others have the first."""
    locale, guild = interaction.guild_locale, interaction.guild
    if locale is None or (
        locale is discord.Locale.american_english and "COMMUNITY" not in (guild.features if guild else ())
    ):
        return None
    return str(locale)


def _place_of(interaction: discord.Interaction) -> Destination:
    """The channel where somebody asks; in a thread that the bot made for an edition, the channel that it is in."""
    channel = interaction.channel
    if isinstance(channel, discord.Thread) and channel.owner_id == interaction.application_id:
        parent = channel.parent
        kind = parent.type.value if parent is not None else 0
        return Destination.of_channel(channel.parent_id, kind) or Destination(Kind.CHANNEL, channel.parent_id)
    assert interaction.channel_id is not None
    return Destination(Kind.CHANNEL, interaction.channel_id)
