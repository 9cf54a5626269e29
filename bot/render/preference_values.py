"""Values of preferences: read from what people type, said in words, and offered in menus, each by its kind."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from bot.channel.preference import N_, Kind, Preference, weekdays
from bot.model import ALL_WEEK, OFF, ON, Cadence, Preferences, Style
from bot.render import timezones, typed_values
from bot.render.catalogue import DEFAULT, languages
from bot.render.typed_values import WORKING_DAYS
from bot.render.words import Words, locale_of, match, own_name, words
from bot.rules.topics import LONGEST_TOPIC, MOST_TOPICS, TopicsError
from bot.rules.topics import parse as parse_topics

_CADENCES = {Cadence.DAY: N_("cadence.day"), Cadence.WEEK: N_("cadence.week"), Cadence.MONTH: N_("cadence.month")}


@dataclass(frozen=True, slots=True)
class Offer:
    """A value that a menu offers, what it is called, and whether it is chosen now."""

    value: object
    label: str
    chosen: bool


def parse(preference: Preference, text: str, w: Words) -> object | None:
    """The value that a reader of this language means by `text`, None where it makes no sense.

    English words and what `Preference.write` writes are understood in every language.
    """
    text = text.strip()
    folded = text.casefold()
    match preference.kind:
        case Kind.LANGUAGE:
            return _language_names(w.language).get(typed_values.fold(text)) or match(text, default="") or None
        case Kind.STYLE:
            called = {style: name for style, (name, _) in styles(w).items()}
            return Style(folded) if folded in set(Style) else _named(called, text)
        case Kind.CADENCE:
            adverbs = {"daily": Cadence.DAY, "weekly": Cadence.WEEK, "monthly": Cadence.MONTH}
            return Cadence(folded) if folded in set(Cadence) else adverbs.get(folded) or _named(cadences(w), text)
        case Kind.COUNT if folded in {"all", "*", w.gettext("typed.all_papers").casefold()}:
            return 0
        case Kind.COUNT | Kind.NUMBER:
            least, most = preference.bounds
            number = typed_values.number(text, w.language)
            return number if number is not None and least <= number <= most else None
        case Kind.TOPICS:
            return _topics(text, w)
        case Kind.HOUR:
            return typed_values.hour(text, w.language)
        case Kind.WEEKDAYS:
            return typed_values.weekdays(text, w.language)
        case Kind.ZONE:
            return text if timezones.is_zone(text) else None
        case Kind.SWITCH:
            positions = {ON: True, "yes": True, "true": True, OFF: False, "no": False, "false": False}
            return (positions | {switch(each, w).casefold(): each for each in (True, False)}).get(folded)
        case Kind.TEXT:
            found = re.fullmatch(preference.pattern, text, re.ASCII)
            return OFF if folded in {OFF, switch(False, w).casefold()} else found[1] if found else None


def is_valid(preference: Preference, wanted: object) -> bool:
    """Whether a value may be stored: whether it is read back from how it is written."""
    return parse(preference, preference.write(wanted), words(DEFAULT)) == wanted


def in_words(preference: Preference, chosen: object, w: Words, now: datetime) -> str:
    """A chosen value in words; `now` adds the present time to a time zone."""
    match preference.kind, chosen:
        case Kind.LANGUAGE, str(tag):
            return own_name(tag)
        case Kind.STYLE, Style() as style:
            return styles(w)[style][0]
        case Kind.CADENCE, Cadence() as cadence:
            return cadences(w)[cadence]
        case Kind.COUNT, 0:
            return w.gettext("preference.all_papers")
        case ((Kind.COUNT | Kind.NUMBER), int(number)):
            return w.number(number)
        case Kind.TOPICS, tuple() as topics:
            return w.names(topics) if topics else w.gettext("preference.all_topics")
        case Kind.HOUR, int(minutes):
            return w.clock(minutes)
        case Kind.WEEKDAYS, int(days):
            return days_in_words(days, w)
        case Kind.ZONE, str(zone):
            return w.gettext("settings.zone_now", zone=timezones.zone(zone, w.language), time=w.time(now, zone))
        case Kind.SWITCH, bool(is_on):
            return switch(is_on, w)
        case _:
            return switch(False, w) if chosen == OFF else str(chosen)


def offers(
    preference: Preference,
    chosen: object,
    w: Words,
    *,
    now: datetime,
    available: Sequence[Style] = tuple(Style),
    locale: str | None = None,
) -> list[Offer]:
    """The options of a preference's menu; `chosen` is the present value.

    `available` are the styles that can be had; `locale` is the language of the reader's app, which suggests time zones.
    """
    values: Sequence[object] = preference.choices
    match preference.kind, chosen:
        case Kind.LANGUAGE, _:
            values = languages()
        case Kind.STYLE, _:
            named = styles(w, available)
            return [Offer(each, named[each][0], each == chosen) for each in available]
        case Kind.CADENCE, _:
            values = tuple(Cadence)
        case Kind.SWITCH, _:
            values = (True, False)
        case Kind.TEXT, _:
            values = (OFF,)
        case Kind.WEEKDAYS, int(days):
            toggles = [Offer(days ^ 1 << day or 1 << day, w.weekday(day), bool(days >> day & 1)) for day in range(7)]
            whole = [Offer(each, days_in_words(each, w), days == each) for each in (WORKING_DAYS, ALL_WEEK)]
            return [*toggles, *whole]
        case Kind.TOPICS, tuple() as topics:
            fewer = [
                Offer(
                    tuple(each for each in topics if each != topic),
                    w.gettext("settings.topic_remove", topic=topic),
                    False,
                )
                for topic in topics
            ]
            return [*fewer, Offer((), w.gettext("settings.topics_remove_all"), False)] if len(topics) > 1 else fewer
        case Kind.ZONE, _:
            values = _near(locale, w)
    return [Offer(each, in_words(preference, each, w, now), each == chosen) for each in values]


def title(preference: Preference, w: Words) -> str:
    """The title of a preference."""
    return w.gettext(preference.title)


def hint(preference: Preference, w: Words, example: str) -> str:
    """The line above its menu; empty for none.

    `example` is a command line that changes it, as it is typed in the reader's channel.
    """
    return w.gettext(preference.hint, **placeholders(w), example=example) if preference.hint else ""


def examples(preference: Preference, w: Words) -> list[str]:
    """Command lines that change it, as a reader of this language would type them."""
    filled = placeholders(w)
    return [f"{preference.command} {each.format_map(filled)}" for each in preference.examples]


def switch(is_on: bool, w: Words) -> str:
    """A switch's position."""
    return w.gettext("switch.on") if is_on else w.gettext("switch.off")


