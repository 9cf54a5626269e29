"""Which papers an edition holds, in what order, and when it closes. Pure: stored state and *now* in, editions out.

The rules are those of docs/design.md, "One day". A day's list fills until midnight UTC and beyond its closing
time; what arrives later rolls over into the next edition, so that nothing is lost and nothing comes twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from bot.model import Cadence, Edition, Paper, Ranked

DAY = timedelta(days=1)
WINDOW = timedelta(days=7)
"""A paper rolls over for this long after its list day, and is then too old to be news."""
PATIENCE = timedelta(hours=3)
"""How long after closing time an unreachable feed is waited for."""


@dataclass(frozen=True, slots=True)
class ClosingState:
    """What has been decided and seen so far; everything that closing depends on beside the papers.

    `origin` is the first edition's day: what was listed before it counts as held. `settled` is the last day
    decided upon, with an edition or, its list being empty, without; `settled_week` and `settled_month` are the last
    days of the last periods decided upon. `polled_at` is when the last complete poll began, `attempted_at` when the
    last poll began, whatever became of it, `failing_since` when the first of those began that failed since;
    `retry_at` is when the feed asked us to come back. `restored` is when this database began as a copy.
    """

    origin: date | None = None
    settled: date | None = None
    polled_at: datetime | None = None
    attempted_at: datetime | None = None
    settled_week: date | None = None
    settled_month: date | None = None
    retry_at: datetime | None = None
    failing_since: datetime | None = None
    restored: datetime | None = None


def closing_time(day: date, closes: time) -> datetime:
    """The instant from which the edition of `day` may close."""
    return datetime.combine(day, closes, UTC)


def for_readers(closing_state: ClosingState, day: date, closes: time) -> bool:
    """Whether the edition of `day` goes to its readers; one due before a restore may have reached them from there."""
    return closing_state.restored is None or closing_time(day, closes) > closing_state.restored


def newest_finished(now: datetime, closes: time) -> date:
    """The newest day past its closing time."""
    today = now.astimezone(UTC).date()
    return today if closing_time(today, closes) <= now else today - DAY


def poll_due(closing_state: ClosingState, now: datetime, interval: timedelta, closes: time) -> bool:
    """Whether to ask the feed now: every `interval`, and at closing time without waiting for it."""
    last = closing_state.attempted_at
    if last is None or last > now:  # never yet, or the clock was set back
        return True
    if closing_state.retry_at is not None and last < closing_state.retry_at:
        return now >= closing_state.retry_at
    return now >= last + interval or last < closing_time(newest_finished(now, closes), closes)


def days_to_poll(closing_state: ClosingState, newest_edition: date | None, now: datetime) -> list[date]:
    """The list days to ask for: today and every day since the last close, at least yesterday."""
    today = now.astimezone(UTC).date()
    known = [day for day in (newest_edition, closing_state.settled) if day is not None]
    since = max(min(known, default=today), closing_state.origin or date.min)
    return list(_days(min(since, today - DAY), today))


def rank(papers: Iterable[Paper]) -> tuple[Ranked, ...]:
    """By votes, ties by earlier listing, then id. Where the feed counts no votes its own order stands, per day."""
    ordered = sorted(papers, key=_place)
    return tuple(Ranked(place, paper, paper.votes) for place, paper in enumerate(ordered, start=1))


def _place(paper: Paper) -> tuple[object, ...]:
    if paper.votes is None:
        return (1, -paper.listed_on.toordinal(), paper.position, paper.id)
    return (0, -paper.votes, paper.listed_at, paper.id)


def close(
    closing_state: ClosingState,
    papers: Sequence[Paper],
    held: Iterable[str],
    *,
    closes: time,
    now: datetime,
    filled: Iterable[date] = (),
) -> tuple[list[Edition], date | None]:
    """Close what can be closed: the new editions, oldest first, and the last day that is now settled.

    `papers` are those still listed since `settled` − 7 days, `held` the ids that earlier day editions hold,
    `filled` the days that were filled in by hand and have their edition.
    A day is decided by the first complete poll begun at or after its closing time; where the feed has been down
    for `PATIENCE` by then, by what is stored, if that is anything at all.
    """
    if closing_state.origin is None or closing_state.settled is None or closing_state.polled_at is None:
        return [], closing_state.settled
    seen = last = min(newest_finished(closing_state.polled_at, closes), newest_finished(now, closes))
    if closing_state.attempted_at is not None and out_of_patience(closing_state):
        last = max(seen, newest_finished(closing_state.attempted_at - PATIENCE, closes))
    taken, by_hand = set(held), set(filled)
    editions: list[Edition] = []
    settled = settled_by(closing_state.settled, now, closes)
    for day in _days(settled + DAY, last):
        complete = day <= seen
        if not any(paper.listed_on == day for paper in papers):
            if not complete:
                break  # nothing is known of this day yet: it waits for the feed
            settled = day
            continue
        if day in by_hand:
            settled = day
            continue
        edition = compile_edition(day, papers, taken, origin=closing_state.origin, now=now, complete=complete)
        if not edition.papers and not complete:
            break  # nothing new is known of this day yet, either
        settled = day
        if edition.papers:
            editions.append(edition)
            taken.update(ranked.paper.id for ranked in edition.papers)
    return editions, settled


def out_of_patience(closing_state: ClosingState) -> bool:
    """Whether the feed has been failing for so long that it is not waited for any longer."""
    if (
        closing_state.attempted_at is None
        or closing_state.polled_at is None
        or closing_state.attempted_at <= closing_state.polled_at
    ):
        return False
    return closing_state.attempted_at - (closing_state.failing_since or closing_state.polled_at) >= PATIENCE


def settled_by(settled: date, now: datetime, closes: time) -> date:
    """The last day decided upon; days that a wrong clock decided before their time are open again."""
    return min(settled, newest_finished(now, closes))


def compile_edition(
    day: date, papers: Iterable[Paper], held: Iterable[str], *, origin: date, now: datetime, complete: bool = True
) -> Edition:
    """The edition of `day`: every paper listed up to then, within the window, that no earlier edition holds."""
    oldest = max(day - WINDOW + DAY, origin)
    taken = set(held)
    chosen = (paper for paper in papers if oldest <= paper.listed_on <= day and paper.id not in taken)
    return Edition(Cadence.DAY, day, now, rank(chosen), complete=complete)


def _days(first: date, last: date) -> Iterator[date]:
    while first <= last:
        yield first
        first += DAY
