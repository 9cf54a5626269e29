"""What a reader has chosen, what there is to choose, and choosing it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, timedelta

from bot.channel import (
    Answer,
    Change,
    Command,
    FindZone,
    Menu,
    Option,
    Pause,
    Resume,
    Row,
    ShowPaper,
    ShowSettings,
    Unsubscribe,
)
from bot.commands.context import Context
from bot.commands.descriptions import name, rhythm_in_words, styles, switched, value
from bot.commands.guide import subscribe_option
from bot.commands.menus import MENUS, zone_option
from bot.commands.menus import extra as extra_menu
from bot.commands.subscription_status import standing
from bot.model import ALL_WEEK, MOST_PAPERS, MOST_VOTES, OFF, Extra, Paper, Status
from bot.render import zones
from bot.render.typed_values import QUARTER
from bot.render.words import languages, words
from bot.rules.topics import TopicFilter, parse
from bot.store import (
    Store,
    audience,
    edition_queries,
    paper_queries,
    pending_deliveries,
    shared_places,
    subscriber_queries,
)

LOOK_BACK = timedelta(days=30)
SHOWN = 5
"""Papers that a preview of topics names."""


def overview(context: Context, *, saved: str = "") -> Answer:
    """Everything that was chosen, each a tap away from being changed."""
    wanted, w = context.preferences, context.w
    rows = [Row(name(command, w), value(command, wanted, w, context.now), Menu(command)) for command in _NAMES]
    for extra in context.offered:
        command, chosen = Command(extra.value), switched(context.extras.get(extra, OFF), w)
        rows.append(Row(name(command, w), chosen, Menu(command)))
    paused = context.reader is not None and context.reader.is_paused(context.now)
    act = Option(w.gettext("Resume"), Resume()) if paused else Option(w.gettext("Pause"), Pause())
    if not context.is_reading:
        return context.told(saved, standing(context), rows=rows, options=[subscribe_option(w)])
    stands = standing(context) if paused else w.gettext("Editions are sent.")
    leave = Option(w.gettext("Unsubscribe"), Unsubscribe())
    return context.told(saved, stands, rows=rows, options=[act, leave])


async def menu(context: Context, request: Menu, store: Store) -> Answer:
    """What can be chosen for one preference."""
    w, build = context.w, MENUS.get(request.of)
    extra = next((each for each in context.offered if each.value == request.of.value), None)
    if extra is not None:
        stands, (hint, options) = switched(context.extras.get(extra, OFF), w), extra_menu(context, extra)
    elif build is not None:
        stands, (hint, options) = value(request.of, context.preferences, w, context.now), build(context)
    else:
        return overview(context)
    now_is = w.gettext("{preference}: {value}", preference=name(request.of, w), value=stands)
    rows: Sequence[Row] = ()
    if request.of is Command.STYLE:
        rows = [Row(*styles(context.w)[style]) for style in context.styles]
    more = ""
    if request.of is Command.TOPICS and context.preferences.topics:
        more, rows = await preview(context, context.preferences.topics, store)
    back = Option(w.gettext("Settings"), ShowSettings())
    return context.told(now_is, hint, more, rows=rows, options=[*options, back])


async def change(context: Context, request: Change, store: Store) -> Answer:
    """Choose anew; what is owed moves with it."""
    reader = context.reader
    assert reader is not None
    changes = {field: new for field in _FIELDS.values() if (new := getattr(request, field)) is not None}
    if not (changes or request.extra) or not _sound(request, context):
        return context.told(
            context.w.gettext("That cannot be chosen."),
            options=[Option(context.w.gettext("Settings"), ShowSettings())],
            ok=False,
        )
    async with store.write() as connection:
        await audience.lock_editions(connection)
        found = await subscriber_queries.get(connection, context.asker.address, lock=True)
        if found is None:  # forgotten a moment ago
            return context.told(context.w.gettext("Nothing is stored about you."), ok=False)
        wanted, extras = replace(found.preferences, **changes), found.extras
        if request.extra is not None:
            extras = {**extras, request.extra[0]: request.extra[1]}
            await shared_places.set_extras(connection, found.id, extras)
        await subscriber_queries.change(connection, found, wanted, now=context.now)
        if wanted.cadence is not found.preferences.cadence and found.status is Status.ACTIVE:
            await pending_deliveries.revive(
                connection, found.id, wanted.cadence, subscriber_queries.rhythm(wanted), now=context.now
            )
    w = words(wanted.language) if request.language is not None and context.asker.person is None else context.w
    context = replace(context, reader=replace(reader, preferences=wanted, extras=extras), preferences=wanted, w=w)
    if request.extra is not None:
        first, chosen = Command(request.extra[0]), switched(request.extra[1], w)
    else:
        first = next(command for command, field in _FIELDS.items() if field in changes)
        chosen = value(first, wanted, w, context.now)
    said = w.gettext("Saved. {preference}: {value}", preference=name(first, w), value=chosen)
    follows, rows = "", ()  # type: tuple[str, Sequence[Row]]
    if request.topics:
        follows, rows = await preview(context, request.topics, store)
    elif changes.keys() & {"hour", "weekdays", "timezone", "cadence"}:
        follows = rhythm_in_words(wanted, w, context.now)
    options = [Option(w.gettext("Settings"), ShowSettings())]
    if first in {Command.TOPICS, Command.WEEKDAYS}:  # rarely done with one tap
        options = [*MENUS[first](context)[1], *options]
    return context.told(said, follows, rows=rows, options=options)


def find_zone(context: Context, request: FindZone) -> Answer:
    """Zones that a reader may have meant, each a tap away."""
    w = context.w
    found = zones.find(request.query, w.language, context.now)
    back = Option(w.gettext("Settings"), ShowSettings())
    if not found:
        says = w.gettext(
            "No time zone was found for “{query}”. Try a large city near you, your country, or an offset such as +9.",
            query=request.query,
        )
        return context.told(says, options=[back], ok=False)
    options = [zone_option(context, each) for each in found]
    return context.told(w.gettext("Which of these shows the time where you are?"), options=[*options, back])


async def preview(context: Context, topics: Sequence[str], store: Store) -> tuple[str, Sequence[Row]]:
    """What topics would have given in the last 30 days: a sentence, and the newest of the papers."""
    today = context.now.astimezone(UTC).date()
    async with store.read() as connection:
        ids = await edition_queries.papers_between(connection, today - LOOK_BACK, today)
        listed = await paper_queries.by_ids(connection, ids)
    if not listed:
        return "", ()
    let_through = await asyncio.to_thread(_let_through, listed, topics)
    w = context.w
    said = w.ngettext(
        "Of the last 30 days you would have got {n} of {total} papers.",
        "Of the last 30 days you would have got {n} of {total} papers.",
        len(let_through),
        total=w.number(len(listed)),
    )
    newest = sorted(let_through, key=lambda paper: (paper.listed_on, paper.votes or 0), reverse=True)[:SHOWN]
    return said, [Row(w.day(paper.listed_on), paper.title, ShowPaper(paper.id)) for paper in newest]


def _sound(wanted: Change, context: Context) -> bool:
    """Whether what was asked for can be stored; buttons and options come from outside like everything else."""
    return (
        (wanted.language is None or wanted.language in languages())
        and (wanted.style is None or wanted.style in context.styles)
        and (wanted.papers is None or 0 <= wanted.papers <= MOST_PAPERS)
        and (wanted.min_votes is None or 0 <= wanted.min_votes <= MOST_VOTES)
        and (wanted.topics is None or _sound_topics(wanted.topics))
        and (wanted.hour is None or (0 <= wanted.hour < 24 * 60 and wanted.hour % QUARTER == 0))
        and (wanted.weekdays is None or 0 < wanted.weekdays <= ALL_WEEK)
        and (wanted.timezone is None or zones.is_zone(wanted.timezone))
        and (wanted.extra is None or _sound_extra(*wanted.extra, context.offered))
    )


def _sound_extra(extra: Extra, value: str, offered: Sequence[Extra]) -> bool:
    values = r"off|\d{5,19}" if extra is Extra.PING else "on|off"
    return extra in offered and re.fullmatch(values, value, re.ASCII) is not None


def _sound_topics(topics: Sequence[str]) -> bool:
    try:
        return parse(", ".join(topics)) == tuple(topics)
    except ValueError:
        return False


def _let_through(listed: Sequence[Paper], topics: Sequence[str]) -> list[Paper]:
    topic_filter = TopicFilter(topics)
    return [paper for paper in listed if topic_filter.lets_through(paper)]


_FIELDS = {
    Command.LANGUAGE: "language",
    Command.STYLE: "style",
    Command.COUNT: "papers",
    Command.VOTES: "min_votes",
    Command.TOPICS: "topics",
    Command.TIME: "hour",
    Command.WEEKDAYS: "weekdays",
    Command.ZONE: "timezone",
    Command.CADENCE: "cadence",
}
_NAMES = tuple(_FIELDS)
