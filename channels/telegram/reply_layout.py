"""Lays out a reply without papers: sentences, a list, buttons."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from bot.channel import CommandName, Option, Page, Reply, Row, Template, quoted_command
from bot.runtime.text import display_width
from channels.telegram.callbacks import Callback
from channels.telegram.chats import ChatAddress
from channels.telegram.keyboards import Button, Rows, in_rows
from channels.telegram.markup import text_length
from channels.telegram.message import LONGEST_TEXT

CHOSEN = "✓ "
TYPED = (
    CommandName.ZONE,
    CommandName.TOPICS,
    CommandName.TIME,
    CommandName.COUNT,
    CommandName.VOTES,
    CommandName.WEEKDAYS,
)
"""The preferences whose menus also take a typed reply."""
VALUE_WIDTH = 16
"""Letters of a value that a button in the settings shows, where a wide one counts twice."""
_PARTS = re.compile(r"(.*[^\s,，،、])\s*[,，،、]")
"""What stands before the last comma of a value: its parts that are whole."""
_QUOTED_COMMAND = quoted_command(CommandName)


def text_of(reply: Reply, template: Template, *, quotes_reader: bool = False) -> str:
    """The reply's sentences and list in Telegram's HTML; a list that is too long is cut at its end.

    Commands named in the sentences become tappable, unless the sentences may quote the reader's own words.
    """
    rows = list(reply.rows)
    sentences = reply.says if quotes_reader else [*map(tappable, reply.says)]
    while True:
        text = template(
            blank_page(reply), says=sentences, rows=[(_label(row), row.value, row.group) for row in rows]
        ).strip()
        if text_length(text) <= LONGEST_TEXT or not rows:
            return text
        rows.pop()


def tappable(sentence: str) -> str:
    """A sentence in which the commands that it quotes have a slash, and can be tapped."""
    return _QUOTED_COMMAND.sub(_with_slash, sentence)


def _with_slash(quoted: re.Match[str]) -> str:
    """A quoted command as apps know one: no letter touches it."""
    before, after = quoted.string[: quoted.start()][-1:], quoted.string[quoted.end() :][:1]
    return f"{' ' if before.isalnum() else ''}/{quoted[1]}{' ' if after.isalnum() else ''}"


def split(text: str, most: int = LONGEST_TEXT) -> list[str]:
    """Split a text into messages of at most `most` UTF-16 code units, between lines, each of which is whole markup."""
    parts = [""]
    for line in text.splitlines(keepends=True):
        if text_length(parts[-1] + line) > most and parts[-1]:
            parts.append("")
        parts[-1] += line
    return [part.strip() for part in parts if part.strip()]


def rows_of(reply: Reply, about: ChatAddress | None = None, menu: str = "", colon: str = ": ") -> Rows:
    """The reply's buttons: the menus in its list, then its options.

    Args:
        reply: the reply to lay out.
        about: the chat the buttons are about, if not the one they are shown in.
        menu: the preference being chosen. The button back to the settings carries its name, so that a reply to the
            message is understood (`menu_of`).
        colon: what stands between a setting and its value in the reply's language.
    """
    menus = [
        Button(_with_value(row, colon), Callback(row.line, about=about))
        for row in reply.rows
        if row.command not in {"", CommandName.HELP, CommandName.PAPER}
    ]
    options = [
        Button(f"{CHOSEN if option.chosen else ''}{option.label}", Callback(_line(option, menu), about=about))
        for option in reply.options
    ]
    pairs = [menus[start : start + 2] for start in range(0, len(menus), 2)]
    return [*pairs, *in_rows(options)]


def menu_of(buttons: Sequence[str]) -> Callback | None:
    """The preference that a reply changes, and for which chat, by the callback data below the message replied to."""
    for data in buttons:
        callback = Callback.parse(data)
        command, _, menu = callback.line.partition(" ")
        if command == CommandName.SETTINGS and menu in TYPED:
            return Callback(menu, about=callback.about)
    return None


def blank_page(reply: Reply) -> Page:
    """An empty page in the reply's language: templates are filled with a page."""
    return Page(reply.language, reply.direction, heading="", lead="", blocks=[], labels={})


def without_papers(reply: Reply) -> Reply:
    """The sentences of a reply whose papers go into a message of their own."""
    return replace(reply, page=None, message=None, rows=(), options=())


def _line(option: Option, menu: str) -> str:
    return f"{option.line} {menu}" if menu in TYPED and option.line == CommandName.SETTINGS else option.line


def _with_value(row: Row, colon: str) -> str:
    """The button's label: what it changes, and the present value, as much of it as stands on half a phone's width."""
    value = row.value
    while display_width(value) > VALUE_WIDTH:
        value = f"{value.removesuffix('…')[:-1].rstrip()}…"
    if value != row.value and (whole := _PARTS.match(value)):
        value = f"{whole[1]}…"
    return f"{row.label}{colon}{value}" if value else row.label


def _label(row: Row) -> str:
    """A row's label; a command gets a slash, which makes it tappable."""
    return f"/{row.label}" if row.command == CommandName.HELP else row.label
