"""Turns what a user types or chooses into an interaction, like Discord's app: only from what the bot registered."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from tests.support.discord_server import commands
from tests.support.discord_server.commands import (
    BOOLEAN,
    CHANNEL,
    INTEGER,
    NUMBER,
    ROLE,
    STRING,
    SUB_COMMAND,
    SUB_GROUP,
    USER,
)
from tests.support.discord_server.guilds import Role
from tests.support.discord_server.interactions import IN_GUILD, PRIVATE, WITH_BOT
from tests.support.discord_server.messages import Json
from tests.support.discord_server.places import GROUP, Channel, User
from tests.support.discord_server.service import Service


class NotOfferedError(AssertionError):
    """The app would not let a person do so: there is no such command, option, choice or component."""


@dataclass
class Chosen:
    """A command with its options, ready to be an interaction's data."""

    command: Json
    data: Json
    leaf: Json
    """The command or sub-command whose options were given."""
    resolved: dict[str, Json] = field(default_factory=dict)


def context(channel: Channel) -> int:
    """Where an interaction happens: in a guild, with the bot alone, or among other people."""
    if channel.guild is not None:
        return IN_GUILD
    return PRIVATE if channel.kind == GROUP else WITH_BOT


def owners(service: Service, person: User, channel: Channel, command: Json | None = None) -> dict[str, str]:
    """Whose installations make the command available here; none where it is not."""
    types = command["integration_types"] if command else [0, 1]
    found = {}
    if channel.guild is not None and channel.guild.has_bot and 0 in types:
        found["0"] = str(channel.guild.id)
    if channel.guild is None and channel.kind != GROUP and 0 in types and service.places.shared(person):
        found["0"] = "0"
    if person.installed and 1 in types:
        found["1"] = str(person.id)
    return found


def offered(service: Service, person: User, channel: Channel) -> list[Json]:
    """The commands that a person's app shows in a channel."""
    guild = channel.guild
    if guild is not None and not channel.lets(person, "view_channel", "use_application_commands"):
        return []
    found = []
    for command in service.registry.offered(guild.id if guild is not None else None):
        rights = command["default_member_permissions"]
        contexts = command["contexts"]
        if contexts is None:
            contexts = [IN_GUILD, *([WITH_BOT] if command["dm_permission"] else [])]
        hidden = rights is not None and guild is not None and (rights == "0" or ~channel.grants(person) & int(rights))
        if not hidden and context(channel) in contexts and owners(service, person, channel, command):
            found.append(command)
    return found


def named(each: Json, locale: str) -> set[str]:
    """The names that somebody may type for it: the one in their language first of all, and its own."""
    return {each["name"], (each.get("name_localizations") or {}).get(locale, each["name"])}


def choose(
    service: Service, person: User, channel: Channel, typed: str, options: dict[str, Any], *, focus: str | None = None
) -> Chosen:
    """Find what was typed among the commands on offer; `focus` is the option being completed.

    Raises NotOfferedError for everything that the app would not let a person send.
    """
    words = typed.strip().removeprefix("/").split()
    shown = offered(service, person, channel)
    command = next((each for each in shown if each["type"] == 1 and words[0] in named(each, person.locale)), None)
    if command is None:
        names = [each["name"] for each in shown]
        raise NotOfferedError(f"/{words[0]} is not offered to {person.name} here; there are: {names}")
    leaf, path = command, []
    for word in words[1:]:
        deeper = [each for each in leaf["options"] or [] if each["type"] in (SUB_COMMAND, SUB_GROUP)]
        found = next((each for each in deeper if word in named(each, person.locale)), None)
        if found is None:
            raise NotOfferedError(f"{typed!r}: {word!r} is none of {[each['name'] for each in deeper]}")
        leaf = found | {"options": found.get("options") or []}
        path.append(leaf)
    if any(each["type"] in (SUB_COMMAND, SUB_GROUP) for each in leaf["options"]):
        raise NotOfferedError(f"{typed!r} goes on: {[each['name'] for each in leaf['options']]}")
    chosen = Chosen(command, {}, leaf)
    given = _given(chosen, person, options, focus)
    for each in reversed(path):
        given = [{"name": each["name"], "type": each["type"], "options": given}]
    chosen.data = {"id": command["id"], "name": command["name"], "type": 1, "options": given}
    if chosen.resolved:
        chosen.data["resolved"] = chosen.resolved
    if "guild_id" in command:
        chosen.data["guild_id"] = command["guild_id"]
    return chosen