def days_in_words(days: int, w: Words) -> str:
    """Weekdays, given as a bit each (Monday = bit 0): "every day", "Mon to Fri", "Mon, Wed"."""
    if days == ALL_WEEK:
        return w.gettext("schedule.every_day")
    if days == WORKING_DAYS:
        return w.gettext("schedule.day_range", first=w.weekday(0), last=w.weekday(4))
    return w.days([w.weekday(day) for day in weekdays(days)])


def rhythm_in_words(wanted: Preferences, w: Words, now: datetime) -> str:
    """When editions come: on which days, at which hour, where, and what time it is there now."""
    there = now.astimezone(ZoneInfo(wanted.timezone))
    filled = {
        "hour": w.clock(wanted.hour),
        "zone": str(timezones.zone(wanted.timezone, w.language)),
        "now": w.clock(60 * there.hour + there.minute),
    }
    if wanted.weekdays == ALL_WEEK:
        return {
            Cadence.DAY: w.gettext("schedule.daily", **filled),
            Cadence.WEEK: w.gettext("schedule.weekly", **filled),
            Cadence.MONTH: w.gettext("schedule.monthly", **filled),
        }[wanted.cadence]
    filled["days"] = days_in_words(wanted.weekdays, w)
    return {
        Cadence.DAY: w.gettext("schedule.daily_on", **filled),
        Cadence.WEEK: w.gettext("schedule.weekly_on", **filled),
        Cadence.MONTH: w.gettext("schedule.monthly_on", **filled),
    }[wanted.cadence]


