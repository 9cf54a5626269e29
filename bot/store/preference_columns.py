"""Preferences as columns: those that shape a message in `choices`, those that say when it comes in `subscribers`."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache, lru_cache
from operator import attrgetter
from typing import Any

from sqlalchemy import Boolean, Column, Integer, Row, String

from bot.channel.preference import Kind
from bot.model import Cadence, Preferences, Style
from bot.rules.preferences import PREFERENCES, value

SHAPING = tuple(each for each in PREFERENCES if each.shapes_message)
TIMING = tuple(each for each in PREFERENCES if not each.shapes_message)
_TYPES = {Kind.COUNT: Integer, Kind.NUMBER: Integer, Kind.HOUR: Integer, Kind.WEEKDAYS: Integer, Kind.SWITCH: Boolean}
"""The types of columns; every other kind is a string."""


def columns(*, shaping: bool) -> list[Column[Any]]:
    """New columns for one of the two tables, in the order of `PREFERENCES`."""
    chosen = SHAPING if shaping else TIMING
    return [Column(each.name, _TYPES.get(each.kind, String), nullable=False) for each in chosen]


def shaping_values(wanted: Preferences) -> dict[str, object]:
    """What a row of `choices` holds of these preferences."""
    return {each.name: _stored(value(wanted, each)) for each in SHAPING}


def timing_values(wanted: Preferences) -> dict[str, object]:
    """What a row of `subscribers` holds of these preferences."""
    return {each.name: _stored(value(wanted, each)) for each in TIMING}


def preferences(row: Row[*tuple[Any, ...]]) -> Preferences:
    """The preferences in a row that joins a subscriber with their choice; columns that it lacks have their defaults."""
    names, values = _reader(row._fields)
    return _preferences(names, values(row))


@cache
def _reader(columns: tuple[str, ...]) -> tuple[tuple[str, ...], Callable[[object], tuple[object, ...]]]:
    """The names of the preferences among some columns, and what reads their values from a row."""
    names = tuple(each.name for each in PREFERENCES if each.name in columns)
    return names, attrgetter(*names)


@lru_cache(4096)
def _preferences(names: tuple[str, ...], values: tuple[object, ...]) -> Preferences:
    """Cached: many readers chose the same, and those due together differ in little."""
    kinds = {each.name: each.kind for each in PREFERENCES}
    loaded: dict[str, Any] = {name: _loaded(kinds[name], each) for name, each in zip(names, values, strict=True)}
    return Preferences(**loaded)


def _stored(chosen: object) -> object:
    """A value as its column holds it: topics as JSON, enums as their values."""
    if isinstance(chosen, tuple):
        return json.dumps(chosen, ensure_ascii=False)
    return chosen.value if isinstance(chosen, Style | Cadence) else chosen


def _loaded(kind: Kind, stored: Any) -> object:
    match kind:
        case Kind.STYLE:
            return Style(stored)
        case Kind.CADENCE:
            return Cadence(stored)
        case Kind.TOPICS:
            return tuple(json.loads(stored))
        case _:
            return stored
