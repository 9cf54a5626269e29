"""An answer without papers as a message: sentences, a list, buttons."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from bot.channel import Command, Help, Menu, Option, Page, Reply, Row, ShowSettings, Template
from bot.channel import written as line_of
from channels.telegram.callbacks import Callback, read
from channels.telegram.chats import ChatAddress
from channels.telegram.keyboards import Button, Rows, in_rows
from channels.telegram.markup import units

LONGEST = 4096
CHOSEN = "✓ "
_NAMED = re.compile(rf"[“„「『«]({'|'.join(Command)})[”“」』»]")
"""A command that a sentence names in its language's quotation marks."""


def text_of(answer: Reply, fill: Template, *, quoting: bool = False) -> str:
    """An answer's sentences and list, in Telegram's HTML. What is too long loses the end of its list.

    Commands that a sentence names can be tapped, but where it may be `quoting` the reader.
    """
    rows = list(answer.rows)
    while True:
        said = answer.says if quoting else [_NAMED.sub(r"/\1", line) for line in answer.says]
        listed = [(_label(row), row.value) for row in rows]
        text = fill(blank(answer), says=said, rows=listed).strip()
        if units(text) <= LONGEST or not rows:
            return text
        rows.pop()


def in_messages(text: str, most: int = LONGEST) -> list[str]:
    """A text in as many messages as it needs, parted between its lines, each of which is whole markup."""
    parts = [""]
    for line in text.splitlines(keepends=True):
        if units(parts[-1] + line) > most and parts[-1]:
            parts.append("")
        parts[-1] += line
    return [part.strip() for part in parts if part.strip()]


def rows_of(answer: Reply, of: ChatAddress | None = None, menu: str = "") -> Rows:
    """An answer's buttons: what its list leads to, then its options.

    `of` is the place they are about, if another. `menu` is the preference that is being chosen: the way back to the
    settings bears its name, by which a reply to the message is understood.
    """
    listed = [
        Button(row.label, Callback(line_of(row.request), of=of)) for row in answer.rows if isinstance(row.request, Menu)
    ]
    offered = [
        Button(f"{CHOSEN if option.chosen else ''}{option.label}", Callback(_line(option, menu), of=of))
        for option in answer.options
    ]
    return [*in_rows(listed, most=3), *in_rows(offered)]


TYPED = (Command.ZONE, Command.TOPICS, Command.TIME, Command.COUNT, Command.VOTES, Command.WEEKDAYS)
"""The preferences whose menus people answer in their own words."""


def menu_of(buttons: Sequence[str]) -> Callback | None:
    """The preference whose menu these are the buttons of, and the place it is about: what a reply to it changes."""
    for data in buttons:
        callback = read(data)
        command, _, menu = callback.line.partition(" ")
        if command == Command.SETTINGS and menu in TYPED:
            return Callback(menu, of=callback.of)
    return None


def blank(answer: Reply) -> Page:
    """A page in the answer's language with nothing on it: templates are filled for a page."""
    return Page(answer.language, answer.direction, heading="", lead="", blocks=[], labels={})


def _line(option: Option, menu: str) -> str:
    line = line_of(option.request)
    return f"{line} {menu}" if menu in TYPED and isinstance(option.request, ShowSettings) else line


def _label(row: Row) -> str:
    """What a row of a list is about; a command is written so that it can be tapped."""
    return f"/{row.label}" if isinstance(row.request, Help) else row.label


def without_papers(answer: Reply) -> Reply:
    """The sentences of an answer whose papers are shown in a message of their own."""
    return replace(answer, page=None, message=None, rows=(), options=())
