"""Sends one message to one destination, exactly once, whatever happens on the way.

A message carries a nonce made from the delivery's key; within minutes the service answers a repeat with the first
message (resources/message#create-message, `enforce_nonce`). Later, and for forum posts, which take no nonce, a repeated
delivery first looks for its message: the menu of each edition is marked with the same nonce.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from hashlib import sha256
from typing import Any, TypeVar

import discord

from bot.channel import SILENT, Barred, Gone, Outcome, Personal, Sent, Unknown
from bot.model import OFF, ON
from channels.discord.api import Attempt, tracing
from channels.discord.components import ReplyMode, StoredLines, menu_marks, view_of
from channels.discord.container import Container, layout_of
from channels.discord.destinations import CHANNEL, Destination, Directory, Kind
from channels.discord.errors import MISSING_ACCESS, UNACCEPTABLE, UNKNOWN_CHANNEL, outcome_of
from channels.discord.follow_ups import SERVICE_ERRORS, FollowUps
from channels.discord.message import DiscordMessage
from channels.discord.post_options import PING
from channels.discord.reconciliation import UnconfirmedMessages

log = logging.getLogger(__name__)
T = TypeVar("T")

NONCE = 25
"""Characters of a nonce, the most that the service takes."""
SEND_TIMEOUT = 60.0
"""Seconds for one delivery, with the retries and waits of discord.py."""
LONGEST_WAIT = 30.0
"""Seconds that discord.py may wait for a rate limit; the core waits instead if it is longer. The least it accepts."""
SEARCH_WINDOW = timedelta(days=2)
"""How far back to look for a message: a delivery expires in less than a day."""
SEARCH_LIMIT = 1_000
"""Messages of a channel to look at."""
DIRECT_CHANNELS = 10_000
"""Direct message channels that are cached."""
REFUSED = 256
"""Refused containers that are remembered."""
UNREACHABLE = {50001, 50013}
"""Missing access or permissions: in a direct message, the person cannot be reached."""


class _NotSentError(Exception):
    """Sending ends with an outcome before anything is sent."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome)
        self.outcome = outcome


@dataclass(frozen=True, slots=True)
class _Delivery:
    """One message for one destination."""

    destination: Destination
    message: DiscordMessage
    extras: Mapping[str, str]
    nonce: str
    repeated: bool
    """Whether an earlier attempt may have succeeded."""
    attempt: Attempt


def nonce_of(key: str) -> str:
    """The nonce of a delivery, the same on every repeat."""
    return sha256(key.encode()).hexdigest()[:NONCE]


