"""Papers by day and month: what is not known is no zero, and the mean is that of a whole week."""

from datetime import date, timedelta

import pytest

from bot.rules.trend import DAYS, LEAST_DAYS, by_day, by_month, first_counted, running_mean, scale

LAST = date(2026, 4, 29)


def test_a_day_without_papers_is_zero_and_one_before_the_first_is_unknown() -> None:
    begins = LAST - timedelta(days=9)
    days, mean = by_day({LAST: 20, LAST - timedelta(days=3): 8}, begins, LAST)
    assert [day for day, _ in days] == [LAST - timedelta(days=n) for n in reversed(range(DAYS))]
    assert [count for _, count in days][-10:] == [0, 0, 0, 0, 0, 0, 8, 0, 0, 20]
    assert [count for _, count in days][:-10] == [None] * 20
    assert mean[-1] == 28 / 7
    assert mean[-4] == 8 / 7
    assert mean[:-4] == [None] * 26


def test_the_mean_of_the_first_day_shown_counts_days_before_it() -> None:
    counts = {LAST - timedelta(days=n): 7 for n in range(60)}
    _, mean = by_day(counts, LAST - timedelta(days=60), LAST)
    assert mean == [7.0] * DAYS
    assert first_counted(LAST) == LAST - timedelta(days=35)


def test_too_few_days_are_no_chart() -> None:
    assert by_day({LAST: 3}, LAST - timedelta(days=LEAST_DAYS - 2), LAST) == ([], [])
    assert by_day({}, None, LAST) == ([], [])
    assert by_day({LAST: 3}, LAST - timedelta(days=LEAST_DAYS - 1), LAST)[0]


def test_months_begin_with_the_first_whole_one() -> None:
    counts = {date(2026, 1, 9): 5, date(2026, 2, 3): 7, date(2026, 3, 1): 1, date(2026, 3, 31): 2, LAST: 4}
    months = [(date(2026, 2, 1), 7), (date(2026, 3, 1), 3), (date(2026, 4, 1), 4)]
    assert by_month(counts, date(2026, 1, 9), LAST) == months
    assert by_month(counts, date(2026, 2, 2), LAST) == []
    assert by_month(counts, None, LAST) == []
    assert len(by_month(counts, date(2020, 1, 1), LAST)) == 12


def test_a_mean_needs_all_of_its_values() -> None:
    assert running_mean([1, 2, None, 3, 5], over=2) == [None, 1.5, None, None, 4.0]


@pytest.mark.parametrize(
    ("highest", "edge"), [(0, [1, 2]), (4, [1, 2, 3, 4]), (33, [10, 20, 30, 40]), (401, [200, 400, 600])]
)
def test_a_scale_has_few_round_numbers(highest: int, edge: list[int]) -> None:
    assert scale(highest) == edge
    for number in range(1500):
        assert scale(number)[-1] >= number
        assert 2 <= len(scale(number)) <= 5
