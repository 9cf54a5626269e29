"""Preferences in words: what each is called, and how it stands."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from bot.channel import Command
from bot.model import ALL_WEEK, OFF, ON, Cadence, Preferences, Style
from bot.render import zones
from bot.render.typed_values import WORKING_DAYS
from bot.render.words import Words, own_name


def name(command: Command, w: Words) -> str:
    """What a preference is called."""
    return {
        Command.LANGUAGE: w.gettext("Language"),
        Command.STYLE: w.gettext("Style"),
        Command.COUNT: w.gettext("Papers per edition"),
        Command.VOTES: w.gettext("Fewest votes"),
        Command.TOPICS: w.gettext("Topics"),
        Command.TIME: w.gettext("Hour"),
        Command.WEEKDAYS: w.gettext("Days of the week"),
        Command.ZONE: w.gettext("Time zone"),
        Command.CADENCE: w.gettext("How often"),
        Command.PICTURE: w.gettext("Picture"),
        Command.RICH: w.gettext("Rich layout"),
        Command.SILENT: w.gettext("Silent"),
        Command.THREAD: w.gettext("Thread per edition"),
        Command.PING: w.gettext("Mention"),
        Command.PUBLISH: w.gettext("Publish"),
    }[command]


def value(command: Command, wanted: Preferences, w: Words, now: datetime) -> str:
    """How one preference stands, in words."""
    match command:
        case Command.LANGUAGE:
            return own_name(wanted.language)
        case Command.STYLE:
            return styles(w)[wanted.style][0]
        case Command.COUNT:
            return count(wanted.papers, w)
        case Command.VOTES:
            return w.number(wanted.min_votes)
        case Command.TOPICS:
            return w.listing(wanted.topics) if wanted.topics else w.gettext("all topics")
        case Command.TIME:
            return w.clock(wanted.hour)
        case Command.WEEKDAYS:
            return weekdays(wanted.weekdays, w)
        case Command.ZONE:
            zone = zones.zone(wanted.timezone, w.language)
            return w.gettext("{zone}, now {time}", zone=zone, time=w.time(now, wanted.timezone))
        case _:
            return cadences(w)[wanted.cadence]


def switched(value: str, w: Words) -> str:
    """An extra's value: on, off, or the id of who is mentioned."""
    return {ON: w.pgettext("a switch", "on"), OFF: w.pgettext("a switch", "off")}.get(value, value)


def rhythm_in_words(wanted: Preferences, w: Words, now: datetime) -> str:
    """When editions come: on which days, at which hour, where, and what time it is there now."""
    filled = {
        "days": weekdays(wanted.weekdays, w),
        "hour": w.clock(wanted.hour),
        "zone": str(zones.zone(wanted.timezone, w.language)),
        "now": w.time(now, wanted.timezone),
    }
    match wanted.cadence:
        case Cadence.DAY:
            return w.gettext(
                "An edition comes for each day with papers ({days}), at {hour} by the clocks of {zone}, "
                "where it is {now} now.",
                **filled,
            )
        case Cadence.WEEK:
            return w.gettext(
                "An edition comes for each week, on the first of your days after it ({days}), "
                "at {hour} by the clocks of {zone}, where it is {now} now.",
                **filled,
            )
        case Cadence.MONTH:
            return w.gettext(
                "An edition comes for each month, on the first of your days after it ({days}), "
                "at {hour} by the clocks of {zone}, where it is {now} now.",
                **filled,
            )


def styles(w: Words) -> Mapping[Style, tuple[str, str]]:
    """What each style is called, and what it says about a paper."""
    return {
        Style.HEADLINE: (w.gettext("Headline"), w.gettext("The title and one sentence about each paper.")),
        Style.ABSTRACT: (w.gettext("Abstract"), w.gettext("The authors’ own abstract, unchanged.")),
        Style.HIGHLIGHTS: (w.gettext("Highlights"), w.gettext("One sentence, then problem, proposal and result.")),
        Style.PLAIN: (w.gettext("Plain words"), w.gettext("What goes in and comes out, the problem, the idea.")),
        Style.TRANSLATION: (w.gettext("Translation"), w.gettext("The title and the whole abstract, translated.")),
        Style.REVIEW: (w.gettext("Review"), w.gettext("Aims, method, results and limits, from the whole paper.")),
    }


def cadences(w: Words) -> Mapping[Cadence, str]:
    """How often editions may come."""
    return {
        Cadence.DAY: w.gettext("each day"),
        Cadence.WEEK: w.gettext("each week"),
        Cadence.MONTH: w.gettext("each month"),
    }


def count(papers: int, w: Words) -> str:
    """How many papers, or all of them."""
    return w.number(papers) if papers else w.pgettext("how many papers", "all")


def weekdays(chosen: int, w: Words) -> str:
    """The days of the week that were chosen."""
    if chosen == ALL_WEEK:
        return w.gettext("every day")
    if chosen == WORKING_DAYS:
        return w.gettext("{first} to {last}", first=w.weekday(0), last=w.weekday(4))
    return w.listing([w.weekday(day) for day in range(7) if chosen >> day & 1])
