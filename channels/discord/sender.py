"""Sending: one post to one place, once, whatever happens between us and the service.

A message bears a nonce that is made of the delivery, and within minutes the service returns the first message for it
instead of making a second (resources/message#create-message). Beyond that, and for posts in forums, which take no
nonce, a repeated delivery is first looked for: the menu of each edition is marked with the same nonce.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator
from datetime import timedelta
from hashlib import sha256
from typing import Any

import discord

from bot.channel import Barred, Gone, Outcome, Personal, Sent, Unknown
from bot.model import OFF, ON, Extra
from channels.discord.api import Attempt, watching
from channels.discord.components import AnswerPlace, StoredLines, build, marks
from channels.discord.destinations import Destination, Directory, Kind
from channels.discord.errors import MISSING_ACCESS, UNKNOWN_CHANNEL, outcome_of
from channels.discord.message import Post
from channels.discord.reconciliation import UnconfirmedPosts
from channels.discord.threads import PASSING, FollowUps

NONCE = 25
PATIENCE = 60.0
"""Seconds for one delivery in all, with what discord.py repeats and waits for by itself."""
LONGEST_WAIT = 30.0
"""Seconds that discord.py may wait for a limit; a longer wait is handed to the core. It takes no less than 30."""
LOOK_BACK = timedelta(days=2)
"""How far back a message is looked for: a delivery expires after less than a day."""
LOOK_AT = 1_000
"""As many messages of a channel are looked at."""
DIRECT = 10_000
"""Direct channels that are kept in mind."""


NOBODY = {50001, 50013}
"""What bars a direct message as it bars a channel: the person is not there for the bot."""


class _CannotSayError(Exception):
    """It ends before anything is said."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome)
        self.outcome = outcome


def nonce_of(key: str) -> str:
    """What tells a delivery's message from all others: the same on every repeat."""
    return sha256(key.encode()).hexdigest()[:NONCE]


