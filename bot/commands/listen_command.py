"""The command that plays an edition read aloud, where the newsletter has a voice."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from bot.channel import CommandName, Playing, Reply
from bot.channel.preference import N_
from bot.commands.autocomplete import suggest_days
from bot.commands.command import Command, Typed, understood
from bot.commands.context import Context
from bot.model import Cadence
from bot.render import typed_values
from bot.render.slugs import edition_of
from bot.rules.periods import period_of
from bot.store import edition_queries


@dataclass(frozen=True, slots=True)
class ListenArguments:
    """An edition; the latest of the reader's cadence where nothing says which."""

    cadence: Cadence | None = None
    day: date | None = None


def parse_listen(typed: Typed) -> ListenArguments:
    """A day, a week (`2026-W18`) or a month (`2026-04`)."""
    if not typed.words:
        return ListenArguments()
    named = edition_of(typed.words)
    if named is not None:
        return ListenArguments(*named)
    return ListenArguments(Cadence.DAY, understood(typed_values.day(typed.words, typed.latest, typed.w.language)))


async def listen(context: Context, asked: ListenArguments) -> Reply:
    """Give the recording of an edition, or say that there is none."""
    wanted, find = context.preferences, context.services.find_recording
    cadence = asked.cadence or wanted.cadence
    async with context.store.read() as connection:
        day = asked.day or await edition_queries.latest_day(connection, cadence)
    found = None
    if find is not None and day is not None:
        found = await find(cadence, period_of(cadence, day).last, context.w.language, wanted.style)
    if found is None:
        return context.reply(context.w.gettext("audio.none"), ok=False)
    if isinstance(context.channel, Playing):
        return replace(context.reply(), recording=found)
    if found.link is None:
        return context.reply(context.w.gettext("audio.none"), ok=False)
    return context.reply(found.title, f"{found.label}: {found.url}")


LISTEN = Command(
    CommandName.LISTEN,
    N_("help.listen"),
    parse_listen,
    listen,
    examples=("2026-04-29",),
    suggest=suggest_days,
    argument="day",
)
