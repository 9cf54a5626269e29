"""Papers by day and by month, and their running mean, for a chart. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

DAYS = 30
"""Days of a chart of days."""
MONTHS = 12
"""Months of a chart of months, at most."""
LEAST_DAYS, LEAST_MONTHS = 8, 3
"""Days and months that must be known, or a chart shows nothing."""
AVERAGED = 7
"""Days of the running mean: a week, so that weekends weigh alike everywhere."""
_DAY = timedelta(days=1)


def first_counted(last: date) -> date:
    """The first day whose papers a chart of days up to `last` needs, for the mean of its first day too."""
    return last - (DAYS + AVERAGED - 2) * _DAY


def by_day(
    counts: Mapping[date, int], begins: date | None, last: date
) -> tuple[list[tuple[date, int | None]], list[float | None]]:
    """The papers of each of the DAYS days up to `last`, and the running mean at each of them.

    A day has 0 papers if it had none, None before the first known day. Both lists are empty where fewer than LEAST_DAYS
    days are known.
    """
    days = [first_counted(last) + each * _DAY for each in range((last - first_counted(last)).days + 1)]
    values = [counts.get(day, 0) if begins is not None and day >= begins else None for day in days]
    shown = list(zip(days, values, strict=True))[-DAYS:]
    if sum(count is not None for _, count in shown) < LEAST_DAYS:
        return [], []
    return shown, running_mean(values)[-DAYS:]


def by_month(counts: Mapping[date, int], begins: date | None, last: date) -> list[tuple[date, int]]:
    """The papers of each month up to that of `last`, by the month's first day, from the first whole month known on.

    Empty where fewer than LEAST_MONTHS months are known.
    """
    months: list[date] = []
    month = last.replace(day=1)
    while begins is not None and month >= begins and len(months) < MONTHS:
        months.insert(0, month)
        month = (month - _DAY).replace(day=1)
    sums = dict.fromkeys(months, 0)
    for day, count in counts.items():
        if day <= last and day.replace(day=1) in sums:
            sums[day.replace(day=1)] += count
    return list(sums.items()) if len(sums) >= LEAST_MONTHS else []


def running_mean(values: Sequence[int | None], over: int = AVERAGED) -> list[float | None]:
    """The mean of each value and the `over` - 1 before it; None where not all of them are known."""
    found: list[float | None] = []
    for at in range(len(values)):
        known = [each for each in values[max(0, at - over + 1) : at + 1] if each is not None]
        found.append(sum(known) / over if len(known) == over else None)
    return found


def scale(highest: int) -> list[int]:
    """Round numbers for the edge of a chart, ascending: two to five, the last not below `highest`."""
    step = 1
    while step * 4 < highest:
        power = 10 ** (len(str(step)) - 1)
        step = next(nice * power for nice in (1, 2, 5, 10) if nice * power > step)
    return [step * each for each in range(1, max(2, -(-highest // step)) + 1)]
