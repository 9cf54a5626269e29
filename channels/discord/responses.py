"""Answers as messages of Discord's: sentences, rows, papers, and what can be tapped or chosen below."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.channel import Change, Command, File, Help, Kit, Option, Page, Reply, ShowPaper, written
from bot.channel import Row as Line
from channels.discord.components import CHOICES, AnswerPlace, Button, Choice, Menu, Roles, Row, Target, rows_of
from channels.discord.markdown import escape
from channels.discord.message import COLOUR, DESCRIPTION, Json, Post
from channels.discord.slash_commands import COMMANDS, GROUP, SET
from channels.discord.wording import Words

CONTENT = 2_000
FEW = 3
"""So many values can be chosen by buttons; more of them are a menu."""
FORMS = frozenset({Command.TOPICS, Command.TIME, Command.ZONE, Command.COUNT, Command.VOTES})
"""What can be written as well as chosen."""
_PATHS = {
    spec.command: f"{GROUP} {SET} {spec.command}" if spec.rare else f"{GROUP} {spec.command}" for spec in COMMANDS
}


@dataclass(frozen=True, slots=True)
class Shown:
    """A message as it is shown in answer to somebody."""

    content: str | None = None
    embeds: Sequence[Json] = ()
    rows: Sequence[Row] = ()
    file: File | None = None


@dataclass(frozen=True, slots=True)
class Frame:
    """What an answer is laid out for: where taps on it are answered, for whose subscription, what was asked."""

    goes: AnswerPlace
    whose: str | None = None
    channel: int | None = None
    """The channel that it is about, where that is another than the one it is shown in."""
    menu: Command | None = None
    """The preference whose menu it is."""
    instead: Target | None = None
    """What is offered to somebody who may not change the place."""
    command_id: int | None = None


class Responses:
    """Lays answers out. Pure."""

    def __init__(self, kit: Kit, words: Words) -> None:
        self._template = kit.template("discord/answer.md", escape)
        self._words = words

    def lay_out(self, answer: Reply, frame: Frame) -> Shown:
        """An answer as a message."""
        post = answer.message
        if isinstance(post, Post) and answer.page is not None:
            content = self._text(answer, answer.says, (), frame, CONTENT)
            rows = [*post.rows(frame.goes, frame.whose), *self._options(answer, frame)]
            return Shown(content or None, post.embeds, rows, answer.file)
        text = self._text(answer, answer.says, answer.rows, frame, DESCRIPTION)
        embeds = [{"description": text, "color": COLOUR}] if text else []
        return Shown(None, embeds, [*self._lines(answer, frame), *self._options(answer, frame)], answer.file)

    def say(self, language: str, name: str, frame: Frame, **values: str) -> Shown:
        """One sentence of the channel's own. What fills it may be markup, and must be ours."""
        said = escape(self._words(language)[name])
        for key, value in values.items():
            said = said.replace(f"{{{key}}}", value)
        rows = rows_of([Button(frame.instead, self._words(language)["for_me"])]) if frame.instead is not None else []
        return Shown(None, [{"description": said, "color": COLOUR}], rows)

    def _text(self, answer: Reply, says: Sequence[str], rows: Sequence[Line], frame: Frame, most: int) -> str:
        page = Page(answer.language, answer.direction, heading="", lead="", blocks=(), labels={})
        lines = [_row(row, frame) for row in rows]
        while True:
            text = self._template(page, says=says, rows=lines, channel=frame.channel).strip()
            if len(text) <= most or not (lines or says):
                return text
            says, lines = (says, lines[:-1]) if lines else (says[:-1], lines)

    def _lines(self, answer: Reply, frame: Frame) -> list[Row]:
        """Rows that lead somewhere, as menus."""
        words = self._words(answer.language)
        leading = [row for row in answer.rows if row.request is not None]
        if not leading:
            return []
        papers = isinstance(leading[0].request, ShowPaper)
        placeholder = words["more_about" if papers else "choose" if _is_help(leading[0]) else "change"]
        choices = [_choice(row, papers=papers) for row in leading]
        parts = [choices[start : start + CHOICES] for start in range(0, len(choices), CHOICES)]
        return [
            Menu(frame.goes, frame.whose, f"rows{number}", placeholder, part) for number, part in enumerate(parts[:2])
        ]

    def _options(self, answer: Reply, frame: Frame) -> list[Row]:
        words = self._words(answer.language)
        values = [option for option in answer.options if isinstance(option.request, Change)]
        several = sum(option.chosen for option in values) > 1
        rows: list[Row] = []
        if frame.menu is Command.PING:
            rows.append(Roles(Target(frame.goes, frame.whose, Command.PING.value), words["choose_role"]))
        if len(values) > FEW and not several and frame.menu is not Command.WEEKDAYS:
            choices = [Choice(option.label, written(option.request), chosen=option.chosen) for option in values]
            rows.append(Menu(frame.goes, frame.whose, "values", words["choose"], choices))
            values = []
        rest = [option for option in answer.options if not isinstance(option.request, Change)]
        buttons = [_button(option, frame) for option in (*values, *rest)]
        if frame.menu in FORMS:
            assert frame.menu is not None
            buttons.append(Button(Target(AnswerPlace.FORM, frame.whose, frame.menu.value), words["write"]))
        if frame.instead is not None:
            buttons.append(Button(frame.instead, words["for_me"]))
        return [*rows, *rows_of(buttons)]


def _button(option: Option, frame: Frame) -> Button:
    return Button(Target(frame.goes, frame.whose, written(option.request)), option.label, option.chosen)


def _choice(row: Line, *, papers: bool) -> Choice:
    assert row.request is not None
    label, about = (row.value, row.label) if papers else (row.label, row.value)
    return Choice(label, written(row.request), about)


def _is_help(row: Line) -> bool:
    return isinstance(row.request, Help)


def _row(row: Line, frame: Frame) -> Mapping[str, Any]:
    """A row as the template wants it; a command's name is shown as the command that can be tapped."""
    path = _PATHS.get(Command(row.label), "") if _is_help(row) else ""
    return {"label": row.label, "value": row.value, "path": path, "id": frame.command_id if path else None}