def _given(chosen: Chosen, person: User, options: dict[str, Any], focus: str | None) -> list[Json]:
    left = (
        {name.replace("_", "-"): value for name, value in options.items()} if _hyphens(chosen.leaf) else dict(options)
    )
    given = []
    for option in chosen.leaf["options"]:
        names = named(option, person.locale)
        key = next((name for name in left if name in names), None)
        if key is None:
            if option.get("required") and focus is None:
                raise NotOfferedError(f"{chosen.leaf['name']}: the option {option['name']} is required")
            continue
        value = left.pop(key)
        focused = focus is not None and focus.replace("_", "-") in {name.replace("_", "-") for name in names}
        if focused and not option.get("autocomplete"):
            raise NotOfferedError(f"{option['name']} is not completed")
        sent = value if focused else _value(chosen, option, value, person)
        given.append(
            {"name": option["name"], "type": option["type"], "value": sent} | ({"focused": True} if focused else {})
        )
    if left:
        there = [each["name"] for each in chosen.leaf["options"]]
        raise NotOfferedError(f"{chosen.leaf['name']} has no options {sorted(left)}; there are: {there}")
    return given


def _hyphens(leaf: Json) -> bool:
    return any("-" in each["name"] for each in leaf["options"])


def _value(chosen: Chosen, option: Json, value: Any, person: User) -> Any:
    """A value as an option of its type has it."""
    kind, name = option["type"], option["name"]
    types: dict[int, tuple[type, ...]] = {
        STRING: (str,),
        INTEGER: (int,),
        NUMBER: (int, float),
        BOOLEAN: (bool,),
        USER: (User,),
        CHANNEL: (Channel,),
        ROLE: (Role,),
        commands.MENTIONABLE: (User, Role),
    }
    if not isinstance(value, types.get(kind, ())) or (isinstance(value, bool) and kind != BOOLEAN):
        raise NotOfferedError(f"{name}: {value!r} is nothing for an option of type {kind}")
    if isinstance(value, str):
        most, least = option.get("max_length") or 6_000, option.get("min_length") or 0
        if not least <= len(value) <= most:
            raise NotOfferedError(f"{name}: {value!r} is too long or too short")
    elif kind in (INTEGER, NUMBER):
        low, high = option.get("min_value"), option.get("max_value")
        if (low is not None and value < low) or (high is not None and value > high):
            raise NotOfferedError(f"{name}: {value} is out of range")
    if choices := option.get("choices"):
        found = next((each for each in choices if value in (each["value"], each["name"])), None)
        if found is None:
            raise NotOfferedError(f"{name}: {value!r} is none of {[each['name'] for each in choices]}")
        return found["value"]
    return _resolved(chosen, option, value, person) if isinstance(value, Channel | Role | User) else value


def _resolved(chosen: Chosen, option: Json, value: Channel | Role | User, person: User) -> str:
    if isinstance(value, Channel):
        allowed = option.get("channel_types")
        if allowed and value.kind not in allowed:
            raise NotOfferedError(f"{option['name']}: a channel of type {value.kind} is not offered")
        if not value.lets(person, "view_channel"):
            raise NotOfferedError(f"{option['name']}: {person.name} does not see {value.name}")
    return resolve(chosen.resolved, value, person)


def resolve(into: dict[str, Json], value: Channel | Role | User, person: User) -> str:
    """Put an object, as a person sees it, among those that an interaction's data names by id; its id."""
    name = str(value.id)
    if isinstance(value, Channel):
        into.setdefault("channels", {})[name] = value.json() | {"permissions": str(value.grants(person))}
    elif isinstance(value, Role):
        into.setdefault("roles", {})[name] = value.json()
    else:
        into.setdefault("users", {})[name] = value.json()
    return name


def component(components: list[Json], wanted: str) -> Json:
    """A button or select by its label, placeholder or custom id; emoji before a label need not be given."""
    for each in components:
        if wanted in (each.get("custom_id"), each.get("label"), each.get("placeholder")):
            return each
    loose = [
        each for each in components if re.search(re.escape(wanted), each.get("label") or each.get("placeholder") or "")
    ]
    if len(loose) == 1:
        return loose[0]
    there = [each.get("label") or each.get("placeholder") or each.get("custom_id") for each in components]
    raise NotOfferedError(f"{wanted!r} is none of {there}")
