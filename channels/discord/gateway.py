"""Listening: the gateway is held, commands are registered when they changed, and what happens to places is told."""

from __future__ import annotations

import asyncio
import json
import logging

import aiohttp
import discord
from discord.gateway import DiscordWebSocket
from yarl import URL

from bot.channel import Commands, Memory
from bot.model import Address
from channels.discord.destinations import CHANNEL, Destination, Directory, Kind, may_post
from channels.discord.interactions import Interactions
from channels.discord.responses import Responses
from channels.discord.slash_commands import digest, payload
from channels.discord.wording import Words

log = logging.getLogger(__name__)

SPARE = 20
"""So many of the sessions that may be begun in a day are left for what is done by hand."""


class Listener(discord.AutoShardedClient):
    """A client that answers. It asks for guilds alone: no messages are read and no members are listed."""

    def __init__(
        self,
        commands: Commands,
        *,
        memory: Memory,
        directory: Directory,
        layout: Responses,
        words: Words,
        trace: aiohttp.TraceConfig,
        guild: int | None = None,
    ) -> None:
        super().__init__(
            intents=discord.Intents(guilds=True),
            allowed_mentions=discord.AllowedMentions.none(),
            chunk_guilds_at_startup=False,
            http_trace=trace,
            max_messages=None,
            member_cache_flags=discord.MemberCacheFlags.none(),
        )
        self._commands = commands
        self._memory = memory
        self._directory = directory
        self._words = words
        self._guild = guild
        self._answering = Interactions(commands, memory=memory, directory=directory, layout=layout, words=words)

    async def hold(self) -> None:
        """Register the commands if they changed, then hold the gateway until it is lost for good."""
        self._answering.command_id = await self._register()
        await self._wait_for_a_session()
        await self.connect()
        raise ConnectionError("the gateway was closed")

    async def _register(self) -> int | None:
        """Register the commands where they are not registered as they are; the id of the group."""
        registered = payload(self._commands.purposes, self._words)
        key = f"commands:{self.application_id}:{self._guild or ''}"
        known = json.loads(await self._memory.get(key) or "{}")
        if known.get("digest") == digest(registered):
            return int(known["id"])
        assert self.application_id is not None
        if self._guild is None:
            answered = await self.http.bulk_upsert_global_commands(self.application_id, registered)
        else:
            answered = await self.http.bulk_upsert_guild_commands(self.application_id, self._guild, registered)
        command_id = int(answered[0]["id"])
        await self._memory.put(key, json.dumps({"digest": digest(registered), "id": command_id}))
        log.info("commands registered", extra={"channel": CHANNEL})
        return command_id

    async def _wait_for_a_session(self) -> None:
        """Whoever begins more sessions in a day than are allowed loses the token (topics/gateway#sharding)."""
        _, url, limits = await self.http.get_bot_gateway()
        # Where the library goes for a session that cannot be resumed; it keeps that in a class, for all clients.
        DiscordWebSocket.DEFAULT_GATEWAY = URL(url)
        if limits["remaining"] <= min(SPARE, limits["total"] // 10):
            wait = limits["reset_after"] / 1000
            log.error("too many gateway sessions today", extra={"channel": CHANNEL, "seconds": round(wait)})
            await asyncio.sleep(wait)

    async def on_interaction(self, interaction: discord.Interaction) -> None:
        """Somebody uses a command, taps, chooses, or fills in a form."""
        await self._answering.answer(interaction)

    async def on_guild_remove(self, guild: discord.Guild) -> None:
        """The bot was taken out of a server, or the server is no more."""
        for place in await self._directory.of_guild(guild.id):
            await self._gone(place, "the bot was removed from the server")

    async def on_guild_channel_delete(self, channel: discord.abc.GuildChannel) -> None:
        """A channel is no more."""
        await self._deleted(channel.guild.id, channel.id)

    async def on_raw_thread_delete(self, payload: discord.RawThreadDeleteEvent) -> None:
        """A thread is no more."""
        await self._deleted(payload.guild_id, payload.thread_id)

    async def on_guild_channel_update(self, _: discord.abc.GuildChannel, after: discord.abc.GuildChannel) -> None:
        """A channel's permissions may have changed."""
        await self._look_again(after.guild)

    async def on_guild_role_update(self, _: discord.Role, after: discord.Role) -> None:
        """A role's permissions may have changed."""
        await self._look_again(after.guild)

    async def on_member_update(self, _: discord.Member, after: discord.Member) -> None:
        """The bot itself may have been given a role; of others nothing is told."""
        if self.user is not None and after.id == self.user.id:
            await self._look_again(after.guild)

    async def on_thread_update(self, _: discord.Thread, after: discord.Thread) -> None:
        """A thread may have been opened again."""
        if any(place.id == after.id for place in await self._directory.of_guild(after.guild.id)):
            await self._look_again(after.guild)

    async def _deleted(self, guild: int, channel: int) -> None:
        for place in await self._directory.of_guild(guild):
            if place.id == channel:
                await self._gone(place, "the channel was deleted")

    async def _gone(self, place: Destination, reason: str) -> None:
        await self._commands.gone(Address(CHANNEL, str(place)), reason, discord.utils.utcnow())

    async def _look_again(self, guild: discord.Guild) -> None:
        """Places that did not let us post may let us now."""
        for place in await self._directory.of_guild(guild.id):
            channel = guild.get_channel_or_thread(place.id)
            if channel is None:
                continue
            in_thread = isinstance(channel, discord.Thread)
            if place.kind is not Kind.USER and may_post(channel.permissions_for(guild.me), in_thread=in_thread):
                await self._commands.permitted(Address(CHANNEL, str(place)))
