"""Commands as people use them on Discord: where one is, how a command line is typed, and sentences that name one. Pure.

The core's sentences name a command by its name alone, in quotation marks: “topics”. Here that is `/papers topics`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.channel import CommandName, quoted_command
from channels.discord.slash_commands import BOOLEAN, CHANNEL, COMMANDS, GROUP, SET, SHOW, OptionSpec

_SPECS = {spec.command: spec for spec in COMMANDS}
_NAMES = frozenset({*CommandName, *_SPECS})
_QUOTED_COMMAND = quoted_command(sorted(_NAMES))
_INVITE_CODE = "code"
"""The option of `subscribe` that typed words are for."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a sentence: a text, or a command by its path (`papers set zone`)."""

    text: str
    path: str = ""


def path_of(command: str) -> str:
    """The path of a command for mentions, such as `papers set zone`; empty for one that Discord's users do not have."""
    return " ".join(_names_of(command)) if command in _NAMES else ""


def shown(command: str, words: Mapping[str, str]) -> str:
    """A command as the app shows it in one language: `/papers set zone`."""
    return "/" + " ".join(words.get(f"name_{name}", name) for name in _names_of(command))


def typed(line: str, words: Mapping[str, str]) -> str:
    """A command line as it is typed on Discord: `time 7:45` as `/papers time hour:7:45`."""
    command, _, value = line.partition(" ")
    if command not in _NAMES:
        return line
    if not value:
        return shown(command, words)
    option = _option(command)
    if option.kind == BOOLEAN:
        value = "True"
    return f"{shown(command, words)} {words.get(f'name_{option.name}', option.name)}:{value}"


def parts(sentence: str, words: Mapping[str, str]) -> Sequence[Part]:
    """A sentence in parts, of which the commands that it names have a path."""
    split = _QUOTED_COMMAND.split(sentence)  # text, command, text, command, …, text
    found = [Part(shown(each, words), path_of(each)) if place % 2 else Part(each) for place, each in enumerate(split)]
    return [each for each in found if each.text]


def plain(text: str, words: Mapping[str, str]) -> str:
    """A text in which the commands that it names stand as the app shows them."""
    return "".join(part.text for part in parts(text, words))


def _names_of(command: str) -> Sequence[str]:
    spec = _SPECS.get(command)
    if spec is None or spec.in_set:
        return (GROUP, SET, command)
    return (GROUP, SHOW, command) if spec.in_show else (GROUP, command)


def _option(command: str) -> OptionSpec:
    """The option that what is typed behind a command goes into."""
    options = _SPECS[command].options if command in _SPECS else ()
    if command == CommandName.SUBSCRIBE:
        options = [each for each in options if each.name == _INVITE_CODE]
    return next((each for each in options if each.kind != CHANNEL), OptionSpec(command))
