"""`papers preview`: a message as it would be sent."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import typer

from bot.cli.console import complain, say
from bot.cli.open_service import open_service
from bot.cli.open_store import find_edition
from bot.cli.options import Day, Language, Papers, parse_day
from bot.cli.startup import DONE, FAILED, WRONG, execute
from bot.delivery.rendering import compose, texts_for
from bot.model import Preferences, Style
from bot.render.words import match


def preview(
    channel: Annotated[str, typer.Option(metavar="NAME", help="As this channel would send it.")],
    date: Day = None,
    language: Language = None,
    style: Annotated[str, typer.Option(metavar="NAME", help="Such as headline, brief or highlights.")] = "headline",
    papers: Papers = 10,
    part: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only this part of the message, such as html.")
    ] = None,
) -> None:
    """Show exactly what would be sent, and send nothing."""
    execute(_preview(channel, parse_day(date), language, style, papers, part))


async def _preview(
    channel: str, day: date | None, language: str | None, style: str, papers: int, part: str | None
) -> int:
    if style not in set(Style):
        complain(f"There is no style {style}; there are: {', '.join(Style)}.")
        return WRONG
    async with open_service(only=channel) as service:
        edition = await find_edition(service.store, day)
        if edition is None:
            complain(f"There is no edition{f' of {day}' if day else ' yet'}; `papers publish` publishes one.")
            return FAILED
        language = match(language, service.settings.default_language)
        wanted = Preferences(language=language, style=Style(style), papers=papers)
        texts = await texts_for(service.store, [ranked.paper.id for ranked in edition.papers], wanted)
        message = compose(edition, wanted, service.channels[0], texts=texts)
    parts = message.parts() if message else {}
    if part is not None and part not in parts:
        complain(f"The message has no part {part}; it has: {', '.join(parts)}.")
        return WRONG
    for name, content in parts.items():
        if part is None and len(parts) > 1:
            say(f"--- {name} ---")
        if part in (None, name):
            say(content)
    return DONE
