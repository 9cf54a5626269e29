"""Users of the bot and their actions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.support.discord_server import choosing, permissions
from tests.support.discord_server.choosing import NotOfferedError
from tests.support.discord_server.guilds import Guild, Role
from tests.support.discord_server.interactions import AUTOCOMPLETE, COMMAND, COMPONENT, MODAL, Interaction, Reply
from tests.support.discord_server.messages import BUTTON, LINK, SELECT, Json, Message, walk
from tests.support.discord_server.places import Channel, User
from tests.support.discord_server.service import Service

TEXT_INPUT, LABEL = 4, 18
LIMIT = 10.0
"""Seconds for which a person waits; it only catches what hangs."""


@dataclass(eq=False)
class Person(User):
    """Somebody at an app of Discord's. What they do waits until they see an answer.

    `at` is the channel that they are in: where they last did something, unless they are told to go elsewhere.
    """

    service: Service = field(kw_only=True, repr=False)
    at: Channel | None = None
    patience: float = LIMIT

    def can(self, guild: Guild, *names: str) -> Person:
        """Let them be a member of a guild, with these permissions beyond everybody's."""
        guild.joins(self, *([guild.role(f"{self.name}'s", *names)] if names else []))
        return self

    def installs(self) -> Person:
        """Let them add the app to their own account."""
        self.installed = True
        return self

    def closes_messages(self) -> Person:
        """Let them take no more direct messages."""
        self.closed = True
        return self

    @property
    def direct(self) -> Channel:
        """Their channel with the bot."""
        return self.service.places.direct(self)

    def says(self, words: str, *, in_: Channel | None = None) -> Message:
        """Let them write a message."""
        channel = self._go(in_)
        return self.service.make(channel, self, {"content": words}, [])

    async def uses(self, command: str, *, in_: Channel | None = None, **options: Any) -> Reply:
        """Use a command, `"/papers today"`, by its names in English or their own language."""
        channel = self._go(in_)
        chosen = choosing.choose(self.service, self, channel, command, options)
        return await self._ask(channel, COMMAND, chosen.data, command=chosen.command).settle(self.patience)

    async def completes(
        self, command: str, *, in_: Channel | None = None, focus: str | None = None, **options: Any
    ) -> list[Json]:
        """Begin to fill in an option, the last one given or `focus`, and see what is suggested: name and value."""
        channel = self._go(in_)
        focus = focus or list(options)[-1]
        chosen = choosing.choose(self.service, self, channel, command, options, focus=focus)
        reply = await self._ask(channel, AUTOCOMPLETE, chosen.data, command=chosen.command).settle(self.patience)
        return reply.interaction.choices or []

    async def taps(self, on: Message | Reply, button: str) -> Reply:
        """Tap a button, by its label or custom id."""
        message = self._sees(on)
        found = choosing.component([each for each in message.interactive if each["type"] == BUTTON], button)
        if found.get("disabled") or found.get("style") == LINK:
            raise NotOfferedError(f"{button!r} asks nothing: it is disabled, or a link")
        data = {"custom_id": found["custom_id"], "component_type": BUTTON, "id": found["id"]}
        return await self._ask(message.channel, COMPONENT, data, source=message).settle(self.patience)

    async def selects(self, on: Message | Reply, select: str, *values: str | User | Channel | Role) -> Reply:
        """Choose in a select, found by its placeholder or custom id; values or labels of its options."""
        message = self._sees(on)
        found = choosing.component([each for each in message.interactive if each["type"] != BUTTON], select)
        least, most = found.get("min_values"), found.get("max_values") or 1
        if found.get("disabled") or not (1 if least is None else least) <= len(values) <= most:
            raise NotOfferedError(f"{select!r} is disabled, or takes another number of values")
        data: Json = {"custom_id": found["custom_id"], "component_type": found["type"], "id": found["id"]}
        if found["type"] == SELECT:
            data["values"] = [_option(found, str(each)) for each in values]
        else:
            resolved: dict[str, Json] = {}
            data["resolved"] = resolved
            objects = [each for each in values if not isinstance(each, str)]
            if len(objects) < len(values):
                raise NotOfferedError(f"{select!r} takes no words")
            data["values"] = [choosing.resolve(resolved, each, self) for each in objects]
        return await self._ask(message.channel, COMPONENT, data, source=message).settle(self.patience)

    async def submits(self, form: Reply, **fields: str) -> Reply:
        """Fill in the form that was opened, field by custom id or label, and send it off."""
        modal, asked = form.modal, form.interaction
        left, filled = dict(fields), []
        for outer in modal["components"]:
            inner = outer.get("component") or next(iter(outer.get("components") or []), None)
            if inner is None or inner["type"] != TEXT_INPUT:
                continue
            names = {inner["custom_id"], inner.get("label"), outer.get("label")}
            key = next((name for name in left if name in names), None)
            value = left.pop(key) if key is not None else inner.get("value") or ""
            least = inner.get("min_length") or (1 if inner.get("required", True) else 0)
            if (
                not (least if value or inner.get("required", True) else 0)
                <= len(value)
                <= (inner.get("max_length") or 4_000)
            ):
                raise NotOfferedError(f"{inner['custom_id']}: {value!r} is too long or too short")
            given = {"type": TEXT_INPUT, "custom_id": inner["custom_id"], "value": value, "id": inner.get("id", 1)}
            shape = {"component": given} if outer["type"] == LABEL else {"components": [given]}
            filled.append({"type": outer["type"], "id": outer.get("id", 1)} | shape)
        if left:
            raise NotOfferedError(f"the form has no fields {sorted(left)}")
        data = {"custom_id": modal["custom_id"], "components": filled}
        return await self._ask(asked.channel, MODAL, data, source=asked.source, owners=asked.owners).settle(
            self.patience
        )

    def _go(self, channel: Channel | None) -> Channel:
        if channel is not None:
            self.at = channel
        if self.at is None:
            self.at = self.direct
        if self.at.guild is not None and self.id not in self.at.guild.members:
            raise NotOfferedError(f"{self.name} is no member of {self.at.guild.name}")
        if self.at.guild is not None and not self.at.lets(self, "view_channel"):
            raise NotOfferedError(f"{self.name} does not see {self.at.name}")
        return self.at

    def _sees(self, on: Message | Reply) -> Message:
        message = on.message if isinstance(on, Reply) else on
        if message.deleted:
            raise NotOfferedError("the message is gone")
        asker = (message.interaction or {}).get("user", {}).get("id")
        if message.ephemeral and asker != str(self.id):
            raise NotOfferedError(f"{self.name} does not see what only another sees")
        return message

    def _ask(
        self,
        channel: Channel,
        kind: int,
        data: Json,
        *,
        command: Json | None = None,
        source: Message | None = None,
        owners: dict[str, str] | None = None,
    ) -> Reply:
        service, guild = self.service, channel.guild
        if owners is None and source is not None and source.interaction is not None:
            owners = source.interaction["authorizing_integration_owners"]
        if owners is None:
            owners = choosing.owners(service, self, channel, command)
        interaction = Interaction(
            service.clock.snowflake(),
            kind,
            service.new_token(),
            self,
            channel,
            service.clock.seconds,
            service.bell,
            in_guild=guild,
            data=data,
            owners=owners,
            context=choosing.context(channel),
            source=source,
        )
        service.begin(interaction)
        service.gateway.announce("INTERACTION_CREATE", event(service, interaction), guild.id if guild else None)
        return Reply(interaction, source.edits if source is not None else 0)


