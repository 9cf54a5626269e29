"""Weeks and months: when they are over, what their editions hold, whom they reach."""

from __future__ import annotations

import calendar
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.model import Address, Cadence, Edition, Preferences
from bot.rules.closing import DAY
from bot.rules.periods import LONGER, period_of, periods_over
from bot.store import Store, edition_queries, subscriber_queries
from bot.store.edition_report import reports
from tests.support.closing_days import (
    FRIDAY,
    MONDAY,
    NEXT_MONDAY,
    SUNDAY,
    THURSDAY,
    TUESDAY,
    Listed,
    at,
    ids,
    paper,
    publisher,
)

DATES = st.dates(date(2020, 1, 1), date(2030, 12, 31))


@given(DATES)
def test_a_week_is_the_iso_week_and_a_month_the_calendars(day: date) -> None:
    week, month = period_of(Cadence.WEEK, day), period_of(Cadence.MONTH, day)
    assert week.first <= day <= week.last
    assert {(week.first + n * DAY).isocalendar()[:2] for n in range(7)} == {day.isocalendar()[:2]}
    assert week.last - week.first == 6 * DAY
    assert (month.first, month.last) == (
        day.replace(day=1),
        day.replace(day=calendar.monthrange(day.year, day.month)[1]),
    )


@given(st.sampled_from(LONGER), DATES, st.integers(0, 400))
def test_every_day_is_in_one_period_and_each_is_over_once(cadence: Cadence, since: date, days: int) -> None:
    until = since + timedelta(days=days)
    over = list(periods_over(cadence, since, until))
    assert [each.last for each in over] == [
        day for n in range(1, days + 1) if period_of(cadence, day := since + n * DAY).last == day
    ]
    assert all(before.last + DAY == after.first for before, after in pairwise(over))


async def of(store: Store, cadence: Cadence, day: date) -> Edition:
    async with store.read() as connection:
        edition = await edition_queries.of_day(connection, cadence, day)
    assert edition is not None
    return edition


async def reach(store: Store, cadence: Cadence) -> dict[date, int]:
    async with store.read() as connection:
        return {each.day: each.audience for each in await reports(connection) if each.cadence is cadence}


async def test_a_week_holds_its_days_papers_by_the_votes_they_have_on_sunday(store: Store) -> None:
    feed = Listed(paper(1, at(MONDAY, 8), 5), paper(2, at(TUESDAY, 8), 3), paper(3, at(FRIDAY, 8), 1))
    service = publisher(store, feed)
    for n in range(6):
        await service.step(at(MONDAY + n * DAY, 22))
    feed.papers[2] = replace(feed.papers[2], votes=50)
    assert await reach(store, Cadence.WEEK) == {}
    await service.step(at(SUNDAY, 22))
    week = await of(store, Cadence.WEEK, SUNDAY)
    assert [(each.paper.id[-1], each.votes) for each in week.papers] == [("3", 50), ("1", 5), ("2", 3)]
    assert [each.votes for each in (await of(store, Cadence.DAY, FRIDAY)).papers] == [1]


async def test_each_reader_gets_the_cadence_they_chose(store: Store) -> None:
    async with store.write() as connection:
        for cadence in Cadence:
            wanted = Preferences(cadence=cadence)
            await subscriber_queries.add(connection, Address("outbox", cadence.value), wanted, now=at(MONDAY))
    service = publisher(store, Listed(*(paper(n, at(MONDAY + n * DAY, 8)) for n in range(5))))
    for n in range(30):
        await service.step(at(MONDAY + n * DAY, 22))
    assert await reach(store, Cadence.DAY) == {MONDAY + n * DAY: 1 for n in range(5)}
    assert await reach(store, Cadence.WEEK) == {SUNDAY: 1}
    assert await reach(store, Cadence.MONTH) == {date(2025, 11, 30): 1}


async def test_no_paper_is_in_two_editions_of_one_cadence(store: Store) -> None:
    feed = Listed(paper(1, at(MONDAY, 8)), paper(2, at(FRIDAY, 23)), paper(3, at(NEXT_MONDAY, 8)))
    service = publisher(store, feed)
    for n in range(14):
        await service.step(at(MONDAY + n * DAY, 22))
    # Friday's late paper came on Monday, so it is in the next week; the month is another cadence.
    assert ids(await of(store, Cadence.WEEK, SUNDAY)) == [paper(1, at(MONDAY)).id]
    assert ids(await of(store, Cadence.WEEK, SUNDAY + 7 * DAY)) == [paper(n, at(MONDAY)).id for n in (2, 3)]
    for n in range(14, 28):
        await service.step(at(MONDAY + n * DAY, 22))
    assert len((await of(store, Cadence.MONTH, date(2025, 11, 30))).papers) == 3


async def test_after_weeks_without_a_run_only_the_newest_week_is_sent(store: Store) -> None:
    async with store.write() as connection:
        wanted = Preferences(cadence=Cadence.WEEK)
        await subscriber_queries.add(connection, Address("outbox", "ada"), wanted, now=at(MONDAY))
    service = publisher(store, Listed(*(paper(n, at(MONDAY + n * 7 * DAY, 8)) for n in range(3))))
    await service.step(at(MONDAY, 22))
    await service.step(at(MONDAY + 22 * DAY, 9))
    assert await reach(store, Cadence.WEEK) == {SUNDAY: 0, SUNDAY + 7 * DAY: 0, SUNDAY + 14 * DAY: 1}


@pytest.mark.parametrize(("hours", "closed"), [(2, False), (3, True)])
async def test_a_week_waits_three_hours_for_the_feed_and_then_closes_from_what_is_stored(
    store: Store, hours: int, closed: bool
) -> None:
    feed = Listed(paper(1, at(THURSDAY, 8)))
    service = publisher(store, feed)
    for n in range(4):
        await service.step(at(THURSDAY + n * DAY, 21))
    feed.papers.append(paper(2, at(SUNDAY, 20)))  # an own list keeps Sunday open for the feed
    await service.poller.poll(at(SUNDAY, 21, 30))
    feed.fault = "down"
    for quarter in range(hours * 4 + 1):
        await service.step(at(SUNDAY, 22) + quarter * timedelta(minutes=15))
    assert (await reach(store, Cadence.WEEK) == {SUNDAY: 0}) is closed
    if closed:
        assert not (await of(store, Cadence.WEEK, SUNDAY)).complete
