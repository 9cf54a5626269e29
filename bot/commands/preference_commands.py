"""Commands that show and change preferences: one per row of `bot.rules.preferences`, and `settings`."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, timedelta
from functools import partial
from typing import Any

from bot.channel import CommandName, Option, Reply, Row, Suggestion, command_line, edition_line, paper_line
from bot.channel.preference import N_, Kind, Preference
from bot.commands.autocomplete import containing, suggest_topics
from bot.commands.command import Audience, Command, MisreadError, Typed, no_arguments, split, understood
from bot.commands.context import Context
from bot.commands.english_topics import english_offers, with_english
from bot.commands.subscription import settings_option, status_in_words, subscribe_option
from bot.model import Status
from bot.render import preference_values, timezones
from bot.render.catalogue import languages
from bot.render.preference_values import in_words, styles, title
from bot.render.words import own_name, words
from bot.rules.preferences import PREFERENCES, value
from bot.rules.topics import matching
from bot.runtime.latex import plain_math
from bot.store import audience, edition_queries, paper_queries, pending_deliveries, shared_places, subscriber_queries

LOOK_BACK = timedelta(days=30)
"""Age of the papers that a preview of topics looks at."""
SHOWN = 5
"""Papers that a preview of topics names."""
WHOLE_CHOICES = 2
"""Options at the end of the weekdays menu that are whole choices; the others toggle a day."""
MENU = object()
"""The argument of a preference's command with nothing behind it: show what there is to choose."""

UNOFFERED = object()
"""The argument of `language` with a language behind it that there is no catalogue for."""


@dataclass(frozen=True, slots=True)
class ZoneQuery:
    """A typed time zone: a name, city, country, offset, or coordinates (`52.5,13.4`)."""

    query: str


def commands(extras: Sequence[Preference]) -> list[Command[Any]]:
    """The commands of a channel with these preferences of its own."""
    return [SETTINGS, *map(_command, [*PREFERENCES, *extras])]


def _command(preference: Preference) -> Command[object]:
    return Command(
        name=preference.command,
        purpose=preference.purpose,
        parse=partial(_parse, preference),
        run=partial(_run, preference),
        examples=preference.examples,
        suggest=suggest_topics if preference.kind is Kind.TOPICS else partial(_suggest, preference),
        argument=preference.option,
        audience=Audience.SUBSCRIBERS,
        changes=lambda chosen: chosen not in (MENU, UNOFFERED),
    )


def _parse(preference: Preference, typed: Typed) -> object:
    """The value that is chosen, `MENU` for none, `UNOFFERED` for another language, or a ZoneQuery."""
    if not typed.words:
        return MENU
    chosen = preference_values.parse(preference, typed.words, typed.w)
    if chosen is None and preference.kind is Kind.ZONE:
        return ZoneQuery(typed.words[: timezones.LONGEST_QUERY])
    if chosen is None and preference.kind is Kind.LANGUAGE:
        return UNOFFERED
    return understood(chosen)


async def _run(preference: Preference, context: Context, chosen: object) -> Reply:
    if chosen is MENU:
        return await menu(context, preference)
    if chosen is UNOFFERED:
        w = context.w
        says = w.gettext("settings.language_not_offered", languages=w.names([own_name(tag) for tag in languages()]))
        shown = await menu(context, preference)
        return replace(shown, says=[says, *shown.says], ok=False)
    if isinstance(chosen, ZoneQuery):
        found = timezones.find(chosen.query, context.w.language, context.now)
        if len(found) != 1:
            return find_zone(context, preference, chosen.query)
        chosen = found[0].name
    return await change(context, {preference.name: chosen})


async def overview(context: Context, _: str = "") -> Reply:
    """Show every preference, each with a button that leads to its menu, or turns a switch over.

    A member of a shared place who may change nothing sees no buttons.
    """
    w = context.w
    rows = [
        Row(title(each, w), _present(context, each), _line(context, each)) for each in [*PREFERENCES, *context.offered]
    ]
    if not context.requester.may_change:
        return context.reply(status_in_words(context), rows=[replace(row, line="") for row in rows])
    if not context.is_reading:
        return context.reply(status_in_words(context), rows=rows, options=[subscribe_option(w)])
    paused = context.reader is not None and context.reader.is_paused(context.now)
    act = (
        Option(w.gettext("resume.button"), CommandName.RESUME)
        if paused
        else Option(w.gettext("pause.button"), CommandName.PAUSE)
    )
    leave = Option(w.gettext("unsubscribe.button"), CommandName.UNSUBSCRIBE)
    status = status_in_words(context) if paused else w.gettext("status.active")
    return context.reply(status, rows=rows, options=[act, leave])


