"""Closing and ranking: the papers of an edition, their order, and when. Pure: stored state and time in, editions out.

The rules are in docs/design.md, "Closing". A day's list keeps filling after its closing time; later papers roll over
into the next edition, so that each paper is in exactly one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from types import MappingProxyType

from bot.model import Cadence, Edition, Paper, Ranked
from bot.rules.schedule import Lateness

DAY = timedelta(days=1)
SATURDAY = 5
"""The first day of the weekend, counted from Monday as 0."""
WINDOW = timedelta(days=7)
"""How long a paper rolls over, counted from its list day; older papers are no news any more."""
PATIENCE = timedelta(hours=3)
"""How long the feed must have been failing before an edition is closed without it."""
SET_ASIDE = timedelta(hours=24)
"""How long after its closing time a single list day may be unreadable before closing goes on without it."""
RETRY_LATE = timedelta(hours=1)
"""Time between two requests for a list day that was set aside."""


@dataclass(frozen=True, slots=True)
class ClosingState:
    """Everything that closing depends on beside the papers.

    `origin`: the first edition's day; papers listed earlier are in no edition.
    `settled`: the last day that was decided, with an edition or, if its list was empty, without one.
    `settled_week`, `settled_month`: the last days of the last periods that were decided.
    `polled_at`: when the last poll began that got any list. `attempted_at`: when the last poll began, whatever it got.
    `failing_since`: when the first poll began that has got no list since the last successful one.
    `retry_at`: when the feed allows the next request (Retry-After).
    `restored`: when this database was restored from a backup.
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


@dataclass(frozen=True, slots=True)
class UnreadDay:
    """A list day that the feed did not give when asked for it, although it gave others.

    `failing_since`: when the first poll began that did not get it. `tried_at`: when the last one began.
    `reason`: why, in one sentence for the operator.
    `read_at`: when a poll began that got it after all, too late to be closed in its turn.
    `told`: whether the operator has been told.
    """

    day: date
    failing_since: datetime
    tried_at: datetime
    reason: str
    read_at: datetime | None = None
    told: bool = False

    def fails_for(self, until: datetime, closes: time) -> timedelta:
        """How long the day has been unreadable at `until`, counted from its closing time on."""
        return until - max(self.failing_since, closing_time(self.day, closes))


def set_aside(unread: UnreadDay, closes: time) -> bool:
    """Whether closing goes on without a day that has been tried for `SET_ASIDE`."""
    return unread.fails_for(unread.tried_at, closes) >= SET_ASIDE


def closing_time(day: date, closes: time) -> datetime:
    """The time (UTC) from which the edition of `day` may close."""
    return datetime.combine(day, closes, UTC)


def for_readers(closing_state: ClosingState, day: date, closes: time) -> bool:
    """Whether the edition of `day` is sent: not if it closed before a restore, since readers may have it already."""
    return closing_state.restored is None or closing_time(day, closes) > closing_state.restored


def lateness(edition: Edition, closes: time) -> Lateness | None:
    """How late a day's edition was closed; None for one that was in time, and for longer periods."""
    closing = closing_time(edition.day, closes)
    if edition.cadence is not Cadence.DAY or edition.closed_at <= closing:
        return None
    return Lateness(closing, closing_time(next_to_close(edition.closed_at, closes), closes))


def next_to_close(now: datetime, closes: time) -> date:
    """The weekday whose list closes next: hardly any feed lists papers at weekends."""
    following = newest_finished(now, closes) + DAY
    while following.weekday() >= SATURDAY:
        following += DAY
    return following


def newest_finished(now: datetime, closes: time) -> date:
    """The newest day whose closing time has passed."""
    today = now.astimezone(UTC).date()
    return today if closing_time(today, closes) <= now else today - DAY


def poll_due(closing_state: ClosingState, now: datetime, interval: timedelta, closes: time) -> bool:
    """Whether to poll the feed now: every `interval`, and at each closing time."""
    last = closing_state.attempted_at
    if last is None or last > now:  # no poll yet, or the clock was set back
        return True
    if closing_state.retry_at is not None and last < closing_state.retry_at:
        return now >= closing_state.retry_at
    return now >= last + interval or last < closing_time(newest_finished(now, closes), closes)


def days_to_poll(
    closing_state: ClosingState, newest_edition: date | None, now: datetime, unread: Iterable[UnreadDay] = ()
) -> list[date]:
    """The list days to poll: every day since the last edition, at least yesterday and today, and `unread` ones.

    An unread day is asked for at every poll on its first day, then every `RETRY_LATE`.
    """
    today = now.astimezone(UTC).date()
    known = [day for day in (newest_edition, closing_state.settled) if day is not None]
    since = max(min(known, default=today), closing_state.origin or date.min)
    days = set(_days(min(since, today - DAY), today))
    late = (each for each in unread if each.read_at is None and each.day < today)
    days |= {each.day for each in late if each.tried_at < each.failing_since + DAY or _due(each.tried_at, now)}
    return sorted(days)


