"""Closing: which papers an edition has, in what order, and when; by examples and over random histories.

The histories come with an oracle that knows the rules as sentences (docs/design.md, "One day") and nothing of how
bot.rules.closing follows them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.model import Address, Cadence, Edition, Found, Paper, Preferences
from bot.publishing.feed import FeedError
from bot.publishing.publisher import Published, Publisher
from bot.rules.closing import (
    ClosingState,
    close,
    closing_time,
    compile_edition,
    days_to_poll,
    newest_finished,
    poll_due,
    rank,
)
from bot.store import Store, closing_state, edition_queries, subscriber_queries
from bot.store.edition_report import reports

CLOSES = time(22)
QUARTER = timedelta(minutes=15)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
MONDAY = date(2025, 11, 3)
TUESDAY, WEDNESDAY, THURSDAY, FRIDAY, SATURDAY, SUNDAY, NEXT_MONDAY = (MONDAY + n * DAY for n in range(1, 8))


def at(day: date, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC)


def paper(number: int, listed_at: datetime, votes: int | None = 1, position: int = 0) -> Paper:
    return Paper(
        id=f"2511.{number:05}",
        title=f"Paper {number}",
        abstract="We study it.",
        listed_on=listed_at.date(),
        listed_at=listed_at,
        votes=votes,
        position=position,
    )


def ids(edition: Edition) -> list[str]:
    return [ranked.paper.id for ranked in edition.papers]


# The sentences, one by one


@pytest.mark.parametrize(
    ("now", "newest"),
    [
        (at(MONDAY, 21, 59), MONDAY - DAY),
        (at(MONDAY, 22), MONDAY),
        (at(MONDAY, 23, 59), MONDAY),
        (at(TUESDAY), MONDAY),
        (datetime.fromisoformat("2025-11-04T06:59:00+09:00"), MONDAY - DAY),
        (datetime.fromisoformat("2025-11-04T07:00:00+09:00"), MONDAY),
    ],
)
def test_a_day_is_finished_at_its_closing_time_in_utc(now: datetime, newest: date) -> None:
    assert newest_finished(now, CLOSES) == newest


def decided(polled_at: datetime, **known: date | datetime | None) -> ClosingState:
    """A closing state whose last poll was complete; the first edition is of a Monday unless given otherwise."""
    values = {"origin": MONDAY, "settled": MONDAY - DAY, "polled_at": polled_at, "attempted_at": polled_at} | known
    return ClosingState(**values)  # type: ignore[arg-type]  # which name takes which is the test's business


def close_at(
    known: ClosingState, papers: Sequence[Paper], held: Sequence[str] = (), now: datetime | None = None
) -> tuple[list[Edition], date | None]:
    now = now or known.attempted_at
    assert now is not None
    return close(known, papers, held, closes=CLOSES, now=now)


def test_a_poll_begun_before_closing_time_closes_nothing() -> None:
    papers = [paper(1, at(MONDAY, 8))]
    assert close_at(decided(at(MONDAY, 21, 59)), papers, now=at(MONDAY, 22, 1)) == ([], MONDAY - DAY)


def test_the_first_complete_poll_begun_at_closing_time_closes_the_day() -> None:
    [edition], settled = close_at(decided(at(MONDAY, 22)), [paper(1, at(MONDAY, 8))])
    assert (edition.day, edition.closed_at, edition.complete, ids(edition)) == (
        MONDAY,
        at(MONDAY, 22),
        True,
        ["2511.00001"],
    )
    assert settled == MONDAY


def test_nothing_closes_before_the_first_start_knows_where_to_begin() -> None:
    assert close_at(ClosingState(), [paper(1, at(MONDAY, 8))], now=at(TUESDAY)) == ([], None)


def test_a_day_without_a_list_has_no_edition_even_where_late_papers_wait() -> None:
    late = paper(1, at(FRIDAY, 23))
    known = decided(at(SUNDAY, 22), settled=FRIDAY)
    assert close_at(known, [late]) == ([], SUNDAY)


def test_fridays_late_papers_come_on_monday() -> None:
    late, own = paper(1, at(FRIDAY, 23), votes=9), paper(2, at(NEXT_MONDAY, 8), votes=1)
    [edition], _ = close_at(decided(at(NEXT_MONDAY, 22), settled=SUNDAY), [own, late])
    assert (edition.day, ids(edition)) == (NEXT_MONDAY, [late.id, own.id])


def test_a_paper_is_in_no_later_edition() -> None:
    papers = [paper(1, at(MONDAY, 8)), paper(2, at(TUESDAY, 8))]
    [edition], _ = close_at(decided(at(TUESDAY, 22), settled=MONDAY), papers, held=[papers[0].id])
    assert ids(edition) == [papers[1].id]


def test_a_paper_rolls_over_for_seven_days_and_not_for_longer() -> None:
    own = paper(9, at(NEXT_MONDAY, 8), votes=0)
    week_old, six_days_old = paper(1, at(MONDAY, 23)), paper(2, at(TUESDAY, 0))
    [edition], _ = close_at(decided(at(NEXT_MONDAY, 22), settled=SUNDAY), [own, week_old, six_days_old])
    assert ids(edition) == [six_days_old.id, own.id]


def test_papers_listed_before_the_first_edition_are_in_none() -> None:
    before, own = paper(1, at(MONDAY, 23)), paper(2, at(TUESDAY, 8))
    [edition], _ = close_at(decided(at(TUESDAY, 22), origin=TUESDAY, settled=MONDAY), [before, own])
    assert ids(edition) == [own.id]


def test_several_closable_days_close_in_order_each_with_its_own_papers() -> None:
    papers = [paper(number, at(MONDAY + number * DAY, 9)) for number in range(4)]
    closed, settled = close_at(decided(at(FRIDAY, 3)), papers)
    assert [(edition.day, ids(edition)) for edition in closed] == [
        (MONDAY + number * DAY, [papers[number].id]) for number in range(4)
    ]
    assert settled == THURSDAY


@pytest.mark.parametrize(("hours", "closes"), [(0, False), (2.99, False), (3, True), (9, True)])
def test_closing_waits_three_hours_for_a_feed_that_is_down(hours: float, closes: bool) -> None:
    attempted = at(MONDAY, 22) + timedelta(hours=hours)
    known = decided(at(MONDAY, 16), attempted_at=attempted)
    closed, settled = close_at(known, [paper(1, at(MONDAY, 8))])
    assert [edition.complete for edition in closed] == ([False] if closes else [])
    assert settled == (MONDAY if closes else MONDAY - DAY)


def test_a_day_of_which_nothing_is_stored_waits_for_the_feed() -> None:
    known = decided(at(MONDAY, 23), settled=MONDAY, attempted_at=at(WEDNESDAY, 9))
    assert close_at(known, [paper(1, at(MONDAY, 8))], held=["2511.00001"]) == ([], MONDAY)


def test_votes_rank_then_the_earlier_listing_then_the_id() -> None:
    ranked = rank(
        [
            paper(4, at(MONDAY, 9), votes=5),
            paper(3, at(MONDAY, 9), votes=5),
            paper(6, at(MONDAY, 8), votes=5),
            paper(1, at(MONDAY, 7), votes=0),
            paper(5, at(MONDAY, 23), votes=50),
        ]
    )
    assert [(each.rank, each.paper.id[-1], each.votes) for each in ranked] == [
        (1, "5", 50), (2, "6", 5), (3, "3", 5), (4, "4", 5), (5, "1", 0),
    ]  # fmt: skip


def test_a_feed_without_votes_ranks_by_its_own_order_newest_day_first() -> None:
    ranked = rank(
        [
            paper(1, at(MONDAY, 9), votes=None, position=0),
            paper(2, at(TUESDAY, 9), votes=None, position=1),
            paper(3, at(TUESDAY, 9), votes=None, position=0),
        ]
    )
    assert [(each.rank, each.paper.id[-1], each.votes) for each in ranked] == [
        (1, "3", None), (2, "2", None), (3, "1", None),
    ]  # fmt: skip


@given(st.permutations(range(12)), st.lists(st.integers(0, 2), min_size=12, max_size=12))
def test_the_order_in_which_the_feed_gives_papers_changes_no_rank(order: list[int], votes: list[int]) -> None:
    papers = [paper(number, at(MONDAY, number % 3), votes[number]) for number in range(12)]
    assert rank([papers[number] for number in order]) == rank(papers)


@pytest.mark.parametrize(
    ("known", "newest", "now", "first"),
    [
        (ClosingState(), None, at(WEDNESDAY, 9), TUESDAY),
        (ClosingState(settled=TUESDAY), TUESDAY, at(WEDNESDAY, 9), TUESDAY),
        (ClosingState(settled=WEDNESDAY), WEDNESDAY, at(WEDNESDAY, 23), TUESDAY),
        (ClosingState(settled=MONDAY), MONDAY, at(THURSDAY, 9), MONDAY),
        (ClosingState(settled=MONDAY), WEDNESDAY, at(THURSDAY, 9), MONDAY),
        (ClosingState(settled=SUNDAY), FRIDAY, at(NEXT_MONDAY, 9), FRIDAY),
        (ClosingState(origin=MONDAY, settled=MONDAY - DAY), None, at(THURSDAY, 9), MONDAY),
    ],
    ids=[
        "never",
        "usual",
        "just closed",
        "was down",
        "a later day filled in by hand",
        "weekend",
        "first edition not closed yet",
    ],
)
def test_a_poll_asks_for_every_day_since_the_last_close_and_at_least_for_yesterday(
    known: ClosingState, newest: date | None, now: datetime, first: date
) -> None:
    days = days_to_poll(known, newest, now)
    assert days == [first + n * DAY for n in range((now.date() - first).days + 1)]


@pytest.mark.parametrize(
    ("known", "now", "due"),
    [
        (ClosingState(), at(MONDAY, 9), True),
        (ClosingState(attempted_at=at(MONDAY, 9)), at(MONDAY, 9, 14), False),
        (ClosingState(attempted_at=at(MONDAY, 9)), at(MONDAY, 9, 15), True),
        (ClosingState(attempted_at=at(MONDAY, 21, 50)), at(MONDAY, 21, 59), False),
        (ClosingState(attempted_at=at(MONDAY, 21, 50)), at(MONDAY, 22), True),
        (ClosingState(attempted_at=at(MONDAY, 22)), at(MONDAY, 22, 1), False),
        (ClosingState(attempted_at=at(MONDAY, 9)), at(MONDAY, 8, 59), True),
        (ClosingState(attempted_at=at(MONDAY, 9), retry_at=at(MONDAY, 10)), at(MONDAY, 9, 59), False),
        (ClosingState(attempted_at=at(MONDAY, 9), retry_at=at(MONDAY, 10)), at(MONDAY, 10), True),
        (ClosingState(attempted_at=at(MONDAY, 21, 59), retry_at=at(MONDAY, 22, 5)), at(MONDAY, 22), False),
        (ClosingState(attempted_at=at(MONDAY, 10), retry_at=at(MONDAY, 10)), at(MONDAY, 10, 5), False),
        (ClosingState(attempted_at=at(MONDAY, 9), retry_at=at(MONDAY, 10)), at(MONDAY, 8), True),
    ],
    ids=[
        "never polled", "too early", "interval over", "before closing time", "at closing time", "closing time polled",
        "clock set back", "told to wait", "wait over", "told to wait beyond closing time", "wait long over",
        "clock set back while waiting",
    ],
)  # fmt: skip
def test_a_poll_is_due_every_interval_and_at_closing_time_but_never_before_the_feed_allows(
    known: ClosingState, now: datetime, due: bool
) -> None:
    assert poll_due(known, now, QUARTER, CLOSES) is due


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


START = at(MONDAY)
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


# Written down by the publisher, in a real store


class Listed:
    """A feed with given papers, which fails while told to."""

    def __init__(self, *papers: Paper) -> None:
        self.papers = list(papers)
        self.fault: str | None = None
        self.asked: list[list[date]] = []

    async def newest_day(self, until: date) -> date | None:
        self._fail()
        return max((each.listed_on for each in self.papers if each.listed_on <= until), default=None)

    async def poll(self, days: list[date], *, now: datetime, progress: object = None) -> Found:
        self._fail()
        self.asked.append(days)
        found = [each for each in self.papers if each.listed_on in days and each.listed_at <= now]
        return Found(found, frozenset(days))

    def _fail(self) -> None:
        if self.fault:
            raise FeedError(self.fault)


def publisher(store: Store, feed: Listed) -> Publisher:
    return Publisher(store, feed, interval=QUARTER, closes=CLOSES)


async def subscribe(store: Store, *names: str) -> None:
    async with store.write() as connection:
        for name in names:
            await subscriber_queries.add(connection, Address("outbox", name), Preferences(), now=START)


async def audiences(store: Store) -> dict[date, int]:
    async with store.read() as connection:
        return {each.day: each.audience for each in await reports(connection) if each.cadence is Cadence.DAY}


async def test_the_first_start_closes_the_newest_finished_day_without_being_asked_for_a_date(store: Store) -> None:
    await subscribe(store, "ada")
    feed = Listed(paper(1, at(MONDAY, 8)), paper(2, at(TUESDAY, 8)), paper(3, at(WEDNESDAY, 8)))
    assert await publisher(store, feed).step(at(WEDNESDAY, 9))
    assert await audiences(store) == {TUESDAY: 1}
    async with store.read() as connection:
        first = await edition_queries.latest(connection, Cadence.DAY)
        known = await closing_state.load(connection)
    assert first is not None
    assert ids(first) == ["2511.00002"]
    assert (known.origin, known.settled) == (TUESDAY, TUESDAY)


async def test_of_several_closable_days_only_the_newest_has_an_audience(store: Store) -> None:
    await subscribe(store, "ada", "bo")
    feed = Listed(*(paper(number, at(MONDAY + number * DAY, 8)) for number in range(4)))
    service = publisher(store, feed)
    await service.step(at(MONDAY, 22))
    await service.step(at(FRIDAY, 9))
    assert await audiences(store) == {MONDAY: 2, TUESDAY: 0, WEDNESDAY: 0, THURSDAY: 2}
    assert feed.asked[-1][0] == MONDAY


async def test_a_weekend_closes_nothing_and_loses_nothing(store: Store) -> None:
    feed = Listed(paper(1, at(FRIDAY, 8)), paper(2, at(FRIDAY, 23)), paper(3, at(NEXT_MONDAY, 8)))
    service = publisher(store, feed)
    now = at(FRIDAY, 22)
    while now <= at(NEXT_MONDAY, 22):
        await service.step(now)
        now += HOUR
    async with store.read() as connection:
        held = {each.day: each.papers for each in await reports(connection) if each.cadence is Cadence.DAY}
    assert held == {FRIDAY: 1, NEXT_MONDAY: 2}


async def test_a_feed_down_for_three_hours_is_closed_from_what_is_stored_and_marked_so(store: Store) -> None:
    feed = Listed(paper(1, at(MONDAY, 8)), paper(2, at(TUESDAY, 8)), paper(3, at(TUESDAY, 20)))
    service = publisher(store, feed)
    await service.step(at(MONDAY, 22))
    await service.step(at(TUESDAY, 12))
    feed.fault = "feed.example could not be reached"
    now = at(TUESDAY, 18)
    while now < at(WEDNESDAY, 1):
        await service.step(now)
        now += QUARTER
    assert set(await audiences(store)) == {MONDAY}
    await service.step(now)
    async with store.read() as connection:
        stored = await edition_queries.of_day(connection, Cadence.DAY, TUESDAY)
    assert stored is not None
    assert (ids(stored), stored.complete, stored.closed_at) == (["2511.00002"], False, at(WEDNESDAY, 1))
    feed.fault = None
    feed.papers.append(paper(4, at(WEDNESDAY, 8)))
    await service.step(at(WEDNESDAY, 22))
    async with store.read() as connection:
        caught_up = await edition_queries.latest(connection, Cadence.DAY)
    assert caught_up is not None
    assert (sorted(ids(caught_up)), caught_up.complete) == (["2511.00003", "2511.00004"], True)


async def test_a_step_returns_whether_it_did_something_and_when_to_run_next(store: Store) -> None:
    service = publisher(store, Listed(paper(1, at(MONDAY, 8))))
    now = at(MONDAY, 21, 50)
    assert not await service.step(now)  # no finished day yet: the feed answered, but with nothing to begin with
    assert await service.poller.next_poll(now) == at(MONDAY, 22)
    assert await service.step(at(MONDAY, 22))
    assert not await service.step(at(MONDAY, 22, 1))
    assert await service.poller.next_poll(at(MONDAY, 22, 1)) == at(MONDAY, 22, 15)


async def test_closing_today_early_leaves_the_rest_of_the_day_for_the_next_edition(store: Store) -> None:
    await subscribe(store, "ada")
    feed = Listed(paper(1, at(MONDAY, 8)), paper(2, at(TUESDAY, 8)), paper(3, at(TUESDAY, 20)), paper(4, at(WEDNESDAY)))
    service = publisher(store, feed)
    await service.step(at(MONDAY, 22))
    await service.poller.poll(at(TUESDAY, 9))
    [early] = await service.close_early(at(TUESDAY, 9))
    assert (early.edition.day, ids(early.edition), early.audience) == (TUESDAY, ["2511.00002"], 1)
    assert await service.close_early(at(TUESDAY, 10)) == []
    await service.step(at(TUESDAY, 22))
    await service.step(at(WEDNESDAY, 22))
    async with store.read() as connection:
        held = {each.day: each.papers for each in await reports(connection) if each.cadence is Cadence.DAY}
    assert held == {MONDAY: 1, TUESDAY: 1, WEDNESDAY: 2}


async def test_a_day_without_a_list_is_not_closed_early_either(store: Store) -> None:
    feed = Listed(paper(1, at(FRIDAY, 8)), paper(2, at(FRIDAY, 23)))
    service = publisher(store, feed)
    await service.step(at(FRIDAY, 22))
    await service.poller.poll(at(SATURDAY, 9))
    assert await service.close_early(at(SATURDAY, 9)) == []


@pytest.mark.parametrize(("deliver", "audience"), [(False, 0), (True, 1)])
async def test_a_past_day_is_published_to_the_archive_only_by_default(
    store: Store, deliver: bool, audience: int
) -> None:
    await subscribe(store, "ada")
    feed = Listed(paper(1, at(MONDAY, 8)), paper(2, at(TUESDAY, 8)), paper(3, at(WEDNESDAY, 8)))
    service = publisher(store, feed)
    await service.step(at(WEDNESDAY, 22))
    published = await service.back_fill(MONDAY, at(THURSDAY, 9), deliver=deliver)
    assert [(each.edition.day, each.audience) for each in published] == [(MONDAY, audience)]
    again: list[Published] = await service.back_fill(MONDAY, at(THURSDAY, 9), deliver=deliver)
    assert again == []


async def test_a_day_published_by_hand_delays_no_other_papers(store: Store) -> None:
    late = paper(2, at(MONDAY, 23))
    feed = Listed(paper(1, at(MONDAY, 8)), late, paper(3, at(TUESDAY, 8)), paper(4, at(WEDNESDAY, 8)))
    service = publisher(store, feed)
    await service.step(at(MONDAY, 22))
    await service.back_fill(TUESDAY, at(WEDNESDAY, 9), deliver=False)
    await service.step(at(WEDNESDAY, 22))
    async with store.read() as connection:
        wednesday = await edition_queries.of_day(connection, Cadence.DAY, WEDNESDAY)
    assert wednesday is not None
    assert ids(wednesday) == [late.id, paper(4, at(WEDNESDAY, 8)).id]


def test_a_day_of_which_only_known_papers_are_stored_waits_for_the_feed() -> None:
    known = ClosingState(MONDAY, MONDAY, at(TUESDAY, 1), at(WEDNESDAY, 2), failing_since=at(TUESDAY, 2))
    relisted = paper(1, at(TUESDAY))
    assert close(known, [relisted], [relisted.id], closes=CLOSES, now=at(WEDNESDAY, 2)) == ([], MONDAY)
