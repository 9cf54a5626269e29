"""The class of commands: name, help, parsing of the arguments, and the function that runs.

A new command is one `Command` in the `COMMANDS` of its group's file (`bot.commands.registry` lists the groups).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import KW_ONLY, dataclass
from datetime import UTC, date, datetime
from enum import Enum, auto
from typing import Generic, TypeVar
from zoneinfo import ZoneInfo

from bot.channel import CommandInfo, Reply, Suggestion
from bot.commands.context import Context
from bot.render.preference_values import placeholders
from bot.render.words import Words
from bot.runtime.text import printable

LONGEST = 4096
"""Characters of a line that are looked at."""
FARTHEST = 10_000
"""Papers that may be skipped on the way to a later page."""

T = TypeVar("T")
Arguments = TypeVar("Arguments")


class MisreadError(ValueError):
    """The arguments of a command make no sense."""


@dataclass(frozen=True, slots=True)
class Typed:
    """The typed arguments of a command, and the context to parse them in."""

    words: str
    """On one line, with single spaces."""
    lines: str
    """With its line breaks."""
    w: Words
    """The reader's language; English words are understood beside it."""
    today: date
    """The day in UTC."""
    local_today: date
    """The day in the reader's time zone."""

    @property
    def latest(self) -> date:
        """The later of the two days, by which a day without a year is read."""
        return max(self.today, self.local_today)

    def after(self) -> tuple[int, str]:
        """The number of papers to skip, and the rest: `+10 rest` gives 10 and `rest`."""
        found = re.match(r"\+(\d{1,5})(?:\s+|$)", self.words)
        return (min(int(found[1]), FARTHEST), self.words[found.end() :]) if found else (0, self.words)


class Audience(Enum):
    """The people who may run a command."""

    EVERYBODY = auto()
    """Also people whom `ACCESS` does not admit."""
    ADMITTED = auto()
    """Whom `ACCESS` admits, subscribed or not."""
    SUBSCRIBERS = auto()
    """Addresses with a subscription, active or not."""
    OPERATORS = auto()
    """Addresses in `ADMINS`; to others the command does not exist."""


def never(_: object) -> bool:
    """Of commands that only show something."""
    return False


def always(_: object) -> bool:
    """Of commands that change something whatever follows them."""
    return True


def no_arguments(_: Typed) -> str:
    """Parse the arguments of a command that takes none: whatever follows its name is ignored."""
    return ""


@dataclass(frozen=True, slots=True)
class Command(Generic[Arguments]):
    """One command.

    `parse` turns what was typed into arguments, and raises MisreadError; `run` carries the command out with them.
    """

    name: str
    purpose: str
    """What it is for: a message id, marked with `N_`, of at most 100 characters in every language."""
    parse: Callable[[Typed], Arguments]
    run: Callable[[Context, Arguments], Awaitable[Reply]]
    _: KW_ONLY
    examples: Sequence[str] = ()
    """What may be typed behind the name; `{city}` and the like are filled (`preference_values.placeholders`)."""
    suggest: Callable[[Context, str], Awaitable[Sequence[Suggestion]]] | None = None
    """Completions of what is being typed behind the name."""
    argument: str = ""
    """The name of what follows it, for services whose commands have named options."""
    audience: Audience = Audience.ADMITTED
    group: str = ""
    """What help lists it under: a message id, given by `bot.commands.registry`."""
    changes: Callable[[Arguments], bool] = never
    """Whether it changes something with these arguments; in a shared place only its managers may do that."""

    def info(self, w: Words) -> CommandInfo:
        """The command as a channel's menus list it."""
        return CommandInfo(
            self.name,
            w.gettext(self.purpose),
            self.argument,
            for_operators=self.audience is Audience.OPERATORS,
            for_subscribers=self.audience is Audience.SUBSCRIBERS,
        )

    def lines(self, w: Words) -> list[str]:
        """The examples as lines that a reader of this language would type."""
        filled = placeholders(w)
        return [f"{self.name} {each.format_map(filled)}".rstrip() for each in self.examples]


def split(line: str, w: Words, now: datetime, timezone: str = "UTC") -> tuple[str, Typed]:
    """A line's command name, in lower case, and what follows it. A slash before the name is ignored."""
    cleaned = "\n".join(printable(each) for each in line[:LONGEST].splitlines())
    name, *rest = cleaned.lstrip("/ \n").split(maxsplit=1)[:2] or [""]
    lines = rest[0].strip() if rest else ""
    today, local_today = now.astimezone(UTC).date(), now.astimezone(ZoneInfo(timezone)).date()
    typed = Typed(" ".join(lines.split()), lines, w, today, local_today)
    return unicodedata.normalize("NFKC", name).casefold(), typed


def understood(value: T | None) -> T:
    """The value. Raises MisreadError where there is none."""
    if value is None:
        raise MisreadError
    return value


def number(text: str, least: int, most: int) -> int:
    """A whole number in any script's digits. Raises MisreadError for another text, or one out of bounds."""
    found = int(text) if re.fullmatch(r"\d{1,6}", text) else least - 1
    return understood(found if least <= found <= most else None)