def _line(context: Context, preference: Preference) -> str:
    """The command line of a preference's button in the overview."""
    if preference.kind is not Kind.SWITCH or not context.is_reading:
        return preference.command
    return f"{preference.command} {preference.write(not _chosen(context, preference))}"


async def menu(context: Context, preference: Preference) -> Reply:
    """Show what can be chosen for one preference."""
    w = context.w
    now_is = w.gettext("settings.value", preference=title(preference, w), value=_present(context, preference))
    rows: Sequence[Row] = ()
    more = ""
    if preference.kind is Kind.STYLE:
        named = styles(w, context.services.styles)
        rows = [Row(*named[style]) for style in context.services.styles]
    if preference.kind is Kind.TOPICS and context.preferences.topics:
        more, rows = await preview_topics(context, context.preferences.topics)
    if not context.requester.may_change:
        return context.reply(now_is, more, rows=rows)
    example = next(map(context.typed, preference_values.examples(preference, w)), "")
    hint = preference_values.hint(preference, w, example)
    return context.reply(now_is, hint, more, rows=rows, options=[*_offers(context, preference), settings_option(w)])


async def change(context: Context, wanted: Mapping[str, object]) -> Reply:
    """Change preferences, given by name; what is owed moves to the new hours in the same transaction."""
    reader, w = context.reader, context.w
    assert reader is not None
    chosen: dict[Preference, Any] = {
        each: wanted[each.name] for each in [*PREFERENCES, *context.offered] if each.name in wanted
    }
    if not chosen or len(chosen) < len(wanted) or not all(_is_valid(context, *each) for each in chosen.items()):
        return context.reply(w.gettext("settings.invalid"), options=[settings_option(w)], ok=False)
    topics = next((each for each in chosen if each.kind is Kind.TOPICS), None)
    if topics is not None:  # before the transaction: a model may take seconds
        chosen[topics] = await with_english(context, chosen[topics])
    extras = {each.name: each.write(new) for each, new in chosen.items() if each in context.offered}
    fields: dict[str, Any] = {each.name: new for each, new in chosen.items() if each.name not in extras}
    async with context.store.write() as connection:
        await audience.lock_editions(connection)
        found = await subscriber_queries.get(connection, context.requester.address, lock=True)
        if found is None:  # erased a moment ago
            return context.reply(w.gettext("privacy.nothing_stored"), ok=False)
        preferences, extras = replace(found.preferences, **fields), {**found.extras, **extras}
        if extras != found.extras:
            await shared_places.set_extras(connection, found.id, extras)
        await subscriber_queries.change(connection, found, preferences, now=context.now)
        if preferences.cadence is not found.preferences.cadence and found.status is Status.ACTIVE:
            rhythm = subscriber_queries.rhythm(preferences)
            await pending_deliveries.revive(connection, found.id, preferences.cadence, rhythm, now=context.now)
    w = words(preferences.language) if "language" in fields and context.requester.person is None else w
    reader = replace(reader, preferences=preferences, extras=extras)
    return await _saved(replace(context, reader=reader, preferences=preferences, w=w), list(chosen))


async def _saved(context: Context, changed: Sequence[Preference]) -> Reply:
    """Say what was changed and what follows from it."""
    w, first = context.w, changed[0]
    said = w.gettext("settings.saved", preference=title(first, w), value=_present(context, first))
    if first.kind is Kind.SWITCH:  # turned over in the settings, which stay open
        return replace(await overview(context), says=[said])
    follows, rows = "", ()  # type: tuple[str, Sequence[Row]]
    in_english, offers = "", []  # type: tuple[str, list[Option]]
    topics = next((each for each in changed if each.kind is Kind.TOPICS), None)
    if topics is not None and context.preferences.topics:
        follows, rows = await preview_topics(context, context.preferences.topics)
        in_english, offers = await english_offers(context, topics)
    options = [settings_option(w)]
    if context.is_reading and any(each.shapes_message for each in changed):
        mine = edition_line(context.preferences.cadence, mine=True)
        options.insert(0, Option(w.gettext("settings.show_me"), mine))
    if first.kind in {Kind.TOPICS, Kind.WEEKDAYS}:  # rarely done with one tap
        options = [*_offers(context, first), *options]
    return context.reply(said, follows, in_english, rows=rows, options=[*offers, *options])


