"""Receives interactions and server events by the gateway."""

from __future__ import annotations

import asyncio
import logging

import aiohttp
import discord
from discord.gateway import DiscordWebSocket
from yarl import URL

from bot.channel import Commands
from channels.discord.destinations import CHANNEL, Destination, Directory, Kind, may_post
from channels.discord.interactions import Interactions

log = logging.getLogger(__name__)

RESERVED_SESSIONS = 20
"""Gateway sessions per day that are left for restarts by hand."""
LOST = "the connection to Discord's gateway is lost; a new one is being made"


class Listener(discord.AutoShardedClient):
    """The gateway client. It subscribes to guilds alone: it reads no messages and lists no members."""

    def __init__(
        self,
        interactions: Interactions,
        commands: Commands,
        directory: Directory,
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
        self._interactions = interactions
        self._commands = commands
        self._directory = directory
        self._guild = guild

    async def run_forever(self) -> None:
        """Register the slash commands if they have changed, then stay connected.

        Raises:
            ConnectionError: the gateway closed the connection for good.
        """
        await self._interactions.register(self, self._guild)
        await self._wait_for_session()
        await self.connect()
        raise ConnectionError("the gateway was closed")

    async def _wait_for_session(self) -> None:
        """Wait if few sessions are left today: a bot that exceeds the limit loses its token (topics/gateway)."""
        _, url, limits = await self.http.get_bot_gateway()
        # Used when a session cannot be resumed; the library keeps it in a class attribute, for all clients.
        DiscordWebSocket.DEFAULT_GATEWAY = URL(url)
        if limits["remaining"] <= min(RESERVED_SESSIONS, limits["total"] // 10):
            wait = limits["reset_after"] / 1000
            log.error("gateway session limit near, waiting", extra={"channel": CHANNEL, "seconds": round(wait)})
            await asyncio.sleep(wait)

    async def on_ready(self) -> None:
        """The gateway is connected."""
        await self._commands.listening(CHANNEL, discord.utils.utcnow())

    async def on_resumed(self) -> None:
        """The gateway is connected again, and has sent what was missed."""
        await self._commands.listening(CHANNEL, discord.utils.utcnow())

    async def on_disconnect(self) -> None:
        """The connection was lost; the library makes a new one. Some are lost every day, most for a second."""
        await self._commands.not_listening(CHANNEL, LOST, discord.utils.utcnow())

    async def on_interaction(self, interaction: discord.Interaction) -> None:
        """A slash command, a component, autocomplete or a form."""
        await self._interactions.handle(interaction)

    async def on_guild_remove(self, guild: discord.Guild) -> None:
        """The bot was removed from a server, or the server was deleted."""
        for destination in await self._directory.of_guild(guild.id):
            await self._deactivate(destination, "the bot was removed from the server")

    async def on_guild_channel_delete(self, channel: discord.abc.GuildChannel) -> None:
        """A channel was deleted."""
        await self._on_delete(channel.guild.id, channel.id)

    async def on_raw_thread_delete(self, payload: discord.RawThreadDeleteEvent) -> None:
        """A thread was deleted."""
        await self._on_delete(payload.guild_id, payload.thread_id)

    async def on_guild_channel_update(self, _: discord.abc.GuildChannel, after: discord.abc.GuildChannel) -> None:
        """A channel's permissions may have changed."""
        await self._recheck_permissions(after.guild)

    async def on_guild_role_update(self, _: discord.Role, after: discord.Role) -> None:
        """A role's permissions may have changed."""
        await self._recheck_permissions(after.guild)

    async def on_member_update(self, _: discord.Member, after: discord.Member) -> None:
        """The bot itself may have been given a role; other members' updates are not received."""
        if self.user is not None and after.id == self.user.id:
            await self._recheck_permissions(after.guild)

    async def on_thread_update(self, _: discord.Thread, after: discord.Thread) -> None:
        """A thread may have been unarchived."""
        if any(each.id == after.id for each in await self._directory.of_guild(after.guild.id)):
            await self._recheck_permissions(after.guild)

    async def _on_delete(self, guild: int, channel: int) -> None:
        for destination in await self._directory.of_guild(guild):
            if destination.id == channel:
                await self._deactivate(destination, "the channel was deleted")

    async def _deactivate(self, destination: Destination, reason: str) -> None:
        await self._commands.gone(destination.address, reason, discord.utils.utcnow())

    async def _recheck_permissions(self, guild: discord.Guild) -> None:
        """Resume the channels in which the bot may post again."""
        for destination in await self._directory.of_guild(guild.id):
            channel = guild.get_channel_or_thread(destination.id)
            if channel is None:
                continue
            in_thread = isinstance(channel, discord.Thread)
            if destination.kind is not Kind.USER and may_post(channel.permissions_for(guild.me), in_thread=in_thread):
                await self._commands.permitted(destination.address)
