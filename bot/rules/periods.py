"""Weeks and months: when they are over, and what an edition of one holds. Pure.

Such an edition holds the papers of its days' editions, ranked by the votes that they have at its own closing time.
It closes with its last day: an ISO week on Sunday, a month on its last day.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from bot.model import Cadence, Edition, Paper
from bot.rules.closing import DAY, rank

WEEK = timedelta(days=7)
LONGER = (Cadence.WEEK, Cadence.MONTH)


@dataclass(frozen=True, slots=True)
class Period:
    """A week or a month, from its `first` day to its `last`."""

    cadence: Cadence
    first: date
    last: date


def period_of(cadence: Cadence, day: date) -> Period:
    """The day, the ISO week or the month that `day` is in."""
    match cadence:
        case Cadence.DAY:
            return Period(cadence, day, day)
        case Cadence.WEEK:
            monday = day - day.weekday() * DAY
            return Period(cadence, monday, monday + WEEK - DAY)
        case Cadence.MONTH:
            first = day.replace(day=1)
            return Period(cadence, first, (first + timedelta(days=31)).replace(day=1) - DAY)


def periods_over(cadence: Cadence, since: date, until: date) -> Iterator[Period]:
    """The periods whose last day is after `since` and not after `until`, oldest first."""
    period = period_of(cadence, since + DAY)
    while period.last <= until:
        yield period
        period = period_of(cadence, period.last + DAY)


def compile_period(
    period: Period, papers: Iterable[Paper], held: Iterable[str], *, now: datetime, complete: bool = True
) -> Edition:
    """The edition of a period from the papers of its days' editions, without those of earlier such editions."""
    taken = set(held)
    chosen = (paper for paper in papers if paper.id not in taken)
    return Edition(period.cadence, period.last, now, rank(chosen), complete=complete)
