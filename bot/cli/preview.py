"""`papers preview`: a message as it would be sent."""

from __future__ import annotations

from typing import Annotated

import typer

from bot.cli.console import say
from bot.cli.open_service import open_service
from bot.cli.open_store import require_edition
from bot.cli.options import Day, Language, Papers
from bot.cli.startup import WrongError, command
from bot.delivery.rendering import compose, texts_for
from bot.model import Preferences, Style
from bot.render.words import match


@command
async def preview(
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
    if style not in set(Style):
        raise WrongError(f"There is no style {style}; there are: {', '.join(Style)}.")
    async with open_service(only=channel) as service:
        edition = await require_edition(service.store, date)
        language = match(language, service.settings.default_language)
        wanted = Preferences(language=language, style=Style(style), papers=papers)
        texts = await texts_for(service.store, [ranked.paper.id for ranked in edition.papers], wanted)
        message = compose(edition, wanted, service.channels[0], texts=texts)
    parts = message.parts() if message else {}
    if part is not None and part not in parts:
        raise WrongError(f"The message has no part {part}; it has: {', '.join(parts)}.")
    for name, content in parts.items():
        if part is None and len(parts) > 1:
            say(f"--- {name} ---")
        if part in (None, name):
            say(content)
