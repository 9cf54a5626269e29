"""Slash commands: their definitions for registration, and the command lines for an invocation. Pure.

All are subcommands of `/papers`, the rarely used ones of `/papers set`. Names and descriptions come from the
catalogues, in every language that both Discord (reference#locales) and we have.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

from bot.channel import SILENT, CommandInfo, CommandName, command_line
from channels.discord.components import cut
from channels.discord.post_options import PING, PUBLISH, THREAD

GROUP, SET, SHOW = "papers", "set", "show"
SUB_COMMAND, SUB_GROUP, STRING, INTEGER, BOOLEAN, CHANNEL, ROLE = 1, 2, 3, 4, 5, 7, 8
DESCRIPTION = 100  # characters
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
    completes: str | None = None
    """The command whose suggestions autocomplete it."""
    bounds: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class CommandSpec:
    """A command: its options, and whether it is in `/papers set` or `/papers show`, groups that count as one."""

    command: str
    options: Sequence[OptionSpec] = ()
    in_set: bool = False
    in_show: bool = False


_SHARE = OptionSpec("share", BOOLEAN, "about_share")
_CHANNEL = OptionSpec("channel", CHANNEL, "about_channel")
_ON = OptionSpec("on", BOOLEAN)
_DAY = OptionSpec("day", about="about_day", completes=CommandName.DATE)


def _preference(command: str, option: OptionSpec, *, in_set: bool = False) -> CommandSpec:
    return CommandSpec(command, (option, _CHANNEL), in_set)


COMMANDS: Sequence[CommandSpec] = (
    CommandSpec(CommandName.TODAY, (_SHARE,)),
    CommandSpec(CommandName.WEEK, (OptionSpec("week", about="about_week"), _SHARE)),
    CommandSpec(CommandName.MONTH, (OptionSpec("month", about="about_month"), _SHARE)),
    CommandSpec(CommandName.DATE, (replace(_DAY, required=True), _SHARE)),
    CommandSpec(
        CommandName.PAPER,
        (OptionSpec("paper", about="about_paper", required=True, completes=CommandName.PAPER), _SHARE),
    ),
    CommandSpec(CommandName.SEARCH, (OptionSpec("words", about="about_words", required=True), _SHARE)),
    CommandSpec(CommandName.CLOUD, (_DAY, _SHARE), in_show=True),
    CommandSpec(CommandName.TREND, (_DAY, _SHARE), in_show=True),
    CommandSpec(CommandName.POSTER, (_DAY, _SHARE), in_show=True),
    CommandSpec(CommandName.LISTEN, (_DAY,), in_show=True),
    CommandSpec(CommandName.TOP, (OptionSpec("days", INTEGER, "about_days", bounds=(1, 31)), _SHARE)),
    CommandSpec(
        CommandName.SUBSCRIBE,
        (
            _CHANNEL,
            OptionSpec("me", BOOLEAN, "about_me"),
            OptionSpec("language", about="language", completes=CommandName.LANGUAGE),
            OptionSpec("style", about="style", completes=CommandName.STYLE),
            OptionSpec("code", about="about_code"),
        ),
    ),
    CommandSpec(CommandName.UNSUBSCRIBE, (_CHANNEL,)),
    CommandSpec(CommandName.SETTINGS, (_CHANNEL,)),
    _preference(CommandName.LANGUAGE, OptionSpec("language", completes=CommandName.LANGUAGE)),
    _preference(CommandName.STYLE, OptionSpec("style", completes=CommandName.STYLE)),
    CommandSpec(
        CommandName.TIME,
        (
            OptionSpec("hour", completes=CommandName.TIME),
            OptionSpec("zone", about="zone", completes=CommandName.ZONE),
            _CHANNEL,
        ),
    ),
    _preference(CommandName.TOPICS, OptionSpec("topics", completes=CommandName.TOPICS)),
    CommandSpec(
        CommandName.FOLLOW, (OptionSpec("topics", about="follow", required=True, completes=CommandName.FOLLOW),)
    ),
    _preference(CommandName.COUNT, OptionSpec("papers", completes=CommandName.COUNT)),
    _preference(CommandName.PAUSE, OptionSpec("until", about="about_until")),
    CommandSpec(CommandName.RESUME, (_CHANNEL,)),
    _preference(CommandName.WHY, _DAY),
    CommandSpec(CommandName.EXPORT, (_CHANNEL,)),
    CommandSpec(CommandName.FORGET, (_CHANNEL,)),
    CommandSpec(CommandName.HELP, (OptionSpec("command", about="about_command", completes=CommandName.HELP),)),
    CommandSpec(CommandName.PRIVACY),
    _preference(SILENT.command, _ON, in_set=True),
    _preference(THREAD.command, _ON, in_set=True),
    _preference(PING.command, OptionSpec("role", ROLE), in_set=True),
    _preference(PUBLISH.command, _ON, in_set=True),
)
"""The commands whose place or options are special, in the order in which Discord lists them.

