"""Lays replies out as Discord messages: sentences, rows, papers, and the components below."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.channel import CommandName, File, Kit, Option, Page, Reply
from bot.channel import Row as ReplyRow
from channels.discord import command_names
from channels.discord.components import CHOICES, Button, Choice, CustomId, Menu, ReplyMode, RoleMenu, Row, button_rows
from channels.discord.container import Container
from channels.discord.markdown import escape
from channels.discord.message import DESCRIPTION, DiscordMessage, Json, colour_of
from channels.discord.post_options import PING
from channels.discord.wording import Words

CONTENT = 2_000  # characters
MOST_BUTTONS = 3
"""Values offered as buttons; more are offered as a menu."""
FORMS = frozenset({CommandName.TOPICS, CommandName.TIME, CommandName.ZONE, CommandName.COUNT, CommandName.VOTES})
"""The preferences that can also be typed into a form."""


@dataclass(frozen=True, slots=True)
class Response:
    """A message as it is shown to the user."""

    content: str | None = None
    embeds: Sequence[Json] = ()
    rows: Sequence[Row] = ()
    file: File | None = None
    container: Container | None = None
    """The papers as a container, None where only embeds hold them."""
    above: str = ""
    """What stands above the container."""

    def contained(self) -> Container | None:
        """Sentences and rows as a container, for a message that has to stay one; None where none holds them."""
        if (
            self.file is not None
            or self.content
            or any(embed.keys() - {"description", "color"} for embed in self.embeds)
        ):
            return None
        text = "\n\n".join(embed["description"] for embed in self.embeds)
        container = Container(text, colour=self.embeds[0].get("color") if self.embeds else None)
        return container if text and container.fits(self.rows) else None


@dataclass(frozen=True, slots=True)
class Layout:
    """Options of laying out a reply: how replies to its components are shown, and for which subscription."""

    mode: ReplyMode
    recipient: str | None = None
    channel: int | None = None
    """Id of the channel it is about, if not the one it is shown in."""
    menu: str | None = None
    """The preference whose menu it is."""
    for_me: CustomId | None = None
    """The same command for the user's direct messages, offered to somebody who may not change the channel."""
    command_id: int | None = None
    """Id of the command group, by which command names are tappable."""
    quotes_user: bool = False
    """Whether its sentences may quote what the user wrote, in which no command is looked for."""

    def custom_id(self, line: str) -> CustomId:
        """The `custom_id` of a component that runs this line."""
        return CustomId(self.mode, self.recipient, line)


