"""Slash commands: their definitions for registration, and the command lines for an invocation. Pure.

All are subcommands of `/papers`, the rarely used ones of `/papers set`. Names and descriptions come from the
catalogues, in every language that both Discord (reference#locales) and we have.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

from bot.channel import Command
from channels.discord.components import cut

GROUP, SET = "papers", "set"
SUB_COMMAND, SUB_GROUP, STRING, INTEGER, BOOLEAN, CHANNEL, ROLE = 1, 2, 3, 4, 5, 7, 8
DESCRIPTION = 100
_DISCORD_LOCALES = (
    "ar bg cs da de el es-419 es-ES fi fr he hi hr hu id it ja ko lt nl no pl pt-BR ro ru sv-SE th tr uk vi zh-CN zh-TW"
)
_OUR_TAGS = {"zh-CN": "zh-Hans", "zh-TW": "zh-Hant", "no": "nb", "es-419": "es", "es-ES": "es", "sv-SE": "sv"}
LOCALES = {locale: _OUR_TAGS.get(locale, locale) for locale in _DISCORD_LOCALES.split()}
"""Discord's locales (reference#locales), each with our language tag; English is the default."""
CHANNEL_TYPES = (0, 5, 10, 11, 12, 15)
"""The channel types offered: text, announcements, threads of three kinds, forums."""
EVERYWHERE = {"integration_types": [0, 1], "contexts": [0, 1, 2]}
"""Installable to servers and users; usable in servers, with the bot, and in other direct messages."""
LONGEST_VALUE = 1_000
"""Characters of an option that are read."""

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class OptionSpec:
    """An option of a command. `about` names its description; None: the command's."""

    name: str
    kind: int = STRING
    about: str | None = None
    required: bool = False
    completes: Command | None = None
    """The command whose suggestions autocomplete it."""
    bounds: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class CommandSpec:
    """A command: its options, and whether it is in `/papers set`."""

    command: Command
    options: Sequence[OptionSpec] = ()
    in_set: bool = False


_SHARE = OptionSpec("share", BOOLEAN, "about_share")
_CHANNEL = OptionSpec("channel", CHANNEL, "about_channel")
_ON = OptionSpec("on", BOOLEAN)
_DAY = OptionSpec("day", about="about_day", completes=Command.DATE)


def _preference(command: Command, option: OptionSpec, *, in_set: bool = False) -> CommandSpec:
    return CommandSpec(command, (option, _CHANNEL), in_set)


COMMANDS: Sequence[CommandSpec] = (
    CommandSpec(Command.TODAY, (_SHARE,)),
    CommandSpec(Command.WEEK, (OptionSpec("week", about="about_week"), _SHARE)),
    CommandSpec(Command.MONTH, (OptionSpec("month", about="about_month"), _SHARE)),
    CommandSpec(Command.DATE, (replace(_DAY, required=True), _SHARE)),
    CommandSpec(
        Command.PAPER, (OptionSpec("paper", about="about_paper", required=True, completes=Command.PAPER), _SHARE)
    ),
    CommandSpec(Command.SEARCH, (OptionSpec("words", about="about_words", required=True), _SHARE)),
    CommandSpec(Command.TOP, (OptionSpec("days", INTEGER, "about_days", bounds=(1, 31)), _SHARE)),
    CommandSpec(
        Command.SUBSCRIBE,
        (
            _CHANNEL,
            OptionSpec("me", BOOLEAN, "about_me"),
            OptionSpec("language", about="language", completes=Command.LANGUAGE),
            OptionSpec("style", about="style", completes=Command.STYLE),
            OptionSpec("code", about="about_code"),
        ),
    ),
    CommandSpec(Command.UNSUBSCRIBE, (_CHANNEL,)),
    CommandSpec(Command.SETTINGS, (_CHANNEL,)),
    _preference(Command.LANGUAGE, OptionSpec("language", completes=Command.LANGUAGE)),
    _preference(Command.STYLE, OptionSpec("style", completes=Command.STYLE)),
    CommandSpec(
        Command.TIME,
        (
            OptionSpec("hour", completes=Command.TIME),
            OptionSpec("zone", about="zone", completes=Command.ZONE),
            _CHANNEL,
        ),
    ),
    _preference(Command.TOPICS, OptionSpec("topics", completes=Command.TOPICS)),
    _preference(Command.COUNT, OptionSpec("papers", completes=Command.COUNT)),
    _preference(Command.PAUSE, OptionSpec("until", about="about_until")),
    CommandSpec(Command.RESUME, (_CHANNEL,)),
    _preference(Command.WHY, _DAY),
    CommandSpec(Command.EXPORT, (_CHANNEL,)),
    CommandSpec(Command.FORGET, (_CHANNEL,)),
    CommandSpec(Command.HELP, (OptionSpec("command", about="about_command", completes=Command.HELP),)),
    CommandSpec(Command.PRIVACY),
    _preference(Command.VOTES, OptionSpec("votes", completes=Command.VOTES), in_set=True),
    _preference(Command.WEEKDAYS, OptionSpec("weekdays", completes=Command.WEEKDAYS), in_set=True),
    _preference(Command.ZONE, OptionSpec("zone", completes=Command.ZONE), in_set=True),
    _preference(Command.CADENCE, OptionSpec("cadence", completes=Command.CADENCE), in_set=True),
    _preference(Command.SILENT, _ON, in_set=True),
    _preference(Command.THREAD, _ON, in_set=True),
    _preference(Command.PING, OptionSpec("role", ROLE), in_set=True),
    _preference(Command.PUBLISH, _ON, in_set=True),
)
"""Every command, in the order in which Discord lists them."""