class Sender:
    """Sends posts with a client that is logged in."""

    def __init__(self, client: discord.Client, directory: Directory, unconfirmed: UnconfirmedPosts) -> None:
        self._client = client
        self._directory = directory
        self._unconfirmed = unconfirmed
        self._extras = FollowUps(client)
        self._direct: OrderedDict[int, int] = OrderedDict()

    async def send(self, to: str, post: Post, personal: Personal) -> Outcome:
        """Send a post to a place, unless it is there already. Never raises for what the service answered."""
        try:
            place = Destination.parse(to)
        except ValueError as error:
            return Gone(str(error))
        nonce = nonce_of(personal.key)
        attempt = Attempt(repeatable=place.kind is not Kind.FORUM)
        try:
            async with asyncio.timeout(PATIENCE):
                message = await self._send(place, post, personal, nonce, attempt)
        except (_CannotSayError, *PASSING) as error:
            outcome = await self._refused(error, attempt, place)
            await (self._unconfirmed.add(nonce) if attempt.doubtful else self._unconfirmed.settle(nonce))
            return outcome
        await self._unconfirmed.settle(nonce)
        if place.kind is Kind.CHANNEL:
            await self._extras.add(message, post, personal.extras)
        return Sent(f"{message.channel.id}/{message.id}")

    async def _send(
        self, place: Destination, post: Post, personal: Personal, nonce: str, attempt: Attempt
    ) -> discord.Message:
        """The message of a delivery: the one that is there, if it was sent before, or a new one."""
        repeated = personal.repeat > 0 or nonce in self._unconfirmed
        if place.kind is Kind.FORUM:
            return await self._post(place, post, personal, nonce, attempt, repeated=repeated)
        channel = await self._channel(place)
        found = await self._found(channel, post, nonce) if repeated else None
        if found is not None:
            return found
        with watching(attempt):
            return await channel.send(**_said(post, personal, nonce), nonce=nonce)

    async def _channel(self, place: Destination) -> discord.PartialMessageable:
        """Where a message goes: the channel, or the direct one of a person.

        That is opened once in a process, and not written down: who is forgotten leaves nothing behind.
        """
        if place.kind is not Kind.USER:
            return self._client.get_partial_messageable(place.id)
        if place.id not in self._direct:
            opened = await self._client.create_dm(discord.Object(place.id))
            self._direct[place.id] = opened.id
            if len(self._direct) > DIRECT:
                self._direct.popitem(last=False)
        self._direct.move_to_end(place.id)
        return self._client.get_partial_messageable(self._direct[place.id], type=discord.ChannelType.private)

    async def _found(self, channel: discord.PartialMessageable, post: Post, nonce: str) -> discord.Message | None:
        """Our message, if it is there. Raises _CannotSayError where we may not look."""
        after = discord.utils.utcnow() - LOOK_BACK
        seen = 0
        async for message in channel.history(limit=LOOK_AT, after=after, oldest_first=False):
            seen += 1
            if self._is_ours(message, post, nonce):
                return message
        if seen == LOOK_AT:
            raise _CannotSayError(Unknown("it may have arrived, and too much was written since to see"))
        if not seen and not await self._may_look(channel):
            raise _CannotSayError(Unknown("it may have arrived, and there is no right to read the history to see"))
        return None

    async def _may_look(self, channel: discord.PartialMessageable) -> bool:
        """Whether nothing there means nothing there: without the right to read, the service shows an empty channel."""
        try:
            await channel.fetch_message(channel.id)
        except discord.NotFound:
            return True
        except discord.Forbidden:
            return False
        return True

    def _is_ours(self, message: discord.Message, post: Post, nonce: str) -> bool:
        if self._client.user is None or message.author.id != self._client.user.id:
            return False
        if str(message.nonce or "") == nonce:
            return True
        shown = [each.to_dict() for each in message.components]
        found = list(marks(shown))
        if found or post.papers:
            return nonce in found
        heads = [(embed.title, embed.description) for embed in message.embeds]
        return heads == [(embed.get("title"), embed.get("description")) for embed in post.embeds]

    async def _post(
        self, place: Destination, post: Post, personal: Personal, nonce: str, attempt: Attempt, *, repeated: bool
    ) -> discord.Message:
        """The first message of a post in a forum, which is made unless it is there."""
        forum = await self._client.fetch_channel(place.id)
        if not isinstance(forum, discord.ForumChannel):
            raise _CannotSayError(Barred("this channel is no forum"))
        if repeated:
            async for thread in self._threads(forum):
                begins = await self._first(thread)
                if begins is not None and self._is_ours(begins, post, nonce):
                    return begins
        tags = forum.available_tags[:1] if forum.flags.require_tag else []
        with watching(attempt):
            made = await forum.create_thread(name=post.name, applied_tags=tags, **_said(post, personal, nonce))
        return made.message

    async def _threads(self, forum: discord.ForumChannel) -> AsyncIterator[discord.Thread]:
        """The bot's own posts of the last days, open ones first."""
        after = discord.utils.utcnow() - LOOK_BACK
        me = self._client.user.id if self._client.user else None
        for thread in await forum.guild.active_threads():
            if thread.parent_id == forum.id and thread.owner_id == me:
                yield thread
        async for thread in forum.archived_threads(limit=100):
            if thread.owner_id == me and thread.created_at is not None and thread.created_at > after:
                yield thread

    async def _first(self, thread: discord.Thread) -> discord.Message | None:
        """The message that a post begins with, which has the post's own id."""
        try:
            return await thread.fetch_message(thread.id)
        except discord.NotFound:
            return None

    async def _refused(self, error: Exception, attempt: Attempt, place: Destination) -> Outcome:
        """What it means that a message could not be sent, with what people call the place."""
        outcome = error.outcome if isinstance(error, _CannotSayError) else outcome_of(error, attempt)
        code = error.code if isinstance(error, discord.HTTPException) else None
        if place.kind is Kind.USER:
            if code == UNKNOWN_CHANNEL:
                self._direct.pop(place.id, None)
            return Gone(outcome.reason) if isinstance(outcome, Barred) and code in NOBODY else outcome
        if isinstance(outcome, Barred):
            known = await self._directory.known(place)
            if code == MISSING_ACCESS and known is not None and await self._is_out_of(known.guild):
                return Gone(outcome.reason)
            return Barred(outcome.reason, place=None if known is None else str(known))
        return outcome

    async def _is_out_of(self, guild: int) -> bool:
        """Whether the bot is no member of a server any more: then nothing is missing but the bot itself."""
        try:
            await self._client.fetch_guild(guild, with_counts=False)
        except (discord.NotFound, discord.Forbidden):
            return True
        except PASSING:
            return False
        return False


def _said(post: Post, personal: Personal, nonce: str) -> dict[str, Any]:
    """A post as discord.py takes it, with what differs per subscription."""
    role = personal.extras.get(Extra.PING, OFF)
    pinged = [discord.Object(int(role))] if role.isdigit() else []
    said: dict[str, Any] = {
        "embeds": [discord.Embed.from_dict(embed) for embed in post.embeds],
        "allowed_mentions": discord.AllowedMentions(
            everyone=False, users=False, replied_user=False, roles=pinged or False
        ),
    }
    if pinged:
        said["content"] = f"<@&{role}>"
    if personal.extras.get(Extra.SILENT, OFF) == ON:
        said["silent"] = True
    view = build(post.rows(AnswerPlace.NEW, None, nonce), StoredLines())
    return said | ({"view": view} if view is not None else {})
