"""The button beneath a paper by which a reader reports a model's text as wrong: what it says, and what it counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.channel import Block, CommandName, Option, command_line
from bot.channel.command_lines import WRONG
from bot.commands.command import Typed, understood
from bot.commands.context import Context
from bot.model import ARXIV_ID, Source, Style
from bot.render import typed_values
from bot.render.styles import TEXT_FIELDS
from bot.render.words import Words
from bot.store import text_queries, text_reports


@dataclass(frozen=True, slots=True)
class PaperArguments:
    """One paper. `wrong` is the style of its text that the reader reports as wrong."""

    id: str
    wrong: Style | None = None


def parse_paper(typed: Typed) -> PaperArguments:
    """The arXiv id in a number or a link; from a button, with the style of a text that is wrong."""
    found = understood(ARXIV_ID.search(typed_values.fold(typed.words)))
    _, wrong, style = typed.words.rpartition(f" {WRONG} ")
    return PaperArguments(found[0], Style(style) if wrong and style in TEXT_FIELDS else None)


def report_options(w: Words, block: Block) -> Sequence[Option]:
    """The button beneath a paper; none where no model wrote its text."""
    if block.said.source is not Source.MODEL:
        return ()
    line = command_line(CommandName.PAPER, block.paper.id, WRONG, block.said.style)
    return (Option(w.gettext("report.button"), line),)


async def report(context: Context, asked: PaperArguments) -> str:
    """Count a report of the text that readers of the requester's language are shown. Returns what to say."""
    async with context.store.write() as connection:
        texts = await text_queries.of(connection, [asked.id], context.w.language)
        text = None if asked.wrong is None else texts.get(asked.id, {}).get(asked.wrong)
        if text is not None:
            await text_reports.add(connection, text, context.now)
    return context.w.gettext("report.thanks")