class Sender:
    """Sends messages with a client that is logged in."""

    def __init__(self, client: discord.Client, directory: Directory, unconfirmed: UnconfirmedMessages) -> None:
        self._client = client
        self._directory = directory
        self._unconfirmed = unconfirmed
        self._follow_ups = FollowUps(client)
        self._direct: OrderedDict[int, int] = OrderedDict()
        """Ids of direct message channels by user id."""
        self._refused: set[Container] = set()
        """Containers that Discord refused, so that each costs one call only."""

    async def send(self, to: str, message: DiscordMessage, personal: Personal) -> Outcome:
        """Send a message to a recipient, unless it is there already. Never raises for what the service answered."""
        try:
            destination = Destination.parse(to)
        except ValueError as error:
            return Gone(str(error))
        nonce = nonce_of(personal.key)
        attempt = Attempt(idempotent=destination.kind is not Kind.FORUM)
        repeated = personal.repeat > 0 or nonce in self._unconfirmed
        delivery = _Delivery(destination, message, personal.extras, nonce, repeated, attempt)
        try:
            async with asyncio.timeout(SEND_TIMEOUT):
                sent = await (self._post if destination.kind is Kind.FORUM else self._send)(delivery)
        except (_NotSentError, *SERVICE_ERRORS) as error:
            outcome = await self._outcome(error, attempt, destination)
            await (self._unconfirmed.add(nonce) if attempt.doubtful else self._unconfirmed.resolve(nonce))
            return outcome
        await self._unconfirmed.resolve(nonce)
        if destination.kind is Kind.CHANNEL:
            await self._follow_ups.add(sent, message, personal.extras)
        return Sent(f"{sent.channel.id}/{sent.id}")

    async def _send(self, delivery: _Delivery) -> discord.Message:
        """Send to a channel or a person; a repeated delivery returns the message that is there."""
        channel = await self._channel(delivery.destination)
        if delivery.repeated and (found := await self._find(channel, delivery)) is not None:
            return found
        return await self._created(delivery, partial(channel.send, nonce=delivery.nonce))

    async def _post(self, delivery: _Delivery) -> discord.Message:
        """Create a forum post; a repeated delivery returns the first message of the one that is there."""
        forum = await self._client.fetch_channel(delivery.destination.id)
        if not isinstance(forum, discord.ForumChannel):
            raise _NotSentError(Barred("this channel is not a forum"))
        if delivery.repeated:
            async for thread in self._recent_posts(forum):
                first = await _first_message(thread)
                if first is not None and self._is_same(first, delivery):
                    return first
        tags = forum.available_tags[:1] if forum.flags.require_tag else []
        create = partial(forum.create_thread, name=delivery.message.name, applied_tags=tags)
        return (await self._created(delivery, create)).message

    async def _created(self, delivery: _Delivery, create: Callable[..., Awaitable[T]]) -> T:
        """Create a message as a container, or as embeds where Discord refuses the container."""
        container = delivery.message.container
        if container is not None and container not in self._refused:
            try:
                with tracing(delivery.attempt):
                    return await create(**_arguments(delivery, container))
            except discord.HTTPException as error:
                if error.code not in UNACCEPTABLE:
                    raise
                log.warning("container refused, sent as embeds", extra={"channel": CHANNEL, "code": error.code})
                if len(self._refused) == REFUSED:
                    self._refused.clear()
                self._refused.add(container)
        with tracing(delivery.attempt):
            return await create(**_arguments(delivery))

    async def _channel(self, destination: Destination) -> discord.PartialMessageable:
        """The channel to send to; a person's is opened once per process and not stored, so `forget` leaves nothing."""
        if destination.kind is not Kind.USER:
            return self._client.get_partial_messageable(destination.id)
        if destination.id not in self._direct:
            opened = await self._client.create_dm(discord.Object(destination.id))
            self._direct[destination.id] = opened.id
            if len(self._direct) > DIRECT_CHANNELS:
                self._direct.popitem(last=False)
        self._direct.move_to_end(destination.id)
        return self._client.get_partial_messageable(self._direct[destination.id], type=discord.ChannelType.private)

    async def _find(self, channel: discord.PartialMessageable, delivery: _Delivery) -> discord.Message | None:
        """The message of this delivery, None if it is not there.

        Raises:
            _NotSentError: the channel's history is too long or may not be read, so nobody can tell.
        """
        after = discord.utils.utcnow() - SEARCH_WINDOW
        seen = 0
        async for found in channel.history(limit=SEARCH_LIMIT, after=after, oldest_first=False):
            seen += 1
            if self._is_same(found, delivery):
                return found
        if seen == SEARCH_LIMIT:
            raise _NotSentError(Unknown("delivery unconfirmed, and too many messages follow to look for it"))
        if not seen and not await _may_read_history(channel):
            raise _NotSentError(Unknown("delivery unconfirmed, and the bot may not read the history to look for it"))
        return None

    def _is_same(self, found: discord.Message, delivery: _Delivery) -> bool:
        """Whether a message in a channel is the delivery's."""
        if self._client.user is None or found.author.id != self._client.user.id:
            return False
        if str(found.nonce or "") == delivery.nonce:
            return True
        marks = list(menu_marks([each.to_dict() for each in found.components]))
        if marks or delivery.message.papers:
            return delivery.nonce in marks
        heads = [(embed.title, embed.description) for embed in found.embeds]
        return heads == [(embed.get("title"), embed.get("description")) for embed in delivery.message.embeds]

    async def _recent_posts(self, forum: discord.ForumChannel) -> AsyncIterator[discord.Thread]:
        """The bot's own posts of the last days, active ones first."""
        after = discord.utils.utcnow() - SEARCH_WINDOW
        me = self._client.user.id if self._client.user else None
        for thread in await forum.guild.active_threads():
            if thread.parent_id == forum.id and thread.owner_id == me:
                yield thread
        async for thread in forum.archived_threads(limit=100):
            if thread.owner_id == me and thread.created_at is not None and thread.created_at > after:
                yield thread

    async def _outcome(self, error: Exception, attempt: Attempt, destination: Destination) -> Outcome:
        """The outcome of an error, with the channel's name where the bot may not post."""
        outcome = error.outcome if isinstance(error, _NotSentError) else outcome_of(error, attempt)
        code = error.code if isinstance(error, discord.HTTPException) else None
        if destination.kind is Kind.USER:
            if code == UNKNOWN_CHANNEL:
                self._direct.pop(destination.id, None)
            return Gone(outcome.reason) if isinstance(outcome, Barred) and code in UNREACHABLE else outcome
        if isinstance(outcome, Barred):
            known = await self._directory.get(destination)
            if code == MISSING_ACCESS and known is not None and await self._is_removed_from(known.guild):
                return Gone(outcome.reason)
            return Barred(outcome.reason, place=None if known is None else str(known))
        return outcome

    async def _is_removed_from(self, guild: int) -> bool:
        """Whether the bot is no longer a member of a server, rather than without access to one channel."""
        try:
            await self._client.fetch_guild(guild, with_counts=False)
        except (discord.NotFound, discord.Forbidden):
            return True
        except SERVICE_ERRORS:
            return False
        return False


async def _may_read_history(channel: discord.PartialMessageable) -> bool:
    """Whether an empty history is really empty: without the permission to read it, the service shows none."""
    try:
        await channel.fetch_message(channel.id)
    except discord.NotFound:
        return True
    except discord.Forbidden:
        return False
    return True


async def _first_message(thread: discord.Thread) -> discord.Message | None:
    """The first message of a forum post, which has the post's own id."""
    try:
        return await thread.fetch_message(thread.id)
    except discord.NotFound:
        return None


def _arguments(delivery: _Delivery, container: Container | None = None) -> dict[str, Any]:
    """A message as discord.py takes it, as a container or as embeds, with what the subscription chose."""
    message, extras = delivery.message, delivery.extras
    role = extras.get(PING.name, OFF)
    mentioned = [discord.Object(int(role))] if role.isdigit() else []
    mention = f"<@&{role}>" if mentioned else ""
    arguments: dict[str, Any] = {
        "allowed_mentions": discord.AllowedMentions(
            everyone=False, users=False, replied_user=False, roles=mentioned or False
        )
    }
    if extras.get(SILENT.name, OFF) == ON:
        arguments["silent"] = True
    rows = message.rows(ReplyMode.NEW_MESSAGE, None, delivery.nonce)
    if container is not None:
        return arguments | {"view": layout_of(container, rows, StoredLines(), mention)}
    arguments["embeds"] = [discord.Embed.from_dict(embed) for embed in message.embeds]
    if content := "\n".join(filter(None, [mention, message.content])):
        arguments["content"] = content
    view = view_of(rows, StoredLines())
    return arguments | ({"view": view} if view is not None else {})