def _due(tried_at: datetime, now: datetime) -> bool:
    return not tried_at <= now < tried_at + RETRY_LATE  # tried in the future: the clock was set back


def rank(papers: Iterable[Paper]) -> tuple[Ranked, ...]:
    """Rank papers by votes, then earlier listing, then id. Without votes the feed's order counts, newest day first."""
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
    unread: Mapping[date, UnreadDay] = MappingProxyType({}),
) -> tuple[list[Edition], date | None]:
    """Close every day that can be closed.

    A day is decided by the first poll that began at or after its closing time and got its list. If its list, or the
    feed, has been failing for `PATIENCE` by then, it is decided from the stored papers, provided there are any. Days
    after one whose list alone cannot be read close without it.

    Args:
        closing_state: What has been decided so far.
        papers: The papers listed since `settled` - 7 days.
        held: The ids of papers in earlier day editions.
        closes: The closing time (UTC).
        now: The present time.
        filled: Days whose edition an operator has published already.
        unread: The days that the last poll did not get although it got others.

    Returns:
        The new editions, oldest first, and the last day up to which every day is decided or set aside.
    """
    known = closing_state
    if known.origin is None or known.settled is None or known.polled_at is None or known.attempted_at is None:
        return [], known.settled
    seen = last = min(newest_finished(known.polled_at, closes), newest_finished(now, closes))
    if out_of_patience(known):
        last = max(seen, newest_finished(known.attempted_at - PATIENCE, closes))
    taken, by_hand = set(held), set(filled)
    editions: list[Edition] = []
    waiting: list[date] = []
    settled = newest = settled_by(known.settled, now, closes)
    for day in _days(settled + DAY, last):
        missed = unread.get(day)
        complete = day <= seen and missed is None
        if day in by_hand:
            newest = day
        elif missed is not None and missed.fails_for(known.attempted_at, closes) < PATIENCE:
            waiting.append(day)
        elif edition := _edition(day, papers, taken, origin=known.origin, now=now, complete=complete):
            editions.append(edition)
            taken.update(ranked.paper.id for ranked in edition.papers)
            newest = day
        elif missed is not None:
            waiting.append(day)  # there is nothing to close from
        elif not complete:
            break  # nothing new is known of this day, nor perhaps of those after it: wait for the feed
        settled = day
    waits = [day for day in waiting if day > newest and not set_aside(unread[day], closes)]
    return editions, min([settled, *(day - DAY for day in waits)])


def _edition(
    day: date, papers: Iterable[Paper], held: Iterable[str], *, origin: date, now: datetime, complete: bool
) -> Edition | None:
    """The edition of `day`; None if its own list is empty, or holds nothing that is in no earlier edition."""
    if not any(paper.listed_on == day for paper in papers):
        return None
    edition = compile_edition(day, papers, held, origin=origin, now=now, complete=complete)
    return edition if edition.papers else None


def late_edition(day: date, papers: Iterable[Paper], held: Iterable[str], *, now: datetime) -> Edition:
    """The edition of a day that could be read only after a later one had closed: what its own list alone has."""
    return compile_edition(day, (paper for paper in papers if paper.listed_on == day), held, origin=day, now=now)


def out_of_patience(closing_state: ClosingState) -> bool:
    """Whether the feed has been failing for `PATIENCE`."""
    if (
        closing_state.attempted_at is None
        or closing_state.polled_at is None
        or closing_state.attempted_at <= closing_state.polled_at
    ):
        return False
    return closing_state.attempted_at - (closing_state.failing_since or closing_state.polled_at) >= PATIENCE


def settled_by(settled: date, now: datetime, closes: time) -> date:
    """The last day decided, never later than `newest_finished`: a clock that was ahead may have decided days early."""
    return min(settled, newest_finished(now, closes))


def compile_edition(
    day: date, papers: Iterable[Paper], held: Iterable[str], *, origin: date, now: datetime, complete: bool = True
) -> Edition:
    """The edition of `day`: every paper listed in the `WINDOW` up to then that is in no earlier edition."""
    oldest = max(day - WINDOW + DAY, origin)
    taken = set(held)
    chosen = (paper for paper in papers if oldest <= paper.listed_on <= day and paper.id not in taken)
    return Edition(Cadence.DAY, day, now, rank(chosen), complete=complete)


def _days(first: date, last: date) -> Iterator[date]:
    while first <= last:
        yield first
        first += DAY
