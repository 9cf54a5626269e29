"""Destinations of editions: how a recipient is written, what is known of a channel, and who may change what there.

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
from bot.model import Address

CHANNEL = "discord"
FORUM_TYPES = {15, 16}
THREAD_TYPES = {10, 11, 12}
TEXT_TYPES = {0, 5, *THREAD_TYPES}
"""Channel types (resources/channel#channel-object-channel-types)."""
_WRITTEN = re.compile(r"(?:(channel|forum|user):)?(\d{15,20})", re.ASCII)
_LINK = re.compile(r"https://(?:\w+\.)?discord(?:app)?\.com/channels/\d{15,20}/(\d{15,20})/?", re.ASCII)
_MENTION = re.compile(r"<(#|@!?)(\d{15,20})>", re.ASCII)
_MANAGERS = discord.Permissions(manage_guild=True, manage_channels=True, administrator=True).value
"""Any of these permissions lets a member change a channel's subscription."""


class Kind(StrEnum):
    """The kind of a destination."""

    CHANNEL = "channel"
    FORUM = "forum"
    USER = "user"


@dataclass(frozen=True, slots=True)
class Destination:
    """A recipient: its kind, and Discord's id for it."""

    kind: Kind
    id: int

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}"

    @property
    def address(self) -> Address:
        """The subscription's address: this channel and the recipient id."""
        return Address(CHANNEL, str(self))

    @classmethod
    def parse(cls, written: str) -> Self:
        """Read a recipient as people write it: with its kind, as a link, as a mention, or the bare id of a channel.

        Raises:
            ValueError: it is none of these; the message is a sentence for the operator.
        """
        text = written.strip()
        if found := _LINK.fullmatch(text):
            return cls(Kind.CHANNEL, int(found[1]))
        if found := _MENTION.fullmatch(text):
            return cls(Kind.CHANNEL if found[1] == "#" else Kind.USER, int(found[2]))
        if found := _WRITTEN.fullmatch(text.casefold()):
            return cls(Kind(found[1] or Kind.CHANNEL), int(found[2]))
        raise ValueError(f"{written!r} is not a Discord recipient: write channel:ID, forum:ID or user:ID")

    @classmethod
    def of_channel(cls, channel_id: int, channel_type: int) -> Self | None:
        """The destination for a channel of this type; None if nothing can be posted in it."""
        if channel_type in FORUM_TYPES:
            return cls(Kind.FORUM, channel_id)
        return cls(Kind.CHANNEL, channel_id) if channel_type in TEXT_TYPES else None


@dataclass(frozen=True, slots=True)
class Subject:
    """The subscription that a request is about, and who makes it; `person` is None in direct messages."""

    destination: Destination
    person: Destination | None = None
    may_change: bool = True
    language: str | None = None
    """The server's language: American English unless somebody chose another; None in direct messages."""

    @property
    def language_chosen(self) -> str | None:
        """The server's language, if it surely chose one: every server begins with American English."""
        return None if self.language == str(discord.Locale.american_english) else self.language

    @property
    def shared(self) -> bool:
        """Whether other people are there too."""
        return self.person is not None


def may_manage(permissions: int) -> bool:
    """Whether these permissions let a member change a channel's subscription."""
    return bool(permissions & _MANAGERS)


def may_post(permissions: discord.Permissions, *, in_thread: bool) -> bool:
    """Whether these permissions let the bot post editions."""
    may_send = permissions.send_messages_in_threads if in_thread else permissions.send_messages
    return permissions.administrator or (permissions.view_channel and may_send and permissions.embed_links)


@dataclass(frozen=True, slots=True)
class KnownChannel:
    """A subscribed channel: its server's id, and the names of both."""

    guild: int
    name: str
    server: str

    def __str__(self) -> str:
        return " · ".join(filter(None, (self.name, self.server)))


class Directory:
    """The subscribed channels by server, kept in the channel's memory: Discord does not tell once the bot is out."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._lock = asyncio.Lock()

    async def add(self, destination: Destination, known: KnownChannel) -> None:
        """Remember a destination and its names."""
        entry = json.dumps([known.guild, known.name, known.server], ensure_ascii=False)
        if await self._memory.get(f"place:{destination.id}") != entry:
            await self._memory.put(f"place:{destination.id}", entry)
        async with self._lock:  # concurrent read-modify-write of one server's list would lose entries
            listed = await self.of_guild(known.guild)
            if destination not in listed:
                entries = json.dumps([*map(str, listed), str(destination)])
                await self._memory.put(f"guild:{known.guild}", entries)

    async def get(self, destination: Destination) -> KnownChannel | None:
        """Get a known destination from the channel's memory."""
        entry = await self._memory.get(f"place:{destination.id}")
        return None if entry is None else KnownChannel(*json.loads(entry))

    async def of_guild(self, guild: int) -> list[Destination]:
        """The destinations in a server that were ever subscribed."""
        entries = await self._memory.get(f"guild:{guild}")
        return [] if entries is None else [Destination.parse(each) for each in json.loads(entries)]


def is_in_guild(interaction: discord.Interaction) -> bool:
    """Whether the bot is a member of the server, rather than only installed by the user."""
    if interaction.guild_id is None:
        return False
    return interaction.is_guild_integration() or interaction.client.get_guild(interaction.guild_id) is not None


def subject_of(interaction: discord.Interaction, channel: Mapping[str, Any] | None = None) -> Subject | None:
    """The subscription that a user asks about: the named channel's, else that of where they are, else their own.

    Args:
        interaction: what the user did.
        channel: the channel they named, as the API describes it.

    Returns:
        None if nothing can be posted in the named channel.
    """
    person = Destination(Kind.USER, interaction.user.id)
    if not is_in_guild(interaction) or interaction.channel_id is None:
        return Subject(person)
    language = _guild_language(interaction)
    if channel is None:
        may_change = may_manage(interaction.permissions.value)
        return Subject(_current_destination(interaction), person, may_change, language)
    destination = Destination.of_channel(int(channel["id"]), int(channel["type"]))
    may_change = may_manage(int(channel.get("permissions") or 0))
    return None if destination is None else Subject(destination, person, may_change, language)


def _guild_language(interaction: discord.Interaction) -> str | None:
    """The server's language if it chose one: only communities can, all others have en-US."""
    locale, guild = interaction.guild_locale, interaction.guild
    is_default = locale is discord.Locale.american_english and "COMMUNITY" not in (guild.features if guild else ())
    return None if locale is None or is_default else str(locale)


def _current_destination(interaction: discord.Interaction) -> Destination:
    """The channel where the user is; in a thread that the bot made for an edition, its parent channel."""
    channel = interaction.channel
    if isinstance(channel, discord.Thread) and channel.owner_id == interaction.application_id:
        parent = channel.parent
        parent_type = parent.type.value if parent is not None else 0
        return Destination.of_channel(channel.parent_id, parent_type) or Destination(Kind.CHANNEL, channel.parent_id)
    assert interaction.channel_id is not None
    return Destination(Kind.CHANNEL, interaction.channel_id)