def schedule_in_words(wanted: Preferences, w: Words) -> str:
    """When editions come, in a few words: "Daily · Mon to Fri · 08:00 · Berlin"."""
    parts = [
        w.gettext(_CADENCES[wanted.cadence]),
        w.clock(wanted.hour),
        str(timezones.zone(wanted.timezone, w.language)),
    ]
    if wanted.weekdays != ALL_WEEK:
        parts.insert(1, days_in_words(wanted.weekdays, w))
    return " · ".join(map(w.isolated, parts))


def styles(w: Words, available: Sequence[Style] = tuple(Style)) -> Mapping[Style, tuple[str, str]]:
    """The name of each style, and a description of it.

    Where no style of a language model is `available`, readers of other languages are told that highlights are English.
    """
    named = _styles(w)
    if w.language != "en" and Style.PLAIN not in available:
        name, about = named[Style.HIGHLIGHTS]
        named[Style.HIGHLIGHTS] = (w.gettext("style.in_english", style=name), about)
    return named


def _styles(w: Words) -> dict[Style, tuple[str, str]]:
    return {
        Style.HEADLINE: (w.gettext("style.headline"), w.gettext("style.headline_about")),
        Style.BRIEF: (w.gettext("style.brief"), w.gettext("style.brief_about")),
        Style.ABSTRACT: (w.gettext("paper.label_abstract"), w.gettext("style.abstract_about")),
        Style.HIGHLIGHTS: (w.gettext("style.highlights"), w.gettext("style.highlights_about")),
        Style.PLAIN: (w.gettext("style.plain"), w.gettext("style.plain_about")),
        Style.TRANSLATION: (w.gettext("style.translation"), w.gettext("style.translation_about")),
        Style.REVIEW: (w.gettext("style.review"), w.gettext("style.review_about")),
    }


def cadences(w: Words) -> Mapping[Cadence, str]:
    """How often editions may come."""
    return {cadence: w.gettext(key) for cadence, key in _CADENCES.items()}


def _named(names: Mapping[Any, str], text: str) -> object | None:
    """The value that is called so."""
    return {typed_values.fold(name): each for each, name in names.items()}.get(typed_values.fold(text))


@cache
def _language_names(language: str) -> Mapping[str, str]:
    """Languages by what people call them: in that language, in English, and in the reader's own."""
    found: dict[str, str] = {}
    for tag in languages():
        found.setdefault(typed_values.fold(own_name(tag)), tag)
        for said_in in (DEFAULT, language, tag):
            locale = locale_of(tag)
            for name in (locale.get_display_name(locale_of(said_in)), locale.get_language_name(locale_of(said_in))):
                if name:
                    found.setdefault(typed_values.fold(name), tag)
    return found


def _topics(text: str, w: Words) -> tuple[str, ...] | None:
    everything = {"none", "all", "any", "*", *map(w.gettext, ("typed.no_topics", "typed.all_papers"))}
    if text.casefold() in {each.casefold() for each in (*everything, w.gettext("preference.all_topics"))}:
        return ()
    try:
        return parse_topics(text) or None
    except TopicsError:
        return None


def _near(locale: str | None, w: Words) -> list[str]:
    """Time zones of the country that a locale names, the likeliest first where it is not among them."""
    near = [each.name for each in timezones.neighbours(locale, w.language)]
    guessed = timezones.guess(locale)
    return near if guessed is None or guessed in near else [guessed, *near]


def placeholders(w: Words) -> Mapping[str, str]:
    """Values for the placeholders of hints and examples."""
    return {
        "all": w.gettext("typed.all_papers"),
        "none": w.gettext("typed.no_topics"),
        "on": switch(True, w),
        "off": switch(False, w),
        "wanted": w.gettext("example.topic"),
        "unwanted": w.gettext("example.unwanted_topic"),
        "announcement": w.gettext("example.announcement"),
        "city": w.gettext("example.city"),
        "monday": w.weekday(0),
        "friday": w.weekday(4),
        "most": w.number(MOST_TOPICS),
        "longest": w.number(LONGEST_TOPIC),
    }