Any other command is in `/papers set`, with an option for what follows its name and, if it is about a subscription, one
for another channel.
"""

_SPECS = {spec.command: spec for spec in COMMANDS}


@dataclass(frozen=True, slots=True)
class Invocation:
    """A slash command as a user invoked it: the command lines to run one after another, and for what."""

    command: str
    lines: Sequence[str]
    share: bool = False
    me: bool = False
    channel: Json | None = None
    """The channel that was named, as the API describes it."""
    focused: tuple[str, str] | None = None
    """During autocomplete: whose suggestions are wanted, and what is typed so far."""


Listed = Callable[[str], Sequence[CommandInfo]]
"""The commands there are, by the language of their descriptions."""
Words = Callable[[str], Mapping[str, str]]


def payload(listed: Listed, words: Words) -> list[Json]:
    """The commands as they are registered, in every language."""
    definitions = _Definitions(listed, words)
    every = specs(listed("en"))
    subcommands = [definitions.command(spec) for spec in every if not (spec.in_set or spec.in_show)]
    in_set = [definitions.command(spec) for spec in every if spec.in_set]
    in_show = [definitions.command(spec) for spec in every if spec.in_show]
    groups = [
        definitions.named(SUB_GROUP, SHOW, "about_show") | {"options": in_show},
        definitions.named(SUB_GROUP, SET, "about_set") | {"options": in_set},
    ]
    return [definitions.named(SUB_COMMAND, GROUP, "about_papers") | EVERYWHERE | {"options": [*subcommands, *groups]}]


def specs(listed: Sequence[CommandInfo]) -> list[CommandSpec]:
    """`COMMANDS`, `listen` only where editions are read aloud, and the readers' commands that it does not name."""
    reads_aloud = any(info.name == CommandName.LISTEN for info in listed)
    known = [each for each in COMMANDS if each.command != CommandName.LISTEN or reads_aloud]
    others = (info for info in listed if not info.for_operators and info.name not in _SPECS)
    return [*known, *map(_default, others)]


def _default(info: CommandInfo) -> CommandSpec:
    options = [OptionSpec(info.argument, completes=info.name)] if info.argument else []
    return CommandSpec(info.name, options + [_CHANNEL] * info.for_subscribers, in_set=True)


def digest(registered: Sequence[Json]) -> str:
    """A hash that tells whether the registration has changed."""
    return sha256(json.dumps(registered, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


class _Definitions:
    """Builds definitions with their names and descriptions in all languages."""

    def __init__(self, listed: Listed, words: Words) -> None:
        self._words = words
        tags = {"en", *LOCALES.values()}
        self._purposes = {tag: {info.name: info.purpose for info in listed(tag)} for tag in tags}
        english = words("en")
        self._locales = [locale for locale, tag in LOCALES.items() if words(tag) != english]

    def command(self, spec: CommandSpec) -> Json:
        definition = self.named(SUB_COMMAND, spec.command, spec.command)
        options = [self._option(option, spec.command) for option in spec.options]
        return definition | ({"options": options} if options else {})

    def _option(self, option: OptionSpec, command: str) -> Json:
        definition = self.named(option.kind, option.name, option.about or command)
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

    def named(self, kind: int, name: str, about: str) -> Json:
        """The part that every command and option has."""
        tags = {locale: LOCALES[locale] for locale in self._locales}
        return {
            "type": kind,
            "name": name,
            "name_localizations": {locale: self._words(tag).get(f"name_{name}", name) for locale, tag in tags.items()},
            "description": self._description(about, "en"),
            "description_localizations": {locale: self._description(about, tag) for locale, tag in tags.items()},
        }

    def _description(self, about: str, language: str) -> str:
        purposes = self._purposes[language]
        return cut(purposes[about] if about in purposes else self._words(language)[about], DESCRIPTION)


def language_of(locale: str) -> str:
    """Our language tag for one of Discord's locales."""
    return LOCALES.get(locale, locale.partition("-")[0])


def parse(data: Mapping[str, Any], names: Collection[str] = frozenset(_SPECS)) -> Invocation | None:
    """The invocation in an interaction's data; None if the command is none of these `names`."""
    if data.get("name") != GROUP:
        return None
    leaf = next(iter(data.get("options") or []), None)
    if leaf is not None and leaf["type"] == SUB_GROUP:
        leaf = next(iter(leaf.get("options") or []), None)
    if leaf is None or leaf["name"] not in names:
        return None
    command = str(leaf["name"])
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


def _lines(command: str, values: Mapping[str, Any]) -> list[str]:
    """The command lines for a command with these values."""
    if command == CommandName.SUBSCRIBE:
        wanted = [_text(values.get(name)) for name in ("language", "style", "code")]
        return [command_line(command, "-".join(filter(None, wanted)))]
    if command == CommandName.TIME and "zone" in values:
        zone = command_line(CommandName.ZONE, _text(values["zone"]))
        return [command_line(command, _text(values["hour"])), zone] if "hour" in values else [zone]
    if command == CommandName.TOPICS and "topics" in values:
        return [command_line(command, _text(values["topics"]).strip(", "))]
    arguments = [_text(value) for name, value in values.items() if name not in {_SHARE.name, _CHANNEL.name}]
    return [command_line(command, *arguments)]


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return "" if value is None else " ".join(str(value)[:LONGEST_VALUE].split())


def _focus(command: str, typed: Mapping[str, Any]) -> tuple[str, str]:
    options = _SPECS[command].options if command in _SPECS else ()
    option = next((each for each in options if each.name == typed["name"]), None)
    completes = option.completes if option is not None else None
    return completes or command, _text(typed.get("value"))
