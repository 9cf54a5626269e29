"""Users, channels, direct messages and permissions."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.support.discord_server import permissions
from tests.support.discord_server.clock import Clock, stamp
from tests.support.discord_server.errors import RefusalError
from tests.support.discord_server.messages import Json, Message

if TYPE_CHECKING:
    from tests.support.discord_server.guilds import Guild, Role

Announce = Callable[[str, Json, "int | None"], None]
"""Tells the gateway of an event: its name, its data, and its guild (None: no guild's)."""

TEXT, DM, VOICE, GROUP, CATEGORY, ANNOUNCEMENT, STAGE, FORUM = 0, 1, 2, 3, 4, 5, 13, 15
NEWS_THREAD, THREAD, PRIVATE_THREAD = 10, 11, 12
THREADS = (NEWS_THREAD, THREAD, PRIVATE_THREAD)
NO_MESSAGES = (CATEGORY, FORUM)
KEPT = 20
"""Messages kept in a channel where nothing is recorded."""


@dataclass(eq=False)
class User:
    """An account, a person's or a bot's."""

    id: int
    name: str
    locale: str = "en-US"
    bot: bool = False
    closed: bool = False
    """Whether they take no direct messages."""
    installed: bool = False
    """Whether they added the app to their own account."""

    def json(self) -> Json:
        """The user as the API shows it."""
        return {
            "id": str(self.id),
            "username": self.name,
            "global_name": None if self.bot else self.name.title(),
            "discriminator": "0",
            "avatar": None,
            "bot": self.bot,
            "public_flags": 0,
        }


@dataclass(eq=False, repr=False)
class Channel:
    """A place for messages: of a guild, a thread, or direct."""

    places: Places
    id: int
    kind: int
    name: str | None = None
    guild: Guild | None = None
    parent: Channel | None = None
    owner: User | None = None
    """Who made it, where it is a thread; None: the owner of the guild."""
    people: list[User] = field(default_factory=list)
    """Who is in it beside the bot, where it is direct."""
    overwrites: dict[int, tuple[int, int]] = field(default_factory=dict)
    archived: bool = False
    locked: bool = False
    required_tag: bool = False
    tags: dict[int, str] = field(default_factory=dict)
    applied_tags: list[int] = field(default_factory=list)
    deleted: bool = False
    held: dict[int, Message] = field(default_factory=dict)
    nonces: dict[str, tuple[Message, float]] = field(default_factory=dict)
    crossposts: deque[float] = field(default_factory=deque)
    posted: int = 0
    """How many messages were ever made here."""

    def __repr__(self) -> str:
        return f"<Channel {self.id} of type {self.kind}: {self.name}>"

    @property
    def messages(self) -> list[Message]:
        """What stands in it now, oldest first."""
        return list(self.held.values())

    @property
    def mention(self) -> str:
        """How a message names it."""
        return f"<#{self.id}>"

    @property
    def is_thread(self) -> bool:
        """Whether it is a thread of another channel."""
        return self.kind in THREADS

    def keep(self, message: Message) -> None:
        """Put a message into it."""
        self.held[message.id] = message
        self.posted += 1
        if not self.places.record:
            while len(self.held) > KEPT:
                del self.held[next(iter(self.held))]

    def find(self, message_id: int) -> Message:
        """A message by its id; refuses what is not there."""
        if message_id not in self.held:
            raise RefusalError(10008)
        return self.held[message_id]

    def allow(self, who: User | Role, *names: str) -> None:
        """Let a user or a role do so here, whatever their roles say."""
        self._overwrite(who, permissions.bits(*names), 0)

    def deny(self, who: User | Role, *names: str) -> None:
        """Forbid it to a user or a role here."""
        self._overwrite(who, 0, permissions.bits(*names))

    def _overwrite(self, who: User | Role, allow: int, deny: int) -> None:
        old = self.overwrites.get(who.id, (0, 0))
        self.overwrites[who.id] = ((old[0] | allow) & ~deny, (old[1] | deny) & ~allow)
        self._changed("UPDATE")

    def thread(
        self,
        name: str,
        *,
        archived: bool = False,
        locked: bool = False,
        private: bool = False,
        thread_id: int | None = None,
        owner: User | None = None,
    ) -> Channel:
        """A new thread here, made by somebody; one that begins at a message has that message's id."""
        kind = NEWS_THREAD if self.kind == ANNOUNCEMENT else PRIVATE_THREAD if private else THREAD
        made = self.places.add_channel(kind, name, guild=self.guild, parent=self, channel_id=thread_id)
        made.archived, made.locked, made.owner = archived, locked, owner
        made._changed("CREATE")
        return made

    def archive(self, *, archived: bool = True, locked: bool | None = None) -> None:
        """Archive a thread or bring it back; `locked` says whether only moderators may open it again."""
        self.archived = archived
        self.locked = self.locked if locked is None else locked
        self._changed("UPDATE")

    def delete(self) -> None:
        """Remove it, with its threads."""
        for each in [each for each in self.places.channels.values() if each.parent is self and each.is_thread]:
            each.delete()
        self.deleted = True
        self.places.channels.pop(self.id, None)
        if self.guild is not None:
            self.guild.channels.pop(self.id, None)
        self._changed("DELETE")

    def _changed(self, how: str) -> None:
        if self.guild is not None and self.places.bot.id in self.guild.members:
            event = "THREAD" if self.is_thread else "CHANNEL"
            new = {"newly_created": True} if how == "CREATE" and self.is_thread else {}
            self.places.announce(f"{event}_{how}", self.json() | new, self.guild.id)

    def grants(self, user: User) -> int:
        """What a user may do here, as bits."""
        if self.guild is None:
            return permissions.ORDINARY if user.bot or user in self.people else 0
        source = self.parent if self.is_thread and self.parent is not None else self
        return self.guild.grants(user, source.overwrites)

    def lets(self, user: User, *names: str) -> bool:
        """Whether a user may do all of these here."""
        wanted = permissions.bits(*names)
        return self.grants(user) & wanted == wanted

    def json(self) -> Json:
        """The channel as the API shows it."""
        last = next(reversed(self.held)) if self.held else None
        body: Json = {"id": str(self.id), "type": self.kind, "last_message_id": str(last) if last else None, "flags": 0}
        if self.guild is None:
            return body | {"recipients": [each.json() for each in self.people], "name": self.name}
        body |= {"guild_id": str(self.guild.id), "name": self.name, "rate_limit_per_user": 0}
        body["parent_id"] = str(self.parent.id) if self.parent else None
        if self.is_thread:
            now = stamp(self.places.clock.now)
            state = {"archived": self.archived, "locked": self.locked, "auto_archive_duration": 1440}
            return body | {
                "owner_id": str((self.owner or self.guild.owner).id),
                "message_count": len(self.held),
                "member_count": 1,
                "thread_metadata": state | {"archive_timestamp": now, "create_timestamp": now},
                "applied_tags": [str(each) for each in self.applied_tags],
            }
        body |= {"position": 0, "topic": None, "nsfw": False, "permission_overwrites": self._overwrites_json()}
        if self.kind in (VOICE, STAGE):
            body |= {"bitrate": 64_000, "user_limit": 0, "rtc_region": None}
        if self.kind == FORUM:
            body["flags"] = 1 << 4 if self.required_tag else 0
            rows = [
                {"id": str(tag), "name": name, "moderated": False, "emoji_id": None, "emoji_name": None}
                for tag, name in self.tags.items()
            ]
            body |= {"available_tags": rows, "default_sort_order": None, "default_forum_layout": 0}
        return body

    def _overwrites_json(self) -> list[Json]:
        users = self.places.users
        return [
            {"id": str(who), "type": int(who in users), "allow": str(allow), "deny": str(deny)}
            for who, (allow, deny) in self.overwrites.items()
        ]


class Places:
    """Everything by its id."""

    def __init__(self, clock: Clock, announce: Announce, *, record: bool = True) -> None:
        self.clock, self.announce, self.record = clock, announce, record
        self.users: dict[int, User] = {}
        self.guilds: dict[int, Guild] = {}
        self.channels: dict[int, Channel] = {}
        self._direct: dict[int, Channel] = {}
        self.bot = self.add_user(User(clock.snowflake(), "Morning Papers", bot=True))

    def add_user(self, user: User) -> User:
        """Let an account exist."""
        self.users[user.id] = user
        return user

    def add_channel(
        self,
        kind: int,
        name: str | None = None,
        *,
        guild: Guild | None = None,
        parent: Channel | None = None,
        channel_id: int | None = None,
    ) -> Channel:
        """Let a channel exist, in silence."""
        made = Channel(self, channel_id or self.clock.snowflake(), kind, name, guild, parent)
        self.channels[made.id] = made
        if guild is not None:
            guild.channels[made.id] = made
        return made

    def direct(self, user: User) -> Channel:
        """The one channel of the bot and a user."""
        if user.id not in self._direct:
            self._direct[user.id] = made = self.add_channel(DM)
            made.people = [user]
        return self._direct[user.id]

    def group(self, name: str, *people: User) -> Channel:
        """A direct channel of several people, in which no bot can be."""
        made = self.add_channel(GROUP, name)
        made.people = list(people)
        return made

    def visible(self, channel_id: int) -> Channel:
        """A channel that the bot may look into; refuses what is not there or not open to it."""
        channel = self.channels.get(channel_id)
        if channel is None:
            raise RefusalError(10003)
        outside = channel.guild is not None and self.bot.id not in channel.guild.members
        if outside or channel.kind == GROUP or not channel.lets(self.bot, "view_channel"):
            raise RefusalError(50001)
        return channel

    def joined(self, guild_id: int) -> Guild:
        """A guild that the bot is in; refuses any other."""
        guild = self.guilds.get(guild_id)
        if guild is None or self.bot.id not in guild.members:
            raise RefusalError(10004)
        return guild

    def shared(self, user: User) -> bool:
        """Whether the bot and a user meet anywhere: in a guild, or as their own app."""
        met = any({user.id, self.bot.id} <= guild.members.keys() for guild in self.guilds.values())
        return met or user.installed
