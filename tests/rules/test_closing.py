"""Closing: which papers an edition has, in what order, and when; rule by rule."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.model import Edition, Paper
from bot.rules.closing import (
    ClosingState,
    close,
    days_to_poll,
    newest_finished,
    poll_due,
    rank,
)
from tests.support.closing_days import (
    CLOSES,
    DAY,
    FRIDAY,
    MONDAY,
    NEXT_MONDAY,
    QUARTER,
    SUNDAY,
    THURSDAY,
    TUESDAY,
    WEDNESDAY,
    at,
    ids,
    paper,
)

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