class Responses:
    """Lays replies out. Pure."""

    def __init__(self, kit: Kit, words: Words) -> None:
        self._template = kit.template("discord/answer.md", escape)
        self._words = words
        self._colour = colour_of(kit)

    def lay_out(self, reply: Reply, layout: Layout) -> Response:
        """A reply as a message."""
        message = reply.message
        if isinstance(message, DiscordMessage) and reply.page is not None:
            said = self._text(reply, (), layout, CONTENT - len(message.content) - 1)
            content = "\n".join(filter(None, [said, message.content]))
            rows = [*message.rows(layout.mode, layout.recipient), *self._option_rows(reply, layout)]
            container = message.container
            if container is not None and (reply.file is not None or not container.fits(rows, said)):
                container = None
            return Response(content or None, message.embeds, rows, reply.file, container, said)
        text = self._text(reply, reply.rows, layout, DESCRIPTION)
        embeds: list[Json] = [{"description": text, "color": self._colour}] if text else []
        if reply.file is not None and reply.file.media_type.startswith("image/") and embeds:
            embeds[0]["image"] = {"url": f"attachment://{reply.file.name}"}
        return Response(None, embeds, [*self._menu_rows(reply, layout), *self._option_rows(reply, layout)], reply.file)

    def sentence(self, language: str, name: str, layout: Layout, **values: str) -> Response:
        """One of the channel's own sentences. The values may be markup, so they must be our own."""
        words = self._words(language)
        text = escape(words[name])
        for key, value in values.items():
            text = text.replace(f"{{{key}}}", value)
        rows = [] if layout.for_me is None else button_rows([Button(layout.for_me, words["for_me"])])
        return Response(None, [{"description": text, "color": self._colour}], rows)

    def _text(self, reply: Reply, rows: Sequence[ReplyRow], layout: Layout, most: int) -> str:
        """The sentences and rows in at most `most` characters; the last ones are left out to fit."""
        page = Page(reply.language, reply.direction, heading="", lead="", blocks=(), labels={})
        words = self._words(reply.language)
        parts_of = (lambda line, _: [command_names.Part(line)]) if layout.quotes_user else command_names.parts
        sentences = [parts_of(line, words) for line in reply.says]
        lines = [_row(row, layout, words) for row in rows]
        while True:
            text = self._template(
                page, says=sentences, rows=lines, channel=layout.channel, id=layout.command_id
            ).strip()
            if len(text) <= most or not (lines or sentences):
                return text
            sentences, lines = (sentences, lines[:-1]) if lines else (sentences[:-1], lines)

    def _menu_rows(self, reply: Reply, layout: Layout) -> list[Row]:
        """The rows that run a command line, as menus."""
        words = self._words(reply.language)
        rows = [row for row in reply.rows if row.line]
        if not rows:
            return []
        papers = rows[0].command == CommandName.PAPER
        placeholder = words["more_about" if papers else "choose" if _is_help(rows[0]) else "change"]
        choices = [_choice(row, words, papers=papers) for row in rows]
        parts = [choices[start : start + CHOICES] for start in range(0, len(choices), CHOICES)]
        return [
            Menu(layout.mode, layout.recipient, f"rows{number}", placeholder, part)
            for number, part in enumerate(parts[:2])
        ]

    def _option_rows(self, reply: Reply, layout: Layout) -> list[Row]:
        """The options: values of a preference as buttons or a menu, then all others as buttons."""
        words = self._words(reply.language)
        values = [option for option in reply.options if option.is_value]
        rest = [option for option in reply.options if not option.is_value]
        several = sum(option.chosen for option in values) > 1
        rows: list[Row] = []
        if layout.menu == PING.command:
            rows.append(RoleMenu(layout.custom_id(PING.command), words["choose_role"]))
        if len(values) > MOST_BUTTONS and not several and layout.menu != CommandName.WEEKDAYS:
            choices = [Choice(option.label, option.line, chosen=option.chosen) for option in values]
            rows.append(Menu(layout.mode, layout.recipient, "values", words["choose"], choices))
            values = []
        buttons = [_button(option, layout) for option in (*values, *rest)]
        if layout.menu is not None and layout.menu in FORMS:
            buttons.append(Button(CustomId(ReplyMode.FORM, layout.recipient, layout.menu), words["write"]))
        if layout.for_me is not None:
            buttons.append(Button(layout.for_me, words["for_me"]))
        return [*rows, *button_rows(buttons)]


def _button(option: Option, layout: Layout) -> Button:
    return Button(layout.custom_id(option.line), option.label, option.chosen)


def _choice(row: ReplyRow, words: Mapping[str, str], *, papers: bool) -> Choice:
    if papers:
        return Choice(row.value, row.line, row.label)
    return Choice(_label(row, words), row.line, row.value)


def _is_help(row: ReplyRow) -> bool:
    return row.command == CommandName.HELP


def _path(row: ReplyRow) -> str:
    """The path of the command that a row of help is about; empty where there is none, as for operators' commands."""
    return command_names.path_of(row.label) if _is_help(row) else ""


def _label(row: ReplyRow, words: Mapping[str, str]) -> str:
    return command_names.shown(row.label, words) if _path(row) else row.label


def _row(row: ReplyRow, layout: Layout, words: Mapping[str, str]) -> Mapping[str, Any]:
    """A row for the template; a command gets its path and id, which make it tappable."""
    path = _path(row)
    return {
        "label": _label(row, words),
        "value": row.value,
        "group": row.group,
        "path": path,
        "id": layout.command_id if path else None,
    }
