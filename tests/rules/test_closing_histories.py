"""Closing over random histories of polls, with an oracle that knows the rules as sentences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.model import Edition, Paper
from bot.rules.closing import (
    ClosingState,
    close,
    closing_time,
    compile_edition,
    days_to_poll,
)
from tests.support.closing_days import (
    CLOSES,
    DAY,
    HOUR,
    MONDAY,
    NEXT_MONDAY,
    QUARTER,
    START,
    at,
    ids,
    paper,
)

# Random histories


@dataclass(frozen=True)
class Fate:
    """What happens to one paper: instants at which it is listed (again), and perhaps one at which it is withdrawn."""

    id: str
    votes: int
    listings: tuple[datetime, ...]
    withdrawn: datetime | None

    def at(self, now: datetime) -> Paper | None:
        """The paper as the feed shows it at `now`, None where it is not listed."""
        past = [listing for listing in self.listings if listing <= now]
        if not past or (self.withdrawn is not None and past[-1] < self.withdrawn <= now):
            return None
        return replace(paper(0, past[-1], self.votes), id=self.id)


SPAN = 16 * 24 * 60


def instants() -> st.SearchStrategy[datetime]:
    """Instants at which the feed lists something: never at a weekend."""
    return (
        st.integers(0, SPAN)
        .map(lambda minutes: START + timedelta(minutes=minutes))
        .filter(lambda instant: instant.weekday() < 5)
    )


def fates() -> st.SearchStrategy[list[Fate]]:
    listings = st.lists(instants(), min_size=1, max_size=3).map(sorted).map(tuple)
    papers = st.lists(st.tuples(st.integers(0, 3), listings, st.none() | instants()), min_size=1, max_size=25)
    return papers.map(lambda told: [Fate(f"2511.{number:05}", *each) for number, each in enumerate(told)])


def attempts() -> st.SearchStrategy[list[tuple[datetime, bool]]]:
    """Polls and whether they succeed: quarters of an hour apart, hours, or (the process was down) days."""
    gaps = st.sampled_from([QUARTER, HOUR, 3 * HOUR, 7 * HOUR, 7 * HOUR, DAY, 4 * DAY])
    steps = st.lists(st.tuples(gaps, st.booleans(), st.sampled_from([True, True, False])), min_size=1, max_size=60)
    return steps.map(_walked)


def _walked(steps: Sequence[tuple[timedelta, bool, bool]]) -> list[tuple[datetime, bool]]:
    made, now = [], START
    for gap, punctual, ok in steps:
        closing = closing_time(now.date(), CLOSES)
        now = closing if punctual and now < closing < now + gap else now + gap
        made.append((now, ok))
    return made


@dataclass
class Shelf:
    """A process that polls and closes by bot.rules.closing, with a dictionary for its store."""

    known: ClosingState = field(default_factory=ClosingState)
    papers: dict[str, Paper] = field(default_factory=dict)
    closed: list[Edition] = field(default_factory=list)
    began: datetime | None = None
    """When the feed first showed a finished day; there is nothing to decide before."""

    def attempt(self, now: datetime, shown: Mapping[str, Paper] | None) -> None:
        """Poll at `now`; None is what a broken feed shows."""
        origin = self.known.origin
        if shown is not None and origin is None:
            finished = [each.listed_on for each in shown.values() if at(each.listed_on, 22) <= now]
            origin = max(finished, default=None)
            if origin is None:
                shown = None
            else:
                self.known = replace(self.known, origin=origin, settled=origin - DAY)
                self.began = now
        self.known = replace(self.known, attempted_at=now)
        if shown is not None:
            newest = max((edition.day for edition in self.closed), default=None)
            self._keep(shown, days_to_poll(self.known, newest, now))
            self.known = replace(self.known, polled_at=now)
        held = [paper_id for edition in self.closed for paper_id in ids(edition)]
        editions, settled = close(self.known, list(self.papers.values()), held, closes=CLOSES, now=now)
        self.closed += editions
        self.known = replace(self.known, settled=settled)

    def _keep(self, shown: Mapping[str, Paper], days: Sequence[date]) -> None:
        found = {each.id: each for each in shown.values() if each.listed_on in days}
        lists = {each.listed_on for each in found.values()}
        left = [each.id for each in self.papers.values() if each.listed_on in lists and each.id not in found]
        self.papers = {name: each for name, each in (self.papers | found).items() if name not in left}


@given(fates(), attempts())
def test_over_any_history_no_paper_is_lost_or_repeated_and_each_day_closes_in_time(
    told: list[Fate], polls: list[tuple[datetime, bool]]
) -> None:
    shelf = Shelf()
    truth: dict[datetime, dict[str, Paper]] = {}
    for now, ok in polls:
        shown = {fate.id: seen for fate in told if (seen := fate.at(now))}
        shelf.attempt(now, shown if ok else None)
        truth[now] = shown

    if shelf.began is None:
        assert shelf.closed == []
        return
    complete = [now for now, ok in polls if ok and now >= shelf.began]
    held: set[str] = set()
    for edition in shelf.closed:
        # Never twice.
        assert held.isdisjoint(ids(edition))
        assert len(set(ids(edition))) == len(edition.papers)
        closing = at(edition.day, 22)
        decisive = [now for now in complete if now >= closing]
        if edition.complete:
            # Only on the first complete poll begun at or after closing time.
            assert edition.closed_at == decisive[0]
            shown = truth[edition.closed_at]
            window = {
                each.id
                for each in shown.values()
                if edition.day - 7 * DAY < each.listed_on <= edition.day
                and shelf.known.origin is not None
                and each.listed_on >= shelf.known.origin
            }
            # Everything still listed and in no earlier edition, and nothing else but what stands on a list that
            # has become empty, which is taken for a fault of the feed's.
            assert window - held <= set(ids(edition))
            shown_days = {each.listed_on for each in shown.values()}
            beyond = [ranked.paper for ranked in edition.papers if ranked.paper.id not in window]
            assert all(each.listed_on not in shown_days for each in beyond)
        else:
            # Only three hours after closing time, on the first attempt then, with no complete poll in between.
            late = [now for now, _ in polls if now >= closing + 3 * HOUR]
            assert edition.closed_at == late[0]
            assert not [now for now in decisive if now <= edition.closed_at]
        # Only with an own list, ranked by votes, then listing, then id.
        assert edition.day.weekday() < 5
        order = [(-(each.votes or 0), each.paper.listed_at, each.paper.id) for each in edition.papers]
        assert order == sorted(order)
        assert [each.rank for each in edition.papers] == list(range(1, len(order) + 1))
        held |= set(ids(edition))
    days = [edition.day for edition in shelf.closed]
    assert days == sorted(set(days))

    # Every day that could close has closed: its first decisive poll showed its own list with something new.
    for day in (MONDAY + n * DAY for n in range(16)):
        if shelf.known.origin is None or day < shelf.known.origin:
            assert day not in days
            continue
        decisive = [now for now in complete if now >= at(day, 22)]
        if decisive and day not in days:
            own = {each.id for each in truth[decisive[0]].values() if each.listed_on == day}
            earlier = {name for edition in shelf.closed if edition.closed_at <= decisive[0] for name in ids(edition)}
            assert own <= earlier


@given(fates(), st.integers(0, 95))
def test_with_constant_polling_each_listed_paper_is_in_exactly_one_edition(told: list[Fate], offset: int) -> None:
    shelf = Shelf()
    now = START + offset * QUARTER
    last = START + timedelta(minutes=SPAN) + 7 * DAY
    extra = [Fate("2512.99999", 1, (at(last.date() - DAY * (1 + max(0, last.weekday() - 5)), 1),), None)]
    while now < last:
        shelf.attempt(now, {fate.id: seen for fate in told + extra if (seen := fate.at(now))})
        now += 5 * HOUR
    held = [paper_id for edition in shelf.closed for paper_id in ids(edition)]
    assert len(held) == len(set(held))
    origin = shelf.known.origin
    if origin is None:  # whatever was listed had gone again before a day was finished
        return
    stayed = {fate.id for fate in told if fate.withdrawn is None and fate.listings[-1].date() >= origin}
    assert all(edition.complete for edition in shelf.closed)
    # The window is a matter of lists that follow each other: an edition within seven days took it along.
    for name in stayed - set(held):
        listed = next(fate for fate in told if fate.id == name).listings[-1]
        assert not [
            edition
            for edition in shelf.closed
            if listed.date() <= edition.day < listed.date() + 7 * DAY and edition.closed_at - 5 * HOUR >= listed
        ]


@given(st.lists(st.tuples(st.integers(-9, 3), st.booleans()), max_size=20))
def test_an_edition_has_the_papers_of_the_window(papers: list[tuple[int, bool]]) -> None:
    listed = [paper(number, at(NEXT_MONDAY + shift * DAY, 9)) for number, (shift, _) in enumerate(papers)]
    held = [each.id for each, (_, taken) in zip(listed, papers, strict=True) if taken]
    edition = compile_edition(NEXT_MONDAY, listed, held, origin=MONDAY - 30 * DAY, now=at(NEXT_MONDAY, 22))
    assert set(ids(edition)) == {
        each.id for each, (shift, taken) in zip(listed, papers, strict=True) if -7 < shift <= 0 and not taken
    }