_SPECS = {spec.command: spec for spec in COMMANDS}


@dataclass(frozen=True, slots=True)
class Invocation:
    """A slash command as a user invoked it: the command lines to run one after another, and for what."""

    command: Command
    lines: Sequence[str]
    share: bool = False
    me: bool = False
    channel: Json | None = None
    """The channel that was named, as the API describes it."""
    focused: tuple[Command, str] | None = None
    """During autocomplete: whose suggestions are wanted, and what is typed so far."""


Purposes = Callable[[str], Mapping[Command, str]]
Words = Callable[[str], Mapping[str, str]]


def payload(purposes: Purposes, words: Words) -> list[Json]:
    """The commands as they are registered, in every language."""
    definitions = _Definitions(purposes, words)
    subcommands = [definitions.command(spec) for spec in COMMANDS if not spec.in_set]
    in_set = [definitions.command(spec) for spec in COMMANDS if spec.in_set]
    group = definitions.named(SUB_GROUP, SET, "about_set") | {"options": in_set}
    return [definitions.named(SUB_COMMAND, GROUP, "about_papers") | EVERYWHERE | {"options": [*subcommands, group]}]


def digest(registered: Sequence[Json]) -> str:
    """A hash that tells whether the registration has changed."""
    return sha256(json.dumps(registered, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


class _Definitions:
    """Builds definitions with their names and descriptions in all languages."""

    def __init__(self, purposes: Purposes, words: Words) -> None:
        self._purposes, self._words = purposes, words
        english = words("en")
        self._locales = [locale for locale, tag in LOCALES.items() if words(tag) != english]

    def command(self, spec: CommandSpec) -> Json:
        definition = self.named(SUB_COMMAND, spec.command.value, spec.command)
        options = [self._option(option, spec.command) for option in spec.options]
        return definition | ({"options": options} if options else {})

    def _option(self, option: OptionSpec, command: Command) -> Json:
        about: str | Command = option.about or command
        definition = self.named(option.kind, option.name, Command(about) if about in set(Command) else about)
        if option.required:
            definition["required"] = True
        if option.completes is not None:
            definition["autocomplete"] = True
        if option.kind == CHANNEL:
            definition["channel_types"] = list(CHANNEL_TYPES)
        if option.kind == STRING:
            definition["max_length"] = LONGEST_VALUE
        if option.bounds is not None:
            definition["min_value"], definition["max_value"] = option.bounds
        return definition

    def named(self, kind: int, name: str, about: str | Command) -> Json:
        """The part that every command and option has."""
        tags = {locale: LOCALES[locale] for locale in self._locales}
        return {
            "type": kind,
            "name": name,
            "name_localizations": {locale: self._words(tag)[f"name_{name}"] for locale, tag in tags.items()},
            "description": self._description(about, "en"),
            "description_localizations": {locale: self._description(about, tag) for locale, tag in tags.items()},
        }

    def _description(self, about: str | Command, language: str) -> str:
        text = self._purposes(language)[about] if isinstance(about, Command) else self._words(language)[about]
        return cut(text, DESCRIPTION)


def language_of(locale: str) -> str:
    """Our language tag for one of Discord's locales."""
    return LOCALES.get(locale, locale.partition("-")[0])


def parse(data: Mapping[str, Any]) -> Invocation | None:
    """The invocation in an interaction's data; None if the command is not ours."""
    if data.get("name") != GROUP:
        return None
    leaf = next(iter(data.get("options") or []), None)
    if leaf is not None and leaf["type"] == SUB_GROUP:
        leaf = next(iter(leaf.get("options") or []), None)
    if leaf is None or leaf["name"] not in set(Command):
        return None
    command = Command(leaf["name"])
    options = {each["name"]: each for each in leaf.get("options") or []}
    values = {name: each.get("value") for name, each in options.items()}
    return Invocation(
        command,
        _lines(command, values),
        share=values.get("share") is True,
        me=values.get("me") is True,
        channel=(data.get("resolved") or {}).get("channels", {}).get(str(values.get("channel"))),
        focused=next((_focus(command, each) for each in options.values() if each.get("focused")), None),
    )


def _lines(command: Command, values: Mapping[str, Any]) -> list[str]:
    """The command lines for a command with these values."""
    if command is Command.SUBSCRIBE:
        wanted = [_text(values.get(name)) for name in ("language", "style", "code")]
        return [_line(command, "-".join(filter(None, wanted)))]
    if command is Command.TIME and "zone" in values:
        zone = _line(Command.ZONE, _text(values["zone"]))
        return [_line(command, _text(values["hour"])), zone] if "hour" in values else [zone]
    if command is Command.TOPICS and "topics" in values:
        return [_line(command, _text(values["topics"]).strip(", "))]
    own = [option.name for option in _SPECS[command].options if option not in {_SHARE, _CHANNEL}]
    return [_line(command, *(_text(values[name]) for name in own if name in values))]


def _line(command: Command, *arguments: str) -> str:
    return " ".join(filter(None, (command.value, *arguments)))


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return "" if value is None else " ".join(str(value)[:LONGEST_VALUE].split())


def _focus(command: Command, typed: Mapping[str, Any]) -> tuple[Command, str]:
    option = next((each for each in _SPECS[command].options if each.name == typed["name"]), None)
    completes = option.completes if option is not None else None
    return completes or command, _text(typed.get("value"))
