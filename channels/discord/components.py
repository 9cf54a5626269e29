"""Buttons and menus as data, with all that is needed to answer them after a restart.

A `custom_id` says how the reply is shown and for which subscription, then the command line:

    =|settings                             updates the message itself, for the channel it is in
    +|date +9 2026-04-29 mine              replies in a new message that only the user sees
    =channel:123|language ko               for another channel, or for the user (`user:42`)
    ?|topics                               opens a form; what is written into it follows the command
    =|                                     a menu: the chosen value is the command line

The format is stored in messages already sent: extend it, never change it.
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

CUSTOM_ID = 100  # characters
LABEL, PLACEHOLDER, CHOICE = 80, 150, 100
CHOICES, BUTTONS, ROWS = 25, 5, 5
"""Limits of components (components/reference)."""
SLOTS = 500
"""Command lines too long for a button that are kept."""


class ReplyMode(Enum):
    """How the reply to a component is shown."""

    NEW_MESSAGE = "+"
    """In a new message, which only the user sees."""
    UPDATE = "="
    """In the message that the component is on."""
    FORM = "?"
    """A form opens first."""


@dataclass(frozen=True, slots=True)
class CustomId:
    """A `custom_id`: the reply's mode, the recipient id of the subscription (None: where it is), a command line."""

    mode: ReplyMode
    recipient: str | None
    line: str

    def __str__(self) -> str:
        return f"{self.mode.value}{self.recipient or ''}|{self.line}"

    @property
    def room(self) -> int:
        """Characters that a line may have here."""
        return CUSTOM_ID - len(f"{self.mode.value}{self.recipient or ''}|")

    @classmethod
    def parse(cls, custom_id: str) -> CustomId | None:
        """Read a `custom_id`; None if it is not one of ours."""
        head, bar, line = custom_id.partition("|")
        if not bar or head[:1] not in {each.value for each in ReplyMode}:
            return None
        return cls(ReplyMode(head[0]), head[1:] or None, line)


@dataclass(frozen=True, slots=True)
class Button:
    """A button, highlighted if it is the value chosen now."""

    custom_id: CustomId
    label: str
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """One option of a menu: its label, its command line, a description."""

    label: str
    line: str
    about: str = ""
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class Menu:
    """A select menu. `mark` distinguishes the menus of one message, and the messages of one channel."""

    mode: ReplyMode
    recipient: str | None
    mark: str
    placeholder: str
    choices: Sequence[Choice]

    @property
    def custom_id(self) -> CustomId:
        """How the reply is shown, and the mark."""
        return CustomId(self.mode, self.recipient, f"#{self.mark}")


@dataclass(frozen=True, slots=True)
class RoleMenu:
    """A menu of the server's roles; the id of the chosen one is appended to the command line."""

    custom_id: CustomId
    placeholder: str


Row = Sequence[Button] | Menu | RoleMenu


@dataclass(frozen=True, slots=True)
class StoredLines:
    """Command lines too long for a component: the channel's memory keeps them, and the component holds a key.

    There is a fixed number of slots; a component whose slot was overwritten since is too old.
    """

    lines: dict[str, str] = field(default_factory=dict)
    """By key."""

    def shorten(self, line: str, room: int) -> str:
        """The line, or a key for it if it is longer than `room`."""
        if len(line) <= room:
            return line
        key = f"~{sha256(line.encode()).hexdigest()[:16]}"
        self.lines[key] = line
        return key

    async def save(self, memory: Memory) -> None:
        """Store the lines that have keys."""
        for key, line in self.lines.items():
            await memory.put(_slot(key), f"{key} {line}")

    @staticmethod
    async def find(key: str, memory: Memory) -> str | None:
        """The line of a key, None if its slot was overwritten."""
        stored, _, line = (await memory.get(_slot(key)) or "").partition(" ")
        return line if stored == key else None


def _slot(key: str) -> str:
    return f"line:{int(key[1:], 16) % SLOTS}" if re.fullmatch("~[0-9a-f]{16}", key) else "line:"


def view_of(rows: Sequence[Row], stored_lines: StoredLines) -> discord.ui.View | None:
    """The rows as discord.py's view, made on its event loop. It is stopped: presses are handled by `custom_id`."""
    if not rows:
        return None
    view = discord.ui.View(timeout=None)
    for number, row in enumerate(rows[:ROWS]):
        for item in items_of(row, stored_lines):
            item.row = number
            view.add_item(item)
    view.stop()
    return view


def items_of(row: Row, stored_lines: StoredLines) -> Iterator[discord.ui.Item[Any]]:
    """The buttons of a row, or its menu."""
    match row:
        case Menu():
            distinct = list({each.line: each for each in row.choices}.values())  # values must differ
            options = [
                discord.SelectOption(
                    label=cut(each.label, CHOICE),
                    value=stored_lines.shorten(each.line, CHOICE),
                    description=cut(each.about, CHOICE) or None,
                    default=each.chosen,
                )
                for each in distinct[:CHOICES]
            ]
            placeholder = cut(row.placeholder, PLACEHOLDER)
            yield discord.ui.Select(custom_id=str(row.custom_id), placeholder=placeholder, options=options)
        case RoleMenu(custom_id, placeholder):
            yield discord.ui.RoleSelect(custom_id=str(custom_id), placeholder=cut(placeholder, PLACEHOLDER))
        case _:
            for button in row[:BUTTONS]:
                style = discord.ButtonStyle.primary if button.chosen else discord.ButtonStyle.secondary
                wanted = button.custom_id
                line = stored_lines.shorten(wanted.line, wanted.room)
                held = str(CustomId(wanted.mode, wanted.recipient, line))
                yield discord.ui.Button(style=style, label=cut(button.label, LABEL), custom_id=held)


def button_rows(buttons: Sequence[Button]) -> list[Sequence[Button]]:
    """Buttons in rows, without those whose `custom_id` is there already."""
    first: dict[str, Button] = {}
    for each in buttons:
        first.setdefault(str(each.custom_id), each)
    distinct = list(first.values())
    return [distinct[start : start + BUTTONS] for start in range(0, len(distinct), BUTTONS)]


def cut(text: str, most: int) -> str:
    """A text of at most `most` characters."""
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


def menu_marks(components: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """The marks of the menus in a message, from its components as the API shows them."""
    for each in components:
        yield from menu_marks(each.get("components") or [])
        custom_id = CustomId.parse(each.get("custom_id") or "")
        if custom_id is not None and custom_id.line.startswith("#"):
            yield custom_id.line[1:]
