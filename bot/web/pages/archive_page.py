"""The archive as a calendar: each day's edition with its first paper, beside the weeks and months. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from bot.model import Cadence
from bot.render.edition_page import period_name
from bot.render.words import Words
from bot.runtime.latex import plain_math
from bot.runtime.text import one_line
from bot.store.archive import ArchiveEntry
from bot.web.urls import Urls

LONGEST_TITLE = 100
"""Characters of a title in the calendar; the rest would not be seen there."""
WORKDAYS, WHOLE_WEEK = 5, 7
"""Columns of a calendar without and with weekends."""


@dataclass(frozen=True, slots=True)
class Cell:
    """An edition in the calendar. A day is in the column of its weekday, from 1 on; a week is in the last one.

    `row` is the week of the month, from 1 on.
    """

    day: date
    label: str
    weekday: str
    column: int
    row: int
    url: str
    papers: str
    title: str
    """The title of its first paper; empty for a week."""


@dataclass(frozen=True, slots=True)
class Month:
    """A month of the archive: its own edition if there is one, its days and weeks, the newest first."""

    label: str
    url: str | None
    cells: Sequence[Cell]


@dataclass(frozen=True, slots=True)
class Calendar:
    """The months of a year, the newest first, and the names of the weekdays above their columns."""

    months: Sequence[Month]
    weekdays: Sequence[str]


def calendar(w: Words, urls: Urls, found: Sequence[ArchiveEntry]) -> Calendar:
    """The calendar of a year's editions, which are the newest first. Weekends have columns only if they are used."""
    days = [each.day.weekday() for each in found if each.cadence is Cadence.DAY]
    columns = WHOLE_WEEK if max(days, default=0) >= WORKDAYS else WORKDAYS
    by_month: dict[int, list[ArchiveEntry]] = {}
    for entry in found:
        by_month.setdefault(entry.day.month, []).append(entry)
    months = [_month(w, urls, entries, columns) for entries in by_month.values()]
    return Calendar(months, [w.weekday(each) for each in range(columns)])


def _month(w: Words, urls: Urls, entries: Sequence[ArchiveEntry], columns: int) -> Month:
    whole = next((each for each in entries if each.cadence is Cadence.MONTH), None)
    return Month(
        w.month(entries[0].day),
        None if whole is None else urls.edition(w.language, whole.cadence, whole.day),
        [_cell(w, urls, each, columns) for each in entries if each is not whole],
    )


def _cell(w: Words, urls: Urls, entry: ArchiveEntry, columns: int) -> Cell:
    weekly = entry.cadence is Cadence.WEEK
    title = one_line(plain_math(entry.first_title))
    return Cell(
        day=entry.day,
        label=period_name(w, entry.cadence, entry.day) if weekly else w.number(entry.day.day),
        weekday="" if weekly else w.weekday(entry.day.weekday()),
        column=columns + 1 if weekly else entry.day.weekday() + 1,
        row=(entry.day.day - 1 + entry.day.replace(day=1).weekday()) // WHOLE_WEEK + 1,
        url=urls.edition(w.language, entry.cadence, entry.day),
        papers=w.ngettext("edition.papers", entry.papers),
        title="" if weekly else title if len(title) <= LONGEST_TITLE else f"{title[:LONGEST_TITLE]}…",
    )
