"""The server's state, and the operations that routes and control share."""

from __future__ import annotations

import secrets
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from tests.support.discord_server import limits, schemas
from tests.support.discord_server.bell import Bell
from tests.support.discord_server.buckets import Buckets
from tests.support.discord_server.clock import Clock
from tests.support.discord_server.commands import Registry
from tests.support.discord_server.errors import MalformedError, RefusalError
from tests.support.discord_server.gateway import Gateway
from tests.support.discord_server.interactions import Interaction
from tests.support.discord_server.messages import Attachment, Json, Message, numbered
from tests.support.discord_server.places import GROUP, NO_MESSAGES, Channel, Places, User
from tests.support.discord_server.sessions import MESSAGE_CONTENT

REMEMBERED = 2_000
"""Interactions kept where nothing is recorded."""


@dataclass(frozen=True)
class Violation:
    """A body that the service would not have taken."""

    route: str
    body: Any
    says: str


@dataclass
class Call:
    """A request, read and taken apart."""

    route: str
    """"POST /channels/{channel_id}/messages"."""
    params: dict[str, str]
    query: dict[str, str]
    body: Any = None
    files: list[Attachment] = field(default_factory=list)

    def id(self, name: str) -> int:
        """An id of the path; refuses what is no number."""
        text = self.params[name]
        if not text.isascii() or not text.isdigit():
            raise MalformedError([((name,), "NUMBER_TYPE_COERCE", f'Value "{text}" is not snowflake.')])
        return int(text)

    def number(self, name: str) -> int | None:
        """A number of the query, None where there is none."""
        text = self.query.get(name)
        if text is not None and (not text.isascii() or not text.isdigit()):
            raise MalformedError([((name,), "NUMBER_TYPE_COERCE", f'Value "{text}" is not int.')])
        return int(text) if text is not None else None


