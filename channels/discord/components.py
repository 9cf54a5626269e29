"""Buttons and menus as data, and what they hold: all that is needed to answer them after a restart.

A `custom_id` says where the answer goes and for whom, and then what is asked, in the core's own words:

    =|settings                             answered in the message itself, for the place that it stands in
    +|date +9 2026-04-29 mine              answered in a new message, which only the one who tapped sees
    =channel:123|language ko               for another place, or for the reader themselves (`user:42`)
    ?|topics                               opens a form; what is written into it follows the command
    =|                                     a menu: its chosen value is what is asked
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from hashlib import sha256
from typing import Any

import discord

from bot.channel import Memory

CUSTOM_ID = 100
LABEL, PLACEHOLDER, CHOICE = 80, 150, 100
CHOICES, BUTTONS, ROWS = 25, 5, 5
"""What Discord takes (components/reference)."""
PLACES = 500
"""As many lines that are too long for a button are kept."""


class AnswerPlace(Enum):
    """Where an answer goes."""

    NEW = "+"
    """Into a new message, which only the one who asked sees."""
    HERE = "="
    """Into the message that the button is on."""
    FORM = "?"
    """Nowhere yet: a form is opened first."""


@dataclass(frozen=True, slots=True)
class Target:
    """What a `custom_id` says: where the answer goes, for whose subscription (None: where it stands), what is asked."""

    goes: AnswerPlace
    whose: str | None
    line: str

    def __str__(self) -> str:
        return f"{self.goes.value}{self.whose or ''}|{self.line}"

    @property
    def room(self) -> int:
        """How many characters a line may have here."""
        return CUSTOM_ID - len(f"{self.goes.value}{self.whose or ''}|")

    @classmethod
    def parse(cls, custom_id: str) -> Target | None:
        """Read a `custom_id`; None for one that is none of ours."""
        head, bar, line = custom_id.partition("|")
        if not bar or head[:1] not in {each.value for each in AnswerPlace}:
            return None
        return cls(AnswerPlace(head[0]), head[1:] or None, line)


@dataclass(frozen=True, slots=True)
class Button:
    """Something to tap."""

    target: Target
    label: str
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """One line of a menu; its value is what is asked."""

    label: str
    line: str
    about: str = ""
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class Menu:
    """Something to choose from. `mark` tells menus of one message, and messages of one channel, apart."""

    goes: AnswerPlace
    whose: str | None
    mark: str
    placeholder: str
    choices: Sequence[Choice]

    @property
    def custom_id(self) -> str:
        """Where the answer goes, and the mark."""
        return str(Target(self.goes, self.whose, f"#{self.mark}"))


@dataclass(frozen=True, slots=True)
class Roles:
    """A menu of the server's roles; the chosen one follows the line."""

    target: Target
    placeholder: str


Row = Sequence[Button] | Menu | Roles


@dataclass(frozen=True, slots=True)
class StoredLines:
    """Lines that are too long for a button: they are put down in the channel's memory, and a button holds where.

    There are so many places and no more; a button whose place was taken by another line since is too old.
    """

    lines: dict[str, str] = field(default_factory=dict)
    """By the mark that a button holds."""

    def put(self, line: str, room: int) -> str:
        """The line, or if that has no room the mark that stands for it."""
        if len(line) <= room:
            return line
        mark = f"~{sha256(line.encode()).hexdigest()[:16]}"
        self.lines[mark] = line
        return mark

    async def save(self, memory: Memory) -> None:
        """Put everything down."""
        for mark, line in self.lines.items():
            await memory.put(_place(mark), f"{mark} {line}")

    @staticmethod
    async def find(mark: str, memory: Memory) -> str | None:
        """The line that a mark stands for, if it is still there."""
        kept, _, line = (await memory.get(_place(mark)) or "").partition(" ")
        return line if kept == mark else None


def _place(mark: str) -> str:
    return f"line:{int(mark[1:], 16) % PLACES}" if re.fullmatch("~[0-9a-f]{16}", mark) else "line:"


def build(rows: Sequence[Row], stored_lines: StoredLines) -> discord.ui.View | None:
    """The rows as discord.py wants them, on its event loop. It does not listen for taps: we read each by its id."""
    if not rows:
        return None
    view = discord.ui.View(timeout=None)
    for number, row in enumerate(rows[:ROWS]):
        for item in _items(row, stored_lines):
            item.row = number
            view.add_item(item)
    view.stop()
    return view


def _items(row: Row, stored_lines: StoredLines) -> Iterator[discord.ui.Item[discord.ui.View]]:
    match row:
        case Menu():
            options = [
                discord.SelectOption(
                    label=cut(each.label, CHOICE),
                    value=stored_lines.put(each.line, CHOICE),
                    description=cut(each.about, CHOICE) or None,
                    default=each.chosen,
                )
                for each in _distinct(row.choices)[:CHOICES]
            ]
            yield discord.ui.Select(
                custom_id=row.custom_id, placeholder=cut(row.placeholder, PLACEHOLDER), options=options
            )
        case Roles(target, placeholder):
            yield discord.ui.RoleSelect(custom_id=str(target), placeholder=cut(placeholder, PLACEHOLDER))
        case _:
            for button in row[:BUTTONS]:
                style = discord.ButtonStyle.primary if button.chosen else discord.ButtonStyle.secondary
                target = button.target
                held = Target(target.goes, target.whose, stored_lines.put(target.line, target.room))
                yield discord.ui.Button(style=style, label=cut(button.label, LABEL), custom_id=str(held))


def _distinct(choices: Sequence[Choice]) -> list[Choice]:
    """Choices whose values differ, as Discord demands."""
    return list({each.line: each for each in choices}.values())


def rows_of(buttons: Sequence[Button]) -> list[Sequence[Button]]:
    """Buttons in rows, each asking something of its own."""
    kept = list({str(each.target): each for each in buttons}.values())
    return [kept[start : start + BUTTONS] for start in range(0, len(kept), BUTTONS)]


def cut(text: str, most: int) -> str:
    """A text in at most so many characters."""
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


def marks(components: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """The marks of the menus in a message, as the API shows its components."""
    for each in components:
        yield from marks(each.get("components") or [])
        target = Target.parse(each.get("custom_id") or "")
        if target is not None and target.line.startswith("#"):
            yield target.line[1:]