def _option(select: Json, wanted: str) -> str:
    for each in select["options"]:
        if wanted in (each["value"], each["label"]):
            return str(each["value"])
    raise NotOfferedError(f"{wanted!r} is none of {[each['label'] for each in select['options']]}")


def event(service: Service, asked: Interaction) -> Json:
    """An interaction as the gateway tells of it."""
    channel, guild, person = asked.channel, asked.in_guild, asked.person
    granted = channel.grants(service.bot)
    if asked.only_user_installed:
        outside = permissions.bits("embed_links", "attach_files", "mention_everyone", "use_external_emojis")
        granted = channel.grants(person) & outside if guild else permissions.ORDINARY
    body: Json = {
        "id": str(asked.id),
        "application_id": str(service.bot.id),
        "type": asked.kind,
        "token": asked.token,
        "version": 1,
        "data": asked.data,
        "channel_id": str(channel.id),
        "channel": channel.json() | {"permissions": str(channel.grants(person))},
        "app_permissions": str(granted),
        "locale": person.locale,
        "entitlements": [],
        "authorizing_integration_owners": asked.owners,
        "context": asked.context,
        "attachment_size_limit": 10 * 2**20,
    }
    if guild is not None:
        member = guild.member(person.id).json() | {"permissions": str(channel.grants(person))}
        partial = {"id": str(guild.id), "locale": guild.locale, "features": list(guild.features)}
        body |= {"guild_id": str(guild.id), "guild_locale": guild.locale, "guild": partial, "member": member}
    else:
        body["user"] = person.json()
    if asked.source is not None:
        body["message"] = asked.source.json()
    return body


def fields(form: Json) -> list[str]:
    """The custom ids of a form's fields."""
    return [each["custom_id"] for each in walk(form["components"]) if each["type"] == TEXT_INPUT]
