"""The slash commands: what is registered, and what is made of one that somebody used. Pure.

All of them are in one group, `/papers`; what is chosen rarely is in `/papers set`. Names and descriptions come from the
catalogues, in every language that Discord lists (reference#locales) and we have.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from bot.channel import Command
from channels.discord.components import cut

GROUP, SET = "papers", "set"
SUB_COMMAND, SUB_GROUP, STRING, INTEGER, BOOLEAN, CHANNEL, ROLE = 1, 2, 3, 4, 5, 7, 8
DESCRIPTION = 100
_LOCALES = (
    "ar bg cs da de el es-419 es-ES fi fr he hi hr hu id it ja ko lt nl no pl pt-BR ro ru sv-SE th tr uk vi zh-CN zh-TW"
)
_OTHERWISE = {"zh-CN": "zh-Hans", "zh-TW": "zh-Hant", "no": "nb", "es-419": "es", "es-ES": "es", "sv-SE": "sv"}
LOCALES = {locale: _OTHERWISE.get(locale, locale) for locale in _LOCALES.split()}
"""The languages that Discord's apps speak (reference#locales), each with the tag of ours; English is the default."""
PLACES = (0, 5, 10, 11, 12, 15)
"""The types of channel that take editions: text, announcements, threads of three kinds, forums."""
EVERYWHERE = {"integration_types": [0, 1], "contexts": [0, 1, 2]}
"""Installed to a server or to a user; used in servers, with the bot alone, and among others."""
GIVEN_LENGTH = 1_000
"""Characters of an option that are looked at."""

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Option:
    """Something that follows a command. `about` names its description; None: that of its command."""

    name: str
    kind: int = STRING
    about: str | None = None
    required: bool = False
    completes: Command | None = None
    """What is suggested while it is typed."""
    bounds: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Spec:
    """One command: what follows it, and in which group it is."""

    command: Command
    options: Sequence[Option] = ()
    rare: bool = False


_SHARE = Option("share", BOOLEAN, "about_share")
_WHERE = Option("channel", CHANNEL, "about_channel")
_ON = Option("on", BOOLEAN)


def _chosen(command: Command, option: Option, *, rare: bool = False) -> Spec:
    return Spec(command, (option, _WHERE), rare)


COMMANDS: Sequence[Spec] = (
    Spec(Command.TODAY, (_SHARE,)),
    Spec(Command.WEEK, (Option("week", about="about_week"), _SHARE)),
    Spec(Command.MONTH, (Option("month", about="about_month"), _SHARE)),
    Spec(Command.DATE, (Option("day", about="about_day", required=True, completes=Command.DATE), _SHARE)),
    Spec(Command.PAPER, (Option("paper", about="about_paper", required=True, completes=Command.PAPER), _SHARE)),
    Spec(Command.SEARCH, (Option("words", about="about_words", required=True), _SHARE)),
    Spec(Command.TOP, (Option("days", INTEGER, "about_days", bounds=(1, 31)), _SHARE)),
    Spec(
        Command.SUBSCRIBE,
        (
            _WHERE,
            Option("me", BOOLEAN, "about_me"),
            Option("language", about="language", completes=Command.LANGUAGE),
            Option("style", about="style", completes=Command.STYLE),
            Option("code", about="about_code"),
        ),
    ),
    Spec(Command.UNSUBSCRIBE, (_WHERE,)),
    Spec(Command.SETTINGS, (_WHERE,)),
    _chosen(Command.LANGUAGE, Option("language", completes=Command.LANGUAGE)),
    _chosen(Command.STYLE, Option("style", completes=Command.STYLE)),
    Spec(
        Command.TIME,
        (
            Option("hour", completes=Command.TIME),
            Option("zone", about="zone", completes=Command.ZONE),
            _WHERE,
        ),
    ),
    _chosen(Command.TOPICS, Option("topics", completes=Command.TOPICS)),
    _chosen(Command.COUNT, Option("papers", completes=Command.COUNT)),
    _chosen(Command.PAUSE, Option("until", about="about_until")),
    Spec(Command.RESUME, (_WHERE,)),
    _chosen(Command.WHY, Option("day", about="about_day", completes=Command.DATE)),
    Spec(Command.EXPORT, (_WHERE,)),
    Spec(Command.FORGET, (_WHERE,)),
    Spec(Command.HELP, (Option("command", about="about_command", completes=Command.HELP),)),
    Spec(Command.PRIVACY),
    _chosen(Command.VOTES, Option("votes", completes=Command.VOTES), rare=True),
    _chosen(Command.WEEKDAYS, Option("weekdays", completes=Command.WEEKDAYS), rare=True),
    _chosen(Command.ZONE, Option("zone", completes=Command.ZONE), rare=True),
    _chosen(Command.CADENCE, Option("cadence", completes=Command.CADENCE), rare=True),
    _chosen(Command.SILENT, _ON, rare=True),
    _chosen(Command.THREAD, _ON, rare=True),
    _chosen(Command.PING, Option("role", ROLE), rare=True),
    _chosen(Command.PUBLISH, _ON, rare=True),
)
"""Every command, in the order in which an app lists them."""

