"""Commands that show pictures of an edition: its keywords, a chart of papers a day, and itself as a poster."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date
from functools import partial

from bot.channel import CommandName, File, Reply
from bot.channel.preference import N_
from bot.commands.command import Command, Typed, understood
from bot.commands.context import Context
from bot.commands.papers import written_period
from bot.model import Cadence
from bot.render import typed_values
from bot.render.edition_page import heading, slug
from bot.rules.periods import period_of
from bot.store import edition_queries

STEMS = {CommandName.CLOUD: "keywords", CommandName.TREND: "trend", CommandName.POSTER: "poster"}
"""The pictures by the commands that show them; the names of their files begin so."""


@dataclass(frozen=True, slots=True)
class PictureArguments:
    """The edition of the period of a cadence that `day` is in, None for the latest."""

    cadence: Cadence = Cadence.DAY
    day: date | None = None


def parse_picture(typed: Typed) -> PictureArguments:
    """A day, a week (`2026-W18`) or a month (`2026-04`); nothing for the latest edition of a day."""
    if not typed.words:
        return PictureArguments()
    if (period := written_period(typed.words)) is not None:
        return PictureArguments(*period)
    return PictureArguments(Cadence.DAY, understood(typed_values.day(typed.words, typed.latest, typed.w.language)))


async def show_picture(stem: str, context: Context, asked: PictureArguments) -> Reply:
    """Show a picture of an edition; a sentence where there is no edition, or where it has no such picture."""
    w, cadence = context.w, asked.cadence
    async with context.store.read() as connection:
        if asked.day is None:
            day = await edition_queries.latest_day(connection, cadence)
        else:
            day = period_of(cadence, asked.day).last
    if day is None:
        return context.reply(w.gettext("papers.no_edition_at_all"), ok=False)
    title = heading(w, cadence, day)
    if asked.day is not None and asked.day > context.now.astimezone(UTC).date():
        return context.reply(w.gettext("papers.day_in_future", day=w.day(asked.day)), ok=False)
    find = partial(context.services.media, slug(cadence, day), w.language, f"{stem}.png")
    path, content = await asyncio.to_thread(find), b""
    with suppress(OSError):  # it may be replaced or deleted at this moment
        content = b"" if path is None else await asyncio.to_thread(path.read_bytes)
    if path is None or not content:
        return context.reply(w.gettext("picture.not_there", edition=title), ok=False)
    # Named for what it holds as well, so that channels that keep what they uploaded know it again.
    name = f"{slug(cadence, day)}-{w.language}-{path.name}"
    return context.reply(title, file=File(name, content, "image/png"))


COMMANDS = tuple(
    Command(
        name,
        purpose,
        parse_picture,
        partial(show_picture, STEMS[name]),
        examples=("2026-04-29", "2026-W18"),
        argument="day",
    )
    for name, purpose in (
        (CommandName.CLOUD, N_("help.cloud")),
        (CommandName.TREND, N_("help.trend")),
        (CommandName.POSTER, N_("help.poster")),
    )
)
