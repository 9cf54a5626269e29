"""Preferences as columns: those that shape a message in `choices`, those that say when it comes in `subscribers`."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from operator import itemgetter
from typing import Any

from sqlalchemy import Boolean, Column, Integer, Row, String

from bot.channel.preference import Kind
from bot.model import Cadence, Preferences, Style
from bot.rules.preferences import PREFERENCES

_TYPES = {Kind.COUNT: Integer, Kind.NUMBER: Integer, Kind.HOUR: Integer, Kind.WEEKDAYS: Integer, Kind.SWITCH: Boolean}
"""The types of columns; every other kind is a string."""


def names(*, shaping: bool) -> list[str]:
    """The columns of `choices`, which shape a message, or those of `subscribers`, in the order of `PREFERENCES`."""
    return [each.name for each in PREFERENCES if each.shapes_message is shaping]


def columns(*, shaping: bool) -> list[Column[Any]]:
    """New columns for one of the two tables."""
    types = {each.name: _TYPES.get(each.kind, String) for each in PREFERENCES}
    return [Column(name, types[name], nullable=False) for name in names(shaping=shaping)]


def shaping_values(wanted: Preferences) -> dict[str, object]:
    """The values of these preferences in a row of `choices`."""
    return {name: _stored(getattr(wanted, name)) for name in names(shaping=True)}


def timing_values(wanted: Preferences) -> dict[str, object]:
    """The values of these preferences in a row of `subscribers`."""
    return {name: _stored(getattr(wanted, name)) for name in names(shaping=False)}


def preferences(row: Row[*tuple[Any, ...]]) -> Preferences:
    """The preferences in a row that joins a subscriber with their choice; columns that it lacks have their defaults."""
    return reader(row._fields)(row)


@cache
def reader(fields: tuple[str, ...]) -> Callable[[Sequence[Any]], Preferences]:
    """A function that reads preferences from rows with these columns, by position, which costs least."""
    present = tuple(each.name for each in PREFERENCES if each.name in fields)
    values = itemgetter(*(fields.index(name) for name in present))
    return lambda row: _preferences(present, values(row))


@lru_cache(4096)
def _preferences(present: tuple[str, ...], values: tuple[object, ...]) -> Preferences:
    """Cached: many readers chose the same, and those due together differ in little."""
    kinds = {each.name: each.kind for each in PREFERENCES}
    loaded: dict[str, Any] = {name: _loaded(kinds[name], each) for name, each in zip(present, values, strict=True)}
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
