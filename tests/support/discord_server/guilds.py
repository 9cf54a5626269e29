"""Guilds: channels, roles, members."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from tests.support.discord_server import permissions
from tests.support.discord_server.clock import stamp
from tests.support.discord_server.errors import RefusalError
from tests.support.discord_server.messages import Json
from tests.support.discord_server.places import (
    ANNOUNCEMENT,
    CATEGORY,
    FORUM,
    STAGE,
    TEXT,
    VOICE,
    Channel,
    Places,
    User,
)


@dataclass(eq=False)
class Role:
    """A bundle of permissions in a guild."""

    id: int
    name: str
    bits: int
    managed: bool = False

    def json(self) -> Json:
        """The role as the API shows it."""
        colours = {"primary_color": 0, "secondary_color": None, "tertiary_color": None}
        return {
            "id": str(self.id),
            "name": self.name,
            "color": 0,
            "colors": colours,
            "hoist": False,
            "position": 0 if self.name == "@everyone" else 1,
            "permissions": str(self.bits),
            "managed": self.managed,
            "mentionable": False,
            "flags": 0,
        }


@dataclass(eq=False)
class Member:
    """A user in a guild."""

    user: User
    joined_at: datetime
    roles: list[Role] = field(default_factory=list)

    def json(self) -> Json:
        """The member as the API shows it."""
        return {
            "user": self.user.json(),
            "nick": None,
            "avatar": None,
            "roles": [str(each.id) for each in self.roles],
            "joined_at": stamp(self.joined_at),
            "premium_since": None,
            "deaf": False,
            "mute": False,
            "flags": 0,
            "pending": False,
            "communication_disabled_until": None,
        }


@dataclass(eq=False, repr=False)
class Guild:
    """A server of Discord's, which the API calls a guild."""

    places: Places
    id: int
    name: str
    locale: str
    owner: User
    channels: dict[int, Channel] = field(default_factory=dict)
    roles: dict[int, Role] = field(default_factory=dict)
    members: dict[int, Member] = field(default_factory=dict)
    features: tuple[str, ...] = ("NEWS", "COMMUNITY")

    def __repr__(self) -> str:
        return f"<Guild {self.id}: {self.name}>"

    def __post_init__(self) -> None:
        self.roles[self.id] = Role(self.id, "@everyone", permissions.ORDINARY)
        self.places.guilds[self.id] = self
        self.joins(self.owner)

    @property
    def everyone(self) -> Role:
        """The role that all members have."""
        return self.roles[self.id]

    @property
    def has_bot(self) -> bool:
        """Whether the bot is a member."""
        return self.places.bot.id in self.members

    def text(self, name: str) -> Channel:
        """A new channel for text."""
        return self._channel(TEXT, name)

    def announcement(self, name: str) -> Channel:
        """A new channel whose messages others can follow."""
        return self._channel(ANNOUNCEMENT, name)

    def forum(self, name: str, *tags: str, required_tag: bool = False) -> Channel:
        """A new forum, which holds nothing but threads."""
        made = self._channel(FORUM, name)
        made.tags = {self.places.clock.snowflake(): tag for tag in tags}
        made.required_tag = required_tag
        return made

    def stage(self, name: str) -> Channel:
        """A new stage."""
        return self._channel(STAGE, name)

    def voice(self, name: str) -> Channel:
        """A new channel for voice."""
        return self._channel(VOICE, name)

    def category(self, name: str) -> Channel:
        """A new heading for channels."""
        return self._channel(CATEGORY, name)

    def role(self, name: str, *names: str) -> Role:
        """A new role with these permissions."""
        made = Role(self.places.clock.snowflake(), name, permissions.bits(*names))
        self.roles[made.id] = made
        if self.has_bot:
            self.places.announce("GUILD_ROLE_CREATE", {"guild_id": str(self.id), "role": made.json()}, self.id)
        return made

    def joins(self, user: User, *roles: Role) -> Member:
        """Let a user be a member, and have these roles."""
        member = self.members.setdefault(user.id, Member(user, self.places.clock.now))
        member.roles += [each for each in roles if each not in member.roles]
        return member

    def leaves(self, user: User) -> None:
        """Let a user be a member no longer."""
        self.members.pop(user.id, None)

    def add_bot(self, *names: str) -> None:
        """Somebody adds the bot; `names` are permissions beyond everybody's."""
        role = Role(self.places.clock.snowflake(), self.places.bot.name, permissions.bits(*names), managed=True)
        self.roles[role.id] = role
        self.joins(self.places.bot, role)
        self.places.announce("GUILD_CREATE", self.json(full=True), self.id)

    def remove_bot(self) -> None:
        """Somebody throws the bot out."""
        self.leaves(self.places.bot)
        self.places.announce("GUILD_DELETE", {"id": str(self.id)}, self.id)

    def fall_silent(self) -> None:
        """An outage: the guild cannot be reached for a while."""
        self.places.announce("GUILD_DELETE", {"id": str(self.id), "unavailable": True}, self.id)

    def come_back(self) -> None:
        """The outage is over."""
        self.places.announce("GUILD_CREATE", self.json(full=True), self.id)

    def delete(self) -> None:
        """Remove it, with all that is in it."""
        for channel in list(self.channels.values()):
            self.places.channels.pop(channel.id, None)
            channel.deleted = True
        was_in = self.has_bot
        del self.places.guilds[self.id]
        if was_in:
            self.places.announce("GUILD_DELETE", {"id": str(self.id)}, self.id)

    def member(self, user_id: int) -> Member:
        """A member by their id; refuses a user who is none."""
        if user_id not in self.members:
            raise RefusalError(10007)
        return self.members[user_id]

    def grants(self, user: User, overwrites: dict[int, tuple[int, int]] | None = None) -> int:
        """What a user may do here, or in a channel with these overwrites, as bits."""
        member = self.members.get(user.id)
        if member is None:
            return 0
        roles = [self.everyone, *member.roles]
        total = permissions.granted((each.bits for each in roles), everything=user is self.owner)
        if user is self.owner:
            return total
        return permissions.overwritten(total, overwrites or {}, self.id, {each.id for each in roles}, user.id)

    def json(self, *, full: bool = False) -> Json:
        """The guild as the API shows it; `full`: as the gateway does, with channels, threads and members."""
        body: Json = {
            "id": str(self.id),
            "name": self.name,
            "owner_id": str(self.owner.id),
            "preferred_locale": self.locale,
            "icon": None,
            "splash": None,
            "discovery_splash": None,
            "banner": None,
            "description": None,
            "afk_channel_id": None,
            "afk_timeout": 300,
            "system_channel_id": None,
            "system_channel_flags": 0,
            "rules_channel_id": None,
            "public_updates_channel_id": None,
            "safety_alerts_channel_id": None,
            "widget_enabled": False,
            "verification_level": 1,
            "default_message_notifications": 1,
            "explicit_content_filter": 2,
            "mfa_level": 0,
            "nsfw_level": 0,
            "premium_tier": 0,
            "premium_subscription_count": 0,
            "premium_progress_bar_enabled": False,
            "vanity_url_code": None,
            "application_id": None,
            "features": list(self.features),
            "roles": [each.json() for each in self.roles.values()],
            "emojis": [],
            "stickers": [],
        }
        if not full:
            return body
        threads = [each for each in self.channels.values() if each.is_thread]
        bot = self.members.get(self.places.bot.id)
        return body | {
            "joined_at": stamp(bot.joined_at) if bot else None,
            "large": False,
            "unavailable": False,
            "member_count": len(self.members),
            "voice_states": [],
            "members": [bot.json()] if bot else [],
            "channels": [each.json() for each in self.channels.values() if not each.is_thread],
            "threads": [each.json() for each in threads if not each.archived],
            "presences": [],
            "stage_instances": [],
            "guild_scheduled_events": [],
            "soundboard_sounds": [],
        }

    def _channel(self, kind: int, name: str) -> Channel:
        made = self.places.add_channel(kind, name, guild=self)
        if self.has_bot:
            self.places.announce("CHANNEL_CREATE", made.json(), self.id)
        return made