_SPECS = {spec.command: spec for spec in COMMANDS}


@dataclass(frozen=True, slots=True)
class Used:
    """A command as somebody used it: the lines to be asked one after another, and where and for whom."""

    command: Command
    lines: Sequence[str]
    share: bool = False
    me: bool = False
    channel: Json | None = None
    """The channel that was named, as the service describes it."""
    focused: tuple[Command, str] | None = None
    """What is being typed just now, and what is there of it."""


Purposes = Callable[[str], Mapping[Command, str]]
Words = Callable[[str], Mapping[str, str]]


def payload(purposes: Purposes, words: Words) -> list[Json]:
    """The commands as they are registered, in every language that is one of ours."""
    made = _Named(purposes, words)
    subs = [made.command(spec) for spec in COMMANDS if not spec.rare]
    rare = [made.command(spec) for spec in COMMANDS if spec.rare]
    group = made.named(SUB_GROUP, SET, "about_set") | {"options": rare}
    return [made.named(1, GROUP, "about_papers") | EVERYWHERE | {"options": [*subs, group]}]


def digest(registered: Sequence[Json]) -> str:
    """What tells two registrations apart."""
    return sha256(json.dumps(registered, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


@dataclass
class _Named:
    """Names and descriptions in all languages."""

    purposes: Purposes
    words: Words
    locales: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        english = self.words("en")
        self.locales = [locale for locale, tag in LOCALES.items() if self.words(tag) != english]

    def command(self, spec: Spec) -> Json:
        made = self.named(SUB_COMMAND, spec.command.value, spec.command)
        options = [self._option(option, spec.command) for option in spec.options]
        return made | ({"options": options} if options else {})

    def _option(self, option: Option, command: Command) -> Json:
        about: str | Command = option.about or command
        made = self.named(option.kind, option.name, Command(about) if about in set(Command) else about)
        if option.required:
            made["required"] = True
        if option.completes is not None:
            made["autocomplete"] = True
        if option.kind == CHANNEL:
            made["channel_types"] = list(PLACES)
        if option.kind == STRING:
            made["max_length"] = GIVEN_LENGTH
        if option.bounds is not None:
            made["min_value"], made["max_value"] = option.bounds
        return made

    def named(self, kind: int, name: str, about: str | Command) -> Json:
        """What every command and option has."""
        return {
            "type": kind,
            "name": name,
            "name_localizations": {locale: self.words(LOCALES[locale])[f"name_{name}"] for locale in self.locales},
            "description": self._about(about, "en"),
            "description_localizations": {locale: self._about(about, LOCALES[locale]) for locale in self.locales},
        }

    def _about(self, about: str | Command, language: str) -> str:
        said = self.purposes(language)[about] if isinstance(about, Command) else self.words(language)[about]
        return cut(said, DESCRIPTION)


def language_of(locale: str) -> str:
    """The tag of our language for one of Discord's."""
    return LOCALES.get(locale, locale.partition("-")[0])


def read(data: Mapping[str, Any]) -> Used | None:
    """What somebody asks by a command, or is typing; None for what is no command of ours."""
    if data.get("name") != GROUP:
        return None
    leaf = next(iter(data.get("options") or []), None)
    if leaf is not None and leaf["type"] == SUB_GROUP:
        leaf = next(iter(leaf.get("options") or []), None)
    if leaf is None or leaf["name"] not in set(Command):
        return None
    command = Command(leaf["name"])
    given = {each["name"]: each for each in leaf.get("options") or []}
    values = {name: each.get("value") for name, each in given.items()}
    return Used(
        command,
        _lines(command, values),
        share=values.get("share") is True,
        me=values.get("me") is True,
        channel=(data.get("resolved") or {}).get("channels", {}).get(str(values.get("channel"))),
        focused=next((_focus(command, each) for each in given.values() if each.get("focused")), None),
    )


def _lines(command: Command, values: Mapping[str, Any]) -> list[str]:
    """The lines that stand for a command with these values."""
    if command is Command.SUBSCRIBE:
        wanted = [_text(values.get(name)) for name in ("language", "style", "code")]
        return [_line(command, "-".join(filter(None, wanted)))]
    if command is Command.TIME and "zone" in values:
        zone = _line(Command.ZONE, _text(values["zone"]))
        return [_line(command, _text(values["hour"])), zone] if "hour" in values else [zone]
    own = [option.name for option in _SPECS[command].options if option.name not in {"share", "channel"}]
    if command is Command.TOPICS and "topics" in values:
        return [_line(command, _text(values["topics"]).strip(", "))]
    return [_line(command, *(_text(values[name]) for name in own if name in values))]


def _line(command: Command, *arguments: str) -> str:
    return " ".join(filter(None, (command.value, *arguments)))


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return "" if value is None else " ".join(str(value)[:GIVEN_LENGTH].split())


def _focus(command: Command, given: Mapping[str, Any]) -> tuple[Command, str]:
    option = next((each for each in _SPECS[command].options if each.name == given["name"]), None)
    completes = option.completes if option is not None else None
    return completes or command, _text(given.get("value"))
