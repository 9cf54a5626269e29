"""Publishes a range of past days into the archive, with the weeks and months that those days complete."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from bot.model import Cadence
from bot.publishing.publisher import Published, Publisher
from bot.rules.closing import DAY, SATURDAY
from bot.rules.periods import LONGER, Period, period_of
from bot.store import Store, closing_state, edition_queries

MOST_AT_ONCE = 60
"""Days that are read before their editions are written."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Filled:
    """The result of a backfill: editions published, oldest first, and days that could not be read, with the reason."""

    published: Sequence[Published]
    failed: Mapping[date, str]


async def backfill(
    publisher: Publisher, store: Store, first: date, last: date, now: datetime, *, progress: Progress
) -> Filled:
    """Publish the days from `first` to `last` that have no edition, for the archive alone.

    `progress` is called with (days done, days in total). Raises FeedError if none of the first days can be read.
    """
    days = [first + n * DAY for n in range((last - first).days + 1)]
    failed: dict[date, str] = {}
    published: list[Published] = []
    for start in range(0, len(days), MOST_AT_ONCE):
        part = days[start : start + MOST_AT_ONCE]
        found = await publisher.poller.read(
            part,
            now,
            lambda done, _, start=start: progress(start + done // 2, len(days)),  # type: ignore[misc]
        )
        failed |= found.failed
        for done, day in enumerate(part, start=1):
            if day not in found.failed:
                published += await publisher.publish_past(day, now, deliver=False)
            progress(start + (len(part) + done) // 2, len(days))
    read = [day for day in days if day not in failed]
    for period in await _completed(store, days, read, now):
        published += await publisher.publish_period(period, now)
    return Filled(
        sorted(published, key=lambda each: (each.edition.day, list(Cadence).index(each.edition.cadence))), failed
    )


async def _completed(store: Store, days: Sequence[date], read: Collection[date], now: datetime) -> list[Period]:
    """The periods of `days` that are over and of which every day has been decided, or read just now.

    A weekend counts as such: hardly any feed lists papers then.
    """
    async with store.read() as connection:
        known = await closing_state.load(connection)
        editions = set(await edition_queries.days(connection, Cadence.DAY, since=date.min))
    periods = dict.fromkeys(period_of(cadence, day) for cadence in LONGER for day in days)
    decided = (known.origin, known.settled)

    def is_done(day: date) -> bool:
        by_itself = decided[0] is not None and decided[1] is not None and decided[0] <= day <= decided[1]
        return by_itself or day in read or day in editions or day.weekday() >= SATURDAY

    def is_complete(period: Period) -> bool:
        every = (period.first + n * DAY for n in range((period.last - period.first).days + 1))
        return period.last < now.date() and all(map(is_done, every))

    return [period for period in periods if is_complete(period)]
