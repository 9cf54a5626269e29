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
from bot.commands.context import Case
from bot.commands.descriptions import name, rhythm_in_words, styles, switched, value
from bot.commands.guide import subscribe_option
from bot.commands.menus import MENUS, zone_option
from bot.commands.menus import extra as extra_menu
from bot.commands.subscription_status import standing
from bot.model import ALL_WEEK, MOST_PAPERS, MOST_VOTES, OFF, Extra, Paper, Status
from bot.render import zones
from bot.render.typed_values import QUARTER
from bot.render.words import languages, words
from bot.rules.topics import Sieve, parse
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


def overview(case: Case, *, saved: str = "") -> Answer:
    """Everything that was chosen, each a tap away from being changed."""
    wanted, w = case.preferences, case.w
    rows = [Row(name(command, w), value(command, wanted, w, case.now), Menu(command)) for command in _NAMES]
    for extra in case.offered:
        command, chosen = Command(extra.value), switched(case.extras.get(extra, OFF), w)
        rows.append(Row(name(command, w), chosen, Menu(command)))
    paused = case.reader is not None and case.reader.is_paused(case.now)
    act = Option(w.gettext("Resume"), Resume()) if paused else Option(w.gettext("Pause"), Pause())
    if not case.is_reading:
        return case.told(saved, standing(case), rows=rows, options=[subscribe_option(w)])
    stands = standing(case) if paused else w.gettext("Editions are sent.")
    leave = Option(w.gettext("Unsubscribe"), Unsubscribe())
    return case.told(saved, stands, rows=rows, options=[act, leave])


async def menu(case: Case, request: Menu, store: Store) -> Answer:
    """What can be chosen for one preference."""
    w, build = case.w, MENUS.get(request.of)
    extra = next((each for each in case.offered if each.value == request.of.value), None)
    if extra is not None:
        stands, (hint, options) = switched(case.extras.get(extra, OFF), w), extra_menu(case, extra)
    elif build is not None:
        stands, (hint, options) = value(request.of, case.preferences, w, case.now), build(case)
    else:
        return overview(case)
    now_is = w.gettext("{preference}: {value}", preference=name(request.of, w), value=stands)
    rows: Sequence[Row] = ()
    if request.of is Command.STYLE:
        rows = [Row(*styles(case.w)[style]) for style in case.styles]
    more = ""
    if request.of is Command.TOPICS and case.preferences.topics:
        more, rows = await preview(case, case.preferences.topics, store)
    back = Option(w.gettext("Settings"), ShowSettings())
    return case.told(now_is, hint, more, rows=rows, options=[*options, back])


async def change(case: Case, request: Change, store: Store) -> Answer:
    """Choose anew; what is owed moves with it."""
    reader = case.reader
    assert reader is not None
    changes = {field: new for field in _FIELDS.values() if (new := getattr(request, field)) is not None}
    if not (changes or request.extra) or not _sound(request, case):
        return case.told(
            case.w.gettext("That cannot be chosen."),
            options=[Option(case.w.gettext("Settings"), ShowSettings())],
            ok=False,
        )
    async with store.write() as connection:
        await audience.hold_editions(connection)
        found = await subscriber_queries.get(connection, case.asker.address, lock=True)
        if found is None:  # forgotten a moment ago
            return case.told(case.w.gettext("Nothing is stored about you."), ok=False)
        wanted, extras = replace(found.preferences, **changes), found.extras
        if request.extra is not None:
            extras = {**extras, request.extra[0]: request.extra[1]}
            await shared_places.set_extras(connection, found.id, extras)
        await subscriber_queries.change(connection, found, wanted, now=case.now)
        if wanted.cadence is not found.preferences.cadence and found.status is Status.ACTIVE:
            await pending_deliveries.revive(
                connection, found.id, wanted.cadence, subscriber_queries.rhythm(wanted), now=case.now
            )
    w = words(wanted.language) if request.language is not None and case.asker.person is None else case.w
    case = replace(case, reader=replace(reader, preferences=wanted, extras=extras), preferences=wanted, w=w)
    if request.extra is not None:
        first, chosen = Command(request.extra[0]), switched(request.extra[1], w)
    else:
        first = next(command for command, field in _FIELDS.items() if field in changes)
        chosen = value(first, wanted, w, case.now)
    said = w.gettext("Saved. {preference}: {value}", preference=name(first, w), value=chosen)
    follows, rows = "", ()  # type: tuple[str, Sequence[Row]]
    if request.topics:
        follows, rows = await preview(case, request.topics, store)
    elif changes.keys() & {"hour", "weekdays", "timezone", "cadence"}:
        follows = rhythm_in_words(wanted, w, case.now)
    options = [Option(w.gettext("Settings"), ShowSettings())]
    if first in {Command.TOPICS, Command.WEEKDAYS}:  # rarely done with one tap
        options = [*MENUS[first](case)[1], *options]
    return case.told(said, follows, rows=rows, options=options)


def find_zone(case: Case, request: FindZone) -> Answer:
    """Zones that a reader may have meant, each a tap away."""
    w = case.w
    found = zones.find(request.query, w.language, case.now)
    back = Option(w.gettext("Settings"), ShowSettings())
    if not found:
        says = w.gettext(
            "No time zone was found for “{query}”. Try a large city near you, your country, or an offset such as +9.",
            query=request.query,
        )
        return case.told(says, options=[back], ok=False)
    options = [zone_option(case, each) for each in found]
    return case.told(w.gettext("Which of these shows the time where you are?"), options=[*options, back])


async def preview(case: Case, topics: Sequence[str], store: Store) -> tuple[str, Sequence[Row]]:
    """What topics would have given in the last 30 days: a sentence, and the newest of the papers."""
    today = case.now.astimezone(UTC).date()
    async with store.read() as connection:
        ids = await edition_queries.papers_between(connection, today - LOOK_BACK, today)
        listed = await paper_queries.by_ids(connection, ids)
    if not listed:
        return "", ()
    let_through = await asyncio.to_thread(_let_through, listed, topics)
    w = case.w
    said = w.ngettext(
        "Of the last 30 days you would have got {n} of {total} papers.",
        "Of the last 30 days you would have got {n} of {total} papers.",
        len(let_through),
        total=w.number(len(listed)),
    )
    newest = sorted(let_through, key=lambda paper: (paper.listed_on, paper.votes or 0), reverse=True)[:SHOWN]
    return said, [Row(w.day(paper.listed_on), paper.title, ShowPaper(paper.id)) for paper in newest]


def _sound(wanted: Change, case: Case) -> bool:
    """Whether what was asked for can be stored; buttons and options come from outside like everything else."""
    return (
        (wanted.language is None or wanted.language in languages())
        and (wanted.style is None or wanted.style in case.styles)
        and (wanted.papers is None or 0 <= wanted.papers <= MOST_PAPERS)
        and (wanted.min_votes is None or 0 <= wanted.min_votes <= MOST_VOTES)
        and (wanted.topics is None or _sound_topics(wanted.topics))
        and (wanted.hour is None or (0 <= wanted.hour < 24 * 60 and wanted.hour % QUARTER == 0))
        and (wanted.weekdays is None or 0 < wanted.weekdays <= ALL_WEEK)
        and (wanted.timezone is None or zones.is_zone(wanted.timezone))
        and (wanted.extra is None or _sound_extra(*wanted.extra, case.offered))
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
    sieve = Sieve(topics)
    return [paper for paper in listed if sieve.lets_through(paper)]


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
