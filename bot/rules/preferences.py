"""The table of preferences: a new one is a row here, a field of `bot.model.Preferences`, and what it does.

Commands, menus, the web form, CSV and JSON columns, `papers add` options, Discord's options and the database's columns
are made from it. How a value is read and said follows from its kind (`bot.render.preference_values`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from operator import attrgetter
from typing import Any

from bot.channel.preference import N_, Decides, Kind, Preference
from bot.model import ALL_PAPERS, MOST_PAPERS, MOST_VOTES, Preferences

PREFERENCES: list[Preference] = [
    Preference("language", "language", Kind.LANGUAGE, N_("preference.language"), N_("help.language"), examples=("ko",)),
    Preference("style", "style", Kind.STYLE, N_("preference.style"), N_("help.style"), examples=("abstract",)),
    Preference(
        "papers",
        "count",
        Kind.COUNT,
        N_("preference.papers"),
        N_("help.count"),
        options=("papers", "top"),
        choices=(3, 5, 10, 15, 20, 30, 50, ALL_PAPERS),
        bounds=(1, MOST_PAPERS),
        examples=("5", "{all}"),
    ),
    Preference(
        "min_votes",
        "votes",
        Kind.NUMBER,
        N_("preference.votes"),
        N_("help.votes"),
        options=("votes",),
        hint=N_("settings.votes_hint"),
        choices=(0, 1, 5, 10, 20, 50),
        decides=Decides.PAPERS,
        bounds=(0, MOST_VOTES),
        examples=("10",),
    ),
    Preference(
        "topics",
        "topics",
        Kind.TOPICS,
        N_("preference.topics"),
        N_("help.topics"),
        hint=N_("settings.topics_hint"),
        decides=Decides.PAPERS,
        examples=("{wanted}, -{unwanted}", "author:Hinton, org:DeepMind, keyword:RL", "{none}"),
    ),
    Preference(
        "hour",
        "time",
        Kind.HOUR,
        N_("preference.hour"),
        N_("help.time"),
        hint=N_("settings.time_hint"),
        choices=tuple(hour * 60 for hour in (6, 7, 8, 9, 10, 12, 15, 18, 20, 21)),
        decides=Decides.TIME,
        examples=("7:30",),
    ),
    Preference(
        "weekdays",
        "weekdays",
        Kind.WEEKDAYS,
        N_("preference.weekdays"),
        N_("help.weekdays"),
        hint=N_("settings.weekdays_hint"),
        decides=Decides.TIME,
        examples=("{monday}-{friday}",),
    ),
    Preference(
        "timezone",
        "zone",
        Kind.ZONE,
        N_("preference.zone"),
        N_("help.zone"),
        options=("zone", "timezone"),
        hint=N_("settings.zone_hint"),
        decides=Decides.TIME,
        examples=("{city}", "Asia/Seoul", "+9"),
    ),
    Preference(
        "cadence",
        "cadence",
        Kind.CADENCE,
        N_("preference.cadence"),
        N_("help.cadence"),
        decides=Decides.TIME,
        examples=("week",),
    ),
]
"""Every preference, in the order in which settings, files and help list them."""


def value(preferences: Preferences, preference: Preference) -> object:
    """The value of one preference."""
    chosen: object = getattr(preferences, preference.name)
    return chosen


def default(preference: Preference) -> object:
    """The default of one preference."""
    return value(Preferences(), preference)


def shaping(preferences: Preferences) -> tuple[object, ...]:
    """All that a message depends on: readers with the same share one rendering."""
    return _values_of(tuple([each.name for each in PREFERENCES if each.shapes_message]))(preferences)


@cache
def _values_of(names: tuple[str, ...]) -> Callable[[Preferences], tuple[object, ...]]:
    return attrgetter(*names)


def without_filters(preferences: Preferences) -> Preferences:
    """The same preferences with every filter at its default, which lets all papers through."""
    defaults: dict[str, Any] = {each.name: default(each) for each in PREFERENCES if each.decides is Decides.PAPERS}
    return replace(preferences, **defaults)


def filters(preferences: Preferences) -> bool:
    """Whether any filter is set."""
    return preferences != without_filters(preferences)
