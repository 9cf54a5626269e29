"""What may be meant while somebody is still typing: days, papers, topics, time zones, values."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import UTC, date, timedelta

from bot.channel import Change, Command, FindZone, Option, Suggestion, written
from bot.commands.context import Context
from bot.commands.guide import purposes
from bot.commands.menus import MENUS, zone_option
from bot.commands.parsing import read
from bot.model import ARXIV_ID, Cadence, Extra, Paper
from bot.render import zones
from bot.rules.topics import LONGEST_TOPIC
from bot.runtime.text import printable
from bot.store import Store, edition_queries, paper_queries
from bot.store.search import search

MOST = 25
RECENT = timedelta(days=60)
"""Days of editions that are suggested before anything is typed."""
KEYWORDS = timedelta(days=30)
WHOLE = 2
"""Of the menu of weekdays the last so many options are whole choices, the others add a day or take one away."""


async def suggest(context: Context, command: Command, typed: str, store: Store) -> Sequence[Suggestion]:
    """What may be meant by what is typed behind a command, the likeliest first."""
    typed = " ".join(printable(typed).split())
    look_up = _LOOKED_UP.get(command)
    found = _known(context, command, typed) if look_up is None else await look_up(context, typed, store)
    return found[:MOST]


def _known(context: Context, command: Command, typed: str) -> list[Suggestion]:
    """What can be said without looking anything up."""
    if command is Command.ZONE and typed:
        meant = zones.find(typed, context.w.language, context.now)
        return [Suggestion(zone_option(context, each).label, each.name) for each in meant]
    if command is Command.HELP:
        unknown = {Command(extra) for extra in Extra if extra not in context.offered}
        every = [(name, purpose) for name, purpose in purposes(context.w).items() if name not in unknown]
        return _like([Suggestion(f"{name}: {purpose}", name.value) for name, purpose in every], typed)
    return _values(context, command, typed)


async def _days(context: Context, typed: str, store: Store) -> list[Suggestion]:
    today = context.now.astimezone(UTC).date()
    async with store.read() as connection:
        days = await edition_queries.days(connection, Cadence.DAY, since=date.min if typed else today - RECENT)
    return _like([Suggestion(context.w.day(day), f"{day}") for day in sorted(days, reverse=True)], typed)


async def _papers(_: Context, typed: str, store: Store) -> list[Suggestion]:
    async with store.read() as connection:
        number = ARXIV_ID.search(typed)
        ids = [number[0]] if number else await search(connection, typed, MOST) if typed else []
        latest = None if typed else await edition_queries.latest(connection, Cadence.DAY)
        found = (
            await paper_queries.by_ids(connection, ids) if latest is None else [each.paper for each in latest.papers]
        )
    return [Suggestion(" ".join(printable(paper.title).split()) or paper.id, paper.id) for paper in found]


async def _topics(context: Context, typed: str, store: Store) -> list[Suggestion]:
    """The keywords of late that go on as the last topic begins; what stands before it stays."""
    before, comma, last = typed.rpartition(",")
    last = last.strip()
    minus = "-" if last.startswith("-") else ""
    begun = last.removeprefix("-").casefold()
    today = context.now.astimezone(UTC).date()
    async with store.read() as connection:
        ids = await edition_queries.papers_between(connection, today - KEYWORDS, today)
        recent = await paper_queries.by_ids(connection, ids)
    counted = await asyncio.to_thread(_keywords, recent)
    fitting = [word for word, _ in counted if any(each.startswith(begun) for each in (word, *word.split()))]
    kept = f"{before}{comma} " if comma else ""
    words = [last] if begun else []
    return [Suggestion(whole, whole) for word in [*words, *fitting] if (whole := f"{kept}{_begun(minus, word)}")]


def _begun(minus: str, word: str) -> str:
    return word if word.startswith("-") else f"{minus}{word}"


def _keywords(recent: Sequence[Paper]) -> list[tuple[str, int]]:
    words = (" ".join(printable(word).split()).casefold() for paper in recent for word in paper.keywords)
    return Counter(word for word in words if word and "," not in word and len(word) <= LONGEST_TOPIC).most_common()


def _values(context: Context, command: Command, typed: str) -> list[Suggestion]:
    """What a menu offers, and what is typed where it is a value as it stands."""
    build = MENUS.get(command)
    if build is None:
        return []
    _, options = build(context)
    offered = [_of(option) for option in (options[-WHOLE:] if command is Command.WEEKDAYS else options)]
    found = _like(offered, typed)
    meant = read(f"{command} {typed}", context.w, context.now, context.preferences.timezone) if typed else None
    if isinstance(meant, Change | FindZone) and typed not in {each.value for each in found}:
        found.insert(0, Suggestion(typed, typed))
    return found


def _of(option: Option) -> Suggestion:
    return Suggestion(option.label, written(option.request).partition(" ")[2])


def _like(offered: Iterable[Suggestion], typed: str) -> list[Suggestion]:
    wanted = typed.casefold()
    return [each for each in offered if wanted in each.label.casefold() or wanted in each.value.casefold()]


_LOOKED_UP: dict[Command, Callable[[Context, str, Store], Awaitable[list[Suggestion]]]] = {
    Command.DATE: _days,
    Command.WHY: _days,
    Command.PAPER: _papers,
    Command.TOPICS: _topics,
}
