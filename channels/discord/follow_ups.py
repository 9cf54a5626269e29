"""Follow-ups of a sent edition: a thread below it, publishing it to following channels. Failures are only logged."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict, deque
from collections.abc import Awaitable, Mapping
from typing import Literal

import aiohttp
import discord

from bot.model import OFF, ON
from channels.discord.api import BlockedError, UnconfirmedError
from channels.discord.message import DiscordMessage
from channels.discord.post_options import PUBLISH, THREAD

log = logging.getLogger(__name__)

ARCHIVE_AFTER: Literal[1440] = 1440
"""Minutes without messages until a thread is archived (resources/channel#start-thread-from-message)."""
PUBLISH_LIMIT, PUBLISH_WINDOW = 10, 3_600.0
"""Messages of one channel that may be published, and in how many seconds (seen by many bots, not documented)."""
CHANNELS = 10_000
"""Channels whose publishing is counted."""

SERVICE_ERRORS = (
    discord.HTTPException,
    discord.RateLimited,
    aiohttp.ClientError,
    OSError,
    TimeoutError,
    BlockedError,
    UnconfirmedError,
)
"""What a call may raise because of the service or the network."""


class FollowUps:
    """Starts threads and publishes messages, for the subscriptions that want it."""

    def __init__(self, client: discord.Client) -> None:
        self._client = client
        self._published: OrderedDict[int, deque[float]] = OrderedDict()

    async def add(self, sent: discord.Message, message: DiscordMessage, extras: Mapping[str, str]) -> None:
        """Do what the subscription wants with a sent message, unless it was done before."""
        http, channel_id = self._client.http, sent.channel.id
        if extras.get(THREAD.name, OFF) == ON and not sent.flags.has_thread:
            thread = http.start_thread_with_message(
                channel_id, sent.id, name=message.name, auto_archive_duration=ARCHIVE_AFTER
            )
            await _attempt("thread", thread)
        if extras.get(PUBLISH.name, OFF) == ON and not sent.flags.crossposted:
            if self._may_publish(channel_id):
                await _attempt("publish", http.publish_message(channel_id, sent.id))
            else:
                log.warning("publish limit of the channel reached, edition not published")

    def _may_publish(self, channel_id: int) -> bool:
        now = asyncio.get_running_loop().time()
        times = self._published.setdefault(channel_id, deque(maxlen=PUBLISH_LIMIT))
        self._published.move_to_end(channel_id)
        if len(self._published) > CHANNELS:
            self._published.popitem(last=False)
        if len(times) == PUBLISH_LIMIT and now - times[0] < PUBLISH_WINDOW:
            return False
        times.append(now)
        return True


async def _attempt(what: str, call: Awaitable[object]) -> None:
    try:
        await call
    except SERVICE_ERRORS as error:
        code = error.code if isinstance(error, discord.HTTPException) else None
        fields = {"what": what, "error": type(error).__name__, "code": code}
        log.warning("edition sent, follow-up failed", extra=fields)
