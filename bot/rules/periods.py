"""Weekly and monthly editions: which days they cover and which papers they have. Pure.

They have the papers of the daily editions in their period, ranked by the votes at their own closing time. An ISO week
closes on Sunday, a month on its last day.
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
    """A period of days, `first` and `last` included."""

    cadence: Cadence
    first: date
    last: date


def period_of(cadence: Cadence, day: date) -> Period:
    """The day, ISO week or month that contains `day`."""
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
    """The edition of a period from the papers of its daily editions, without those `held` by earlier such editions."""
    taken = set(held)
    chosen = (paper for paper in papers if paper.id not in taken)
    return Edition(period.cadence, period.last, now, rank(chosen), complete=complete)