class Service:
    """Everything that is remembered."""

    def __init__(self, *, record: bool = True, validate: bool = True) -> None:
        self.record, self.validate = record, validate
        self.clock, self.bell = Clock(), Bell()
        self.places = Places(self.clock, self._announce, record=record)
        self.gateway = Gateway(self.places, self.clock)
        self.buckets = Buckets(self.clock)
        self.registry = Registry(self.clock, self.places.bot.id)
        self.nonce_window = timedelta(minutes=5)
        self.counts: Counter[str] = Counter()
        """Calls by route, answers by "status 429", and what was made: "messages", "repeats", "interactions"."""
        self.violations: list[Violation] = []
        self.by_id: dict[int, Interaction] = {}
        self.by_token: dict[str, Interaction] = {}

    @property
    def bot(self) -> User:
        """The bot's account, whose id is also its application's."""
        return self.places.bot

    def _announce(self, event: str, data: Json, guild_id: int | None) -> None:
        self.gateway.announce(event, data, guild_id)

    def check(self, call: Call) -> None:
        """Refuse a body that is not as the service's description says."""
        if self.validate and (faults := list(schemas.check(call.route, call.body))):
            raise MalformedError(faults)

    def violated(self, route: str, body: Any, says: str) -> None:
        """Remember a body that was refused for its shape."""
        self.counts["violations"] += 1
        if len(self.violations) < 100:
            self.violations.append(Violation(route, body, says))

    def open_to_posts(self, channel: Channel, user: User, *, rich: bool, files: bool) -> None:
        """Refuses where a user may not post such a message now."""
        if channel.kind in NO_MESSAGES:
            raise RefusalError(50008)
        if channel.guild is None:
            person = channel.people[0]
            if channel.kind == GROUP and user.bot:
                raise RefusalError(50001)
            if user.bot and not self.places.shared(person):
                raise RefusalError(50278)
            if user.bot and person.closed:
                raise RefusalError(50007)
            return
        needed = ["send_messages_in_threads" if channel.is_thread else "send_messages"]
        needed += ["embed_links"] if rich else []
        needed += ["attach_files"] if files else []
        if not channel.lets(user, *needed):
            raise RefusalError(50013)
        if channel.locked and not channel.lets(user, "manage_threads"):
            raise RefusalError(50083 if channel.archived else 160005)
        if channel.archived:
            channel.archive(archived=False)

    def repeated(self, channel: Channel, body: Json) -> Message | None:
        """The message that was made of this nonce within the window, where the body says that it must be unique."""
        nonce = body.get("nonce")
        if nonce is None or not body.get("enforce_nonce"):
            return None
        found, at = channel.nonces.get(str(nonce), (None, 0.0))
        if found is None or self.clock.seconds - at > self.nonce_window.total_seconds():
            return None
        self.counts["repeats"] += 1
        return found

    def make(
        self,
        channel: Channel,
        author: User,
        body: Json,
        files: list[Attachment],
        *,
        message_id: int | None = None,
        interaction: Interaction | None = None,
        held: bool = True,
    ) -> Message:
        """A new message; not `held`: it is nobody's but its reader's, and no part of the channel."""
        now = self.clock.now
        message = Message(
            message_id or self.clock.snowflake(),
            channel,
            author,
            now,
            (body.get("content") or "").strip(),
            list(body.get("embeds") or []),
            numbered(body.get("components") or []),
            files,
            body.get("flags") or 0,
            body.get("nonce"),
            body.get("allowed_mentions"),
            reference=body.get("message_reference"),
            interaction=interaction.metadata() if interaction else None,
            by_webhook=self.bot.id if interaction else None,
        )
        self.counts["messages"] += 1
        if held:
            channel.keep(message)
            self.told("MESSAGE_CREATE", message)
        if message.nonce is not None:
            self._remember(channel, message)
        return message

    def _remember(self, channel: Channel, message: Message) -> None:
        oldest = self.clock.seconds - self.nonce_window.total_seconds()
        channel.nonces[str(message.nonce)] = (message, self.clock.seconds)
        while channel.nonces and next(iter(channel.nonces.values()))[1] < oldest:
            del channel.nonces[next(iter(channel.nonces))]

    def told(self, event: str, message: Message) -> None:
        """Tell the gateway of a message, where anybody wants to know."""
        guild_id = message.channel.guild.id if message.channel.guild else None
        for session in self.gateway.sessions.values():
            if session.wants(event, guild_id):
                seen = message.author is self.bot or bool(session.intents & MESSAGE_CONTENT)
                more = {"guild_id": str(guild_id)} if guild_id else {}
                if event == "MESSAGE_DELETE":
                    session.push(event, {"id": str(message.id), "channel_id": str(message.channel.id)} | more)
                else:
                    session.push(event, message.json(seen=seen) | more)

    def begin(self, interaction: Interaction) -> None:
        """Remember an interaction."""
        self.counts["interactions"] += 1
        self.by_id[interaction.id] = self.by_token[interaction.token] = interaction
        if not self.record and len(self.by_id) > REMEMBERED:
            oldest = self.by_id.pop(next(iter(self.by_id)))
            self.by_token.pop(oldest.token, None)

    def new_token(self) -> str:
        """A token that nobody guesses."""
        return secrets.token_urlsafe(24)

    def check_message(
        self, call: Call, body: Any, *, before: int = 0, partial: bool = False, hook: bool = False
    ) -> Json:
        """A message's body, with its files; refuses what breaks a limit."""
        if not isinstance(body, dict):
            raise MalformedError([((), "MODEL_TYPE_CONVERT", "Only dictionaries may be used in a ModelType")])
        names = [each.name for each in call.files]
        limits.check_message(body, files=names, before=before, interaction=hook, partial=partial)
        described = {str(each.get("id")): each for each in body.get("attachments") or []}
        for place, each in enumerate(call.files):
            said = described.get(str(place), {})
            name = said.get("filename") or each.name
            call.files[place] = Attachment(self.clock.snowflake(), name, each.content, said.get("description"))
        return body
