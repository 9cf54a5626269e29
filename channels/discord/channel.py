"""The channel itself: logging in, listening, composing, sending, looking at the account.

Sending needs no more than a login over HTTP; listening holds the gateway, with a client and a session of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Self

import discord
from discord.http import Route

from bot.channel import (
    BaseChannel,
    Commands,
    Finding,
    Kit,
    Link,
    LoginError,
    Message,
    Outcome,
    Pace,
    Page,
    Personal,
    Rate,
)
from bot.model import Extra
from channels.discord.api import DiscordApi
from channels.discord.destinations import Destination, Directory
from channels.discord.gateway import Listener
from channels.discord.message import LIMITS, Composer, Post
from channels.discord.reconciliation import UnconfirmedPosts
from channels.discord.responses import Responses
from channels.discord.sender import LONGEST_WAIT, Sender
from channels.discord.settings import Settings
from channels.discord.wording import Words

REFUSED = "DISCORD_TOKEN is refused by Discord: make a new one on the bot's page of its developer portal."
MISSING = "DISCORD_TOKEN is not set."
APPLICATION = "application"
"""The memory's key for the bot that the readers know."""
OTHER = (
    "DISCORD_TOKEN belongs to another bot than the one that readers know: put the old one back, or begin with a "
    "database of its own for this bot."
)


class Discord(BaseChannel):
    """Editions and answers on Discord."""

    name = "discord"
    limits = LIMITS
    pace = Pace(concurrency=20, account=Rate(48))  # of 50; threads and direct channels are counted in `api`
    repeats_unknown = True  # by its nonce, and looked for
    extras = (Extra.SILENT, Extra.THREAD, Extra.PING, Extra.PUBLISH)

    def __init__(self, settings: Settings, kit: Kit) -> None:
        self._settings = settings
        self._kit = kit
        self._words = Words(kit)
        self._composer = Composer(kit, self._words)
        self._layout = Responses(kit, self._words)
        self._directory = Directory(kit.memory)
        self._unconfirmed = UnconfirmedPosts(kit.memory)
        self._api = DiscordApi(settings.api_url)
        self._stack = AsyncExitStack()
        self._client: discord.Client | None = None
        self._sender: Sender | None = None

    def recipient(self, written: str) -> str:
        return str(Destination.parse(written))

    @property
    def invitation(self) -> Link | None:
        """Where the bot is added, to a server or for oneself; its number is known once it has logged in."""
        number = None if self._client is None else self._client.application_id
        return None if number is None else Link("Discord", f"https://discord.com/oauth2/authorize?client_id={number}")

    async def __aenter__(self) -> Self:
        # discord.py keeps the address of the API in a class of its own, for all clients of a process.
        Route.BASE = self._settings.api_url
        discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False  # nobody speaks here
        client = discord.Client(
            intents=discord.Intents(guilds=True),  # which nobody asks for without a gateway
            allowed_mentions=discord.AllowedMentions.none(),
            http_trace=self._api.trace(),
            max_messages=None,
            max_ratelimit_timeout=LONGEST_WAIT,
        )
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(client)
            await self._log_in(client)
            await self._is_the_same(client)
            await self._unconfirmed.load()
            self._client = client
            self._sender = Sender(client, self._directory, self._unconfirmed)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._sender = self._client = None
        await self._stack.aclose()

    async def _is_the_same(self, client: discord.Client) -> None:
        """Raise LoginError for another bot than before: to that one every place is closed, and every reader gone."""
        known, now = await self._kit.memory.get(APPLICATION), f"{client.application_id}"
        if known is None:
            await self._kit.memory.put(APPLICATION, now)
        elif known != now:
            raise LoginError(OTHER)

    async def _log_in(self, client: discord.Client) -> None:
        token = self._settings.token
        if token is None:
            raise LoginError(MISSING)
        try:
            await client.login(token.get_secret_value())
        except discord.LoginFailure:
            raise LoginError(REFUSED) from None

    async def listen(self, commands: Commands) -> None:
        listener = Listener(
            commands,
            memory=self._kit.memory,
            directory=self._directory,
            layout=self._layout,
            words=self._words,
            trace=self._api.trace(),
            guild=self._settings.guild,
        )
        try:
            async with listener:
                await self._log_in(listener)
                await listener.hold()
        except discord.ConnectionClosed as error:
            if error.code == 4004:  # topics/opcodes-and-status-codes#gateway
                raise LoginError(REFUSED) from None
            raise

    def compose(self, page: Page) -> Post:
        return self._composer.compose(page)

    async def send(self, to: str, message: Message, personal: Personal) -> Outcome:
        assert isinstance(message, Post)
        assert self._sender is not None, "nothing is sent before the login"
        return await self._sender.send(to, message, personal)

    async def check(self) -> Sequence[Finding]:
        client = self._client
        assert client is not None
        assert client.user is not None
        application = client.application
        try:
            async with asyncio.timeout(LONGEST_WAIT):
                application = await client.application_info()
                _, _, starts = await client.http.get_bot_gateway()
        except discord.HTTPException as error:
            if error.status != 401:
                raise
            return [Finding("DISCORD_TOKEN", ok=False, says=REFUSED)]
        found = [Finding("DISCORD_TOKEN", ok=True, says=f"logged in as {client.user.name}")]
        invite = discord.utils.oauth_url(client.user.id, permissions=WANTED, scopes=("bot", "applications.commands"))
        servers = f"in {application.approximate_guild_count} servers"
        found.append(Finding("discord", ok=True, says=f"{servers}; the way in: {invite}"))
        left, total = starts["remaining"], starts["total"]
        says = f"{left} of {total} sessions may still be begun today"
        found.append(Finding("discord gateway", ok=left > 0, says=says if left else f"{says}: listening waits"))
        return found


WANTED = discord.Permissions(
    view_channel=True,
    send_messages=True,
    send_messages_in_threads=True,
    embed_links=True,
    attach_files=True,
    read_message_history=True,
    create_public_threads=True,
)
"""What the bot asks for: to post, to look for its own posts, and a thread per edition where one is wanted."""


def make(settings: Settings, kit: Kit) -> Discord:
    """Create the channel from its settings, not yet logged in."""
    return Discord(settings, kit)
