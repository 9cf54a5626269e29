"""The Discord channel: login, receiving interactions, sending editions, checks for the doctor.

Sending needs only a login over HTTP; receiving holds the gateway, with a client and a session of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Self

import discord
from discord.http import Route

from bot.channel import Channel, Commands, Finding, Kit, Link, LoginError, Message, Outcome, Pace, Page, Personal, Rate
from channels.discord import command_names
from channels.discord.api import DiscordApi
from channels.discord.destinations import Destination, Directory
from channels.discord.gateway import Listener
from channels.discord.interactions import Interactions
from channels.discord.message import LIMITS, Composer, DiscordMessage
from channels.discord.post_options import POST_OPTIONS
from channels.discord.reconciliation import UnconfirmedMessages
from channels.discord.responses import Responses
from channels.discord.sender import LONGEST_WAIT, Sender
from channels.discord.settings import Settings
from channels.discord.wording import Words

WRONG_TOKEN = "Discord rejects DISCORD_TOKEN: create a new one on the bot's page of the developer portal."  # noqa: S105 - a sentence
MISSING_TOKEN = "DISCORD_TOKEN is not set."  # noqa: S105 - a sentence
APPLICATION = "application"
"""The memory's key for the id of the bot that readers know."""
ANOTHER_BOT = (
    "DISCORD_TOKEN belongs to another bot than the one readers know: restore the old token, or use a new database for "
    "this bot."
)
PERMISSIONS = discord.Permissions(
    view_channel=True,
    send_messages=True,
    send_messages_in_threads=True,
    embed_links=True,
    attach_files=True,
    read_message_history=True,
    create_public_threads=True,
)
"""What the invitation link asks for: to post, to look for its own posts, and to start a thread per edition."""


class Discord(Channel):
    """One Discord bot."""

    name = "discord"
    limits = LIMITS
    pace = Pace(concurrency=20, account=Rate(48))  # of 50 per second; `api` also counts threads and direct channels
    repeats_unknown = True  # a repeat is recognised by its nonce, or looked for
    extras = POST_OPTIONS
    shows_pictures = True

    def __init__(self, settings: Settings, kit: Kit) -> None:
        self._settings = settings
        self._kit = kit
        self._words = Words(kit)
        self._composer = Composer(kit, self._words)
        self._responses = Responses(kit, self._words)
        self._directory = Directory(kit.memory)
        self._unconfirmed = UnconfirmedMessages(kit.memory)
        self._api = DiscordApi(settings.api_url)
        self._stack = AsyncExitStack()
        self._client: discord.Client | None = None
        self._sender: Sender | None = None

    def typed(self, line: str, language: str) -> str:
        """The line as a slash command: `/papers time hour:7:45`."""
        return command_names.typed(line, self._words(language))

    def recipient(self, written: str) -> str:
        return str(Destination.parse(written))

    @property
    def invitation(self) -> Link | None:
        """The link that adds the bot to a server or a user's account; its id is known after login."""
        number = None if self._client is None else self._client.application_id
        return None if number is None else Link("Discord", f"https://discord.com/oauth2/authorize?client_id={number}")

    async def __aenter__(self) -> Self:
        # discord.py keeps the API's address in a class attribute, for all clients of a process.
        Route.BASE = self._settings.api_url
        discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False  # voice is not used
        client = discord.Client(
            intents=discord.Intents(guilds=True),  # required by the class, unused without a gateway
            allowed_mentions=discord.AllowedMentions.none(),
            http_trace=self._api.trace(),
            max_messages=None,
            max_ratelimit_timeout=LONGEST_WAIT,
        )
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(client)
            await self._log_in(client)
            await self._require_same_bot(client)
            await self._unconfirmed.load()
            self._client = client
            self._sender = Sender(client, self._directory, self._unconfirmed)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._sender = self._client = None
        await self._stack.aclose()

    async def _require_same_bot(self, client: discord.Client) -> None:
        """Raise LoginError for another bot than before: it has access to no channel, so every reader would be lost."""
        known, now = await self._kit.memory.get(APPLICATION), f"{client.application_id}"
        if known is None:
            await self._kit.memory.put(APPLICATION, now)
        elif known != now:
            raise LoginError(ANOTHER_BOT)

    async def _log_in(self, client: discord.Client) -> None:
        token = self._settings.token
        if token is None:
            raise LoginError(MISSING_TOKEN)
        try:
            await client.login(token.get_secret_value())
        except discord.LoginFailure:
            raise LoginError(WRONG_TOKEN) from None

    async def listen(self, commands: Commands) -> None:
        """Receive interactions and server events by the gateway until cancelled. Raises LoginError."""
        interactions = Interactions(commands, self._kit.memory, self._directory, self._responses, self._words)
        listener = Listener(interactions, commands, self._directory, self._api.trace(), self._settings.guild)
        try:
            async with listener:
                await self._log_in(listener)
                await listener.run_forever()
        except discord.ConnectionClosed as error:
            if error.code == 4004:  # topics/opcodes-and-status-codes#gateway: authentication failed
                raise LoginError(WRONG_TOKEN) from None
            raise

    def compose(self, page: Page) -> DiscordMessage:
        return self._composer.compose(page)

    async def send(self, to: str, message: Message, personal: Personal) -> Outcome:
        assert isinstance(message, DiscordMessage)
        assert self._sender is not None, "not logged in"
        return await self._sender.send(to, message, personal)

    async def check(self) -> Sequence[Finding]:
        client = self._client
        assert client is not None
        assert client.user is not None
        try:
            async with asyncio.timeout(LONGEST_WAIT):
                application = await client.application_info()
                _, _, sessions = await client.http.get_bot_gateway()
        except discord.HTTPException as error:
            if error.status != 401:
                raise
            return [Finding("DISCORD_TOKEN", ok=False, says=WRONG_TOKEN)]
        url = discord.utils.oauth_url(client.user.id, permissions=PERMISSIONS, scopes=("bot", "applications.commands"))
        left = sessions["remaining"]
        says = f"{left} of {sessions['total']} sessions left today"
        return [
            Finding("DISCORD_TOKEN", ok=True, says=f"logged in as {client.user.name}"),
            Finding("discord", ok=True, says=f"in {application.approximate_guild_count} servers; invite it with {url}"),
            Finding("discord gateway", ok=left > 0, says=says if left else f"{says}: no commands are received"),
        ]
