"""Registered commands, and Discord's rules for them (interactions/application-commands)."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterator
from typing import Any

from tests.support.discord_server.clock import Clock
from tests.support.discord_server.errors import MalformedError, RefusalError
from tests.support.discord_server.limits import Fault, long, many
from tests.support.discord_server.messages import Json

SUB_COMMAND, SUB_GROUP, STRING, INTEGER, BOOLEAN, USER, CHANNEL, ROLE, MENTIONABLE, NUMBER, ATTACHMENT = range(1, 12)
GLOBAL_MOST, OPTIONS, CHARACTERS, CREATES = 100, 25, 8_000, 200
_LOCALES = (
    "ar bg cs da de el en-GB en-US es-419 es-ES fi fr he hi hr hu id it ja ko lt nl no pl pt-BR ro ru sv-SE th tr uk "
    "vi zh-CN zh-TW"
)
LOCALES = frozenset(_LOCALES.split())
"""reference#locales"""
Place = tuple[str | int, ...]


def is_name(text: str) -> bool:
    r"""Whether it is a name by Discord's pattern, ``^[-_'\p{L}\p{N}\p{sc=Deva}\p{sc=Thai}]{1,32}$`` in lower case."""
    fits = all(
        each in "-_'"
        or unicodedata.category(each)[0] in "LN"
        or "\u0900" <= each <= "\u097f"
        or "\u0e01" <= each <= "\u0e5b"
        for each in text
    )
    return 1 <= len(text) <= 32 and fits and text == text.lower()


def check_command(command: Any, at: Place = ()) -> Iterator[Fault]:
    """The faults of one command."""
    if not isinstance(command, dict):
        yield at, "MODEL_TYPE_CONVERT", "Only dictionaries may be used in a ModelType"
        return
    if command.get("type") in (2, 3):  # menus of users and messages have names of another kind, and no more
        yield from long((*at, "name"), command.get("name"), 32, 1)
        return
    yield from _named(command, at)
    yield from _options(command, at, depth=0)
    size = _size(command)
    if size > CHARACTERS:
        yield at, "APPLICATION_COMMAND_TOO_LARGE", f"Command exceeds maximum size ({CHARACTERS}): {size}"


def _named(each: Json, at: Place) -> Iterator[Fault]:
    name = each.get("name")
    if not isinstance(name, str) or not is_name(name):
        yield (*at, "name"), "APPLICATION_COMMAND_INVALID_NAME", f"Command name is invalid: {name!r}"
    yield from long((*at, "description"), each.get("description"), 100, 1)
    for locale, text in (each.get("name_localizations") or {}).items():
        if locale not in LOCALES:
            yield (*at, "name_localizations", locale), "ENUM_TYPE_COERCE", f"{locale!r} is no locale of Discord's"
        elif not isinstance(text, str) or not is_name(text):
            place = (*at, "name_localizations", locale)
            yield place, "APPLICATION_COMMAND_INVALID_NAME", f"Command name is invalid: {text!r}"
    for locale, text in (each.get("description_localizations") or {}).items():
        if locale not in LOCALES:
            yield (
                (*at, "description_localizations", locale),
                "ENUM_TYPE_COERCE",
                f"{locale!r} is no locale of Discord's",
            )
        yield from long((*at, "description_localizations", locale), text, 100, 1)


def _options(parent: Json, at: Place, depth: int) -> Iterator[Fault]:
    options = parent.get("options")
    faults = list(many((*at, "options"), options, OPTIONS))
    if faults or not options:
        yield from faults
        return
    subs = [each.get("type") in (SUB_COMMAND, SUB_GROUP) for each in options]
    if any(subs) and (not all(subs) or depth == 2):
        yield (*at, "options"), "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID", "Sub-commands and options cannot be mixed"
    names = [each.get("name") for each in options]
    optional = False
    for number, each in enumerate(options):
        place = (*at, "options", number)
        yield from _named(each, place)
        if names.index(names[number]) < number:
            yield (*place, "name"), "APPLICATION_COMMAND_OPTIONS_NAME_DUPLICATED", "Option names must be unique"
        if each.get("type") in (SUB_COMMAND, SUB_GROUP):
            deeper = 2 if each["type"] == SUB_COMMAND else depth + 1
            if each["type"] == SUB_GROUP and depth:
                yield (*place, "type"), "BASE_TYPE_CHOICES", "A group cannot be inside a group"
            yield from _options(each, place, deeper)
            continue
        if each.get("required") and optional:
            code = "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID"
            yield place, code, "Required options must be placed before non-required options"
        optional = optional or not each.get("required")
        yield from _choices(each, place)