def find_zone(context: Context, preference: Preference, query: str) -> Reply:
    """Offer the time zones that a query may mean."""
    w = context.w
    found = timezones.find(query, w.language, context.now)
    if not found:
        says = w.gettext("settings.zone_not_found", query=query)
        return context.reply(says, options=[settings_option(w)], ok=False)
    options = [_option(context, preference, each.name) for each in found]
    says = w.gettext("settings.zone_which")
    return context.reply(says, options=[*options, settings_option(w)])


async def preview_topics(context: Context, topics: Sequence[str]) -> tuple[str, Sequence[Row]]:
    """A preview of topics: a sentence on how many papers of the last 30 days match, and the newest of them."""
    today = context.now.astimezone(UTC).date()
    async with context.store.read() as connection:
        ids = await edition_queries.papers_between(connection, today - LOOK_BACK, today)
        listed = await paper_queries.by_ids(connection, ids)
    if not listed:
        return "", ()
    let_through = await asyncio.to_thread(matching, listed, topics)
    w = context.w
    said = w.ngettext("settings.would_have_received", len(let_through), total=w.number(len(listed)))
    newest = sorted(let_through, key=lambda paper: (paper.listed_on, paper.votes or 0), reverse=True)[:SHOWN]
    return said, [Row(w.day(paper.listed_on), plain_math(paper.title), paper_line(paper.id)) for paper in newest]


def _chosen(context: Context, preference: Preference) -> object:
    """The reader's present value."""
    if preference not in context.offered:
        return value(context.preferences, preference)
    stored = context.extras.get(preference.name, preference.unset)
    return preference_values.parse(preference, stored, context.w)


def _present(context: Context, preference: Preference) -> str:
    """The reader's present value, in words."""
    return in_words(preference, _chosen(context, preference), context.w, context.now)


def _is_valid(context: Context, preference: Preference, wanted: object) -> bool:
    """Whether a value may be stored; buttons and forms come from outside like everything that is typed."""
    available = preference.kind is not Kind.STYLE or wanted in context.services.styles
    return available and preference_values.is_valid(preference, wanted)


def _offers(context: Context, preference: Preference) -> list[Option]:
    """The options of a preference's menu."""
    offers = preference_values.offers(
        preference,
        _chosen(context, preference),
        context.w,
        now=context.now,
        available=context.services.styles,
        locale=context.requester.locale,
    )
    return [Option(each.label, preference.line(each.value), each.chosen, is_value=True) for each in offers]


def _option(context: Context, preference: Preference, wanted: object) -> Option:
    label = in_words(preference, wanted, context.w, context.now)
    return Option(label, preference.line(wanted), wanted == _chosen(context, preference), is_value=True)


async def _suggest(preference: Preference, context: Context, typed: str) -> list[Suggestion]:
    """The values of a menu, and what was typed where it is a value itself."""
    if preference.kind is Kind.ZONE and typed:
        meant = timezones.find(typed, context.w.language, context.now)
        return [Suggestion(in_words(preference, each.name, context.w, context.now), each.name) for each in meant]
    options = _offers(context, preference)
    if preference.kind is Kind.WEEKDAYS:
        options = options[-WHOLE_CHOICES:]
    found = containing([Suggestion(each.label, each.line.partition(" ")[2]) for each in options], typed)
    if typed and typed not in {each.value for each in found} and _is_understood(preference, context, typed):
        found.insert(0, Suggestion(typed, typed))
    return found


def _is_understood(preference: Preference, context: Context, text: str) -> bool:
    line = command_line(preference.command, text)
    try:
        chosen = _parse(preference, split(line, context.w, context.now, context.preferences.timezone)[1])
    except MisreadError:
        return False
    return chosen not in (MENU, UNOFFERED)


SETTINGS = Command(
    name=CommandName.SETTINGS,
    purpose=N_("help.settings"),
    parse=no_arguments,
    run=overview,
    audience=Audience.SUBSCRIBERS,
)
