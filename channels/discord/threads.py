"""What goes with a message that was sent: a thread of its own, publishing. None of it can cost the message."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict, deque
from collections.abc import Awaitable, Mapping
from typing import Literal

import aiohttp
import discord

from bot.model import OFF, ON, Extra
from channels.discord.api import StoppedError, UndecidedError
from channels.discord.message import Post

log = logging.getLogger(__name__)

ARCHIVE_AFTER: Literal[1440] = 1440
"""Minutes after which a thread without news is archived (resources/channel#start-thread-from-message)."""
PUBLISHED_MOST, PUBLISHED_WINDOW = 10, 3_600.0
"""Messages of one channel that may be published in so many seconds (measured by many, stated nowhere)."""
CHANNELS = 10_000
"""Channels whose publications are kept in mind."""

PASSING = (
    discord.HTTPException,
    discord.RateLimited,
    aiohttp.ClientError,
    OSError,
    TimeoutError,
    StoppedError,
    UndecidedError,
)
"""What the service may answer, or the network may do."""


class FollowUps:
    """Does what a subscription has beside its editions."""

    def __init__(self, client: discord.Client) -> None:
        self._client = client
        self._published: OrderedDict[int, deque[float]] = OrderedDict()

    async def add(self, message: discord.Message, post: Post, wanted: Mapping[Extra, str]) -> None:
        """Do what goes with a message, unless it was done before."""
        http, channel = self._client.http, message.channel.id
        if wanted.get(Extra.THREAD, OFF) == ON and not message.flags.has_thread:
            thread = http.start_thread_with_message(
                channel, message.id, name=post.name, auto_archive_duration=ARCHIVE_AFTER
            )
            await _attempt("thread", thread)
        if wanted.get(Extra.PUBLISH, OFF) == ON and not message.flags.crossposted:
            if self._may_publish(channel):
                await _attempt("publish", http.publish_message(channel, message.id))
            else:
                log.warning("edition not published: ten were in this hour")

    def _may_publish(self, channel: int) -> bool:
        now = asyncio.get_running_loop().time()
        times = self._published.setdefault(channel, deque(maxlen=PUBLISHED_MOST))
        self._published.move_to_end(channel)
        if len(self._published) > CHANNELS:
            self._published.popitem(last=False)
        if len(times) == PUBLISHED_MOST and now - times[0] < PUBLISHED_WINDOW:
            return False
        times.append(now)
        return True


async def _attempt(what: str, doing: Awaitable[object]) -> None:
    try:
        await doing
    except PASSING as error:
        code = error.code if isinstance(error, discord.HTTPException) else None
        fields = {"what": what, "error": type(error).__name__, "code": code}
        log.warning("edition sent, but not all that goes with it", extra=fields)