def _choices(option: Json, at: Place) -> Iterator[Fault]:
    choices = option.get("choices")
    yield from many((*at, "choices"), choices, 25)
    if choices and option.get("autocomplete"):
        yield at, "APPLICATION_COMMAND_OPTIONS_AUTOCOMPLETE_INVALID", "Choices and autocomplete exclude each other"
    if option.get("autocomplete") and option.get("type") not in (STRING, INTEGER, NUMBER):
        yield at, "APPLICATION_COMMAND_OPTIONS_AUTOCOMPLETE_INVALID", "This type cannot be completed"
    seen: set[Any] = set()
    for number, each in enumerate(choices or []):
        place = (*at, "choices", number)
        yield from long((*place, "name"), each.get("name"), 100, 1)
        for locale, text in (each.get("name_localizations") or {}).items():
            if locale not in LOCALES:
                yield (
                    (*place, "name_localizations", locale),
                    "ENUM_TYPE_COERCE",
                    f"{locale!r} is no locale of Discord's",
                )
            yield from long((*place, "name_localizations", locale), text, 100, 1)
        if isinstance(each.get("value"), str):
            yield from long((*place, "value"), each["value"], 100, 1)
        if each.get("name") in seen:
            yield place, "APPLICATION_COMMAND_OPTIONS_CHOICE_NAME_DUPLICATED", "Choice names must be unique"
        seen.add(each.get("name"))


def _size(each: Json) -> int:
    """Characters of names, descriptions and values, of each the longest translation."""
    total = 0
    for name in ("name", "description"):
        texts = [each.get(name) or "", *(each.get(f"{name}_localizations") or {}).values()]
        total += max(len(text) for text in texts if isinstance(text, str))
    total += len(each["value"]) if isinstance(each.get("value"), str) else 0
    return total + sum(_size(inner) for name in ("options", "choices") for inner in each.get(name) or [])


class Registry:
    """The commands that there are: everywhere (None), and in single guilds."""

    def __init__(self, clock: Clock, application_id: int) -> None:
        self.clock, self.application_id = clock, application_id
        self.commands: dict[int | None, dict[int, Json]] = {None: {}}
        self.syncs = 0
        """How often a whole list was put."""
        self._creates: Counter[tuple[int | None, int]] = Counter()

    def listed(self, guild_id: int | None) -> list[Json]:
        """The commands of a guild, or those that are everywhere."""
        return list(self.commands.get(guild_id, {}).values())

    def offered(self, guild_id: int | None) -> list[Json]:
        """What people see in a guild: its own commands first, then those that are everywhere."""
        return (self.listed(guild_id) if guild_id is not None else []) + self.listed(None)

    def put(self, body: Any, guild_id: int | None) -> list[Json]:
        """Replace the whole list."""
        faults = list(many((), body, GLOBAL_MOST))
        names = []
        for place, each in enumerate(body or []):
            faults += check_command(each, (place,))
            if isinstance(each, dict):
                key = (each.get("name"), each.get("type") or 1)
                if key in names:
                    faults.append(((place, "name"), "APPLICATION_COMMANDS_DUPLICATE_NAME", "Names must be unique"))
                names.append(key)
        if faults:
            raise MalformedError(faults)
        old = self.commands.get(guild_id, {})
        self.commands[guild_id] = {}
        self.syncs += 1
        for each in body or []:
            known = next((one for one in old.values() if _same(one, each)), None)
            self._store(each, guild_id, known)
        return self.listed(guild_id)

    def post(self, body: Any, guild_id: int | None) -> Json:
        """Add one, or replace that of the same name."""
        if faults := list(check_command(body)):
            raise MalformedError(faults)
        known = next((one for one in self.listed(guild_id) if _same(one, body)), None)
        if known is None and len(self.listed(guild_id)) >= GLOBAL_MOST:
            raise RefusalError(30032)
        return self._store(body, guild_id, known)

    def patch(self, command_id: int, body: Json, guild_id: int | None) -> Json:
        """Change one in part."""
        known = self.find(command_id, guild_id)
        changed = known | body
        if faults := list(check_command(changed)):
            raise MalformedError(faults)
        return self._store(changed, guild_id, known)

    def delete(self, command_id: int, guild_id: int | None) -> None:
        """Remove one."""
        self.find(command_id, guild_id)
        del self.commands[guild_id][command_id]

    def find(self, command_id: int, guild_id: int | None) -> Json:
        """One by its id; refuses what is not there."""
        found = self.commands.get(guild_id, {}).get(command_id)
        if found is None:
            raise RefusalError(10063)
        return found

    def _store(self, body: Json, guild_id: int | None, known: Json | None) -> Json:
        if known is None:
            day = (guild_id, int(self.clock.seconds // 86_400))
            self._creates[day] += 1
            if self._creates[day] > CREATES:
                raise RefusalError(30034)
        rights = body.get("default_member_permissions")
        command = {
            "id": known["id"] if known else str(self.clock.snowflake()),
            "application_id": str(self.application_id),
            "version": str(self.clock.snowflake()),
            "type": body.get("type") or 1,
            "name": body["name"],
            "name_localizations": body.get("name_localizations") or None,
            "description": body.get("description") or "",
            "description_localizations": body.get("description_localizations") or None,
            "default_member_permissions": None if rights is None else str(rights),
            "dm_permission": body.get("dm_permission", True),
            "contexts": body.get("contexts"),
            "integration_types": body.get("integration_types") or [0],
            "nsfw": bool(body.get("nsfw")),
            "options": body.get("options") or [],
        }
        if guild_id is not None:
            command["guild_id"] = str(guild_id)
        self.commands.setdefault(guild_id, {})[int(str(command["id"]))] = command
        return command


def _same(one: Json, other: Any) -> bool:
    return bool(one["name"] == other.get("name") and one["type"] == (other.get("type") or 1))
