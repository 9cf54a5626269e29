"""Past days filled into the archive: with the weeks and months that they complete, and no day held up by another."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, time, timedelta

import pytest

from bot.model import Cadence
from bot.publishing.backfill import Filled, backfill
from bot.publishing.feed import Feed
from bot.publishing.publisher import Publisher
from bot.store import Store
from tests.support.feed_faults import Fault
from tests.support.feed_server import FeedServer, row

DAY = timedelta(days=1)
FIRST, LAST = date(2025, 10, 1), date(2025, 11, 5)
NOW = datetime(2025, 11, 5, 22, 30, tzinfo=UTC)
on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
async def server() -> AsyncIterator[FeedServer]:
    every = [FIRST + n * DAY for n in range((LAST - FIRST).days + 1)]
    days = {day: [row(f"25{day:%m}.{day:%d}000", day=day), row(f"25{day:%m}.{day:%d}001", day=day, hour=23)]
            for day in every if day.weekday() < 5}  # fmt: skip
    async with FeedServer(days) as server:
        server.now = NOW
        yield server


class Archive:
    """A program that has run since the last day alone, and what it was asked to fill in."""

    def __init__(self, store: Store, feed: Feed) -> None:
        self.store = store
        self.publisher = Publisher(store, feed, interval=timedelta(minutes=15), closes=time(22))
        self.progress: list[tuple[int, int]] = []

    async def fill(self, first: date, last: date) -> Filled:
        def note(done: int, total: int) -> None:
            self.progress.append((done, total))

        return await backfill(self.publisher, self.store, first, last, NOW, progress=note)


@pytest.fixture
async def archive(store: Store, server: FeedServer) -> AsyncIterator[Archive]:
    async with Feed(server.url) as feed:
        opened = Archive(store, feed)
        while await opened.publisher.step(NOW):
            pass
        yield opened


def of(filled: Filled, cadence: Cadence) -> dict[date, int]:
    return {each.edition.day: len(each.edition.papers) for each in filled.published if each.edition.cadence is cadence}


@on_sqlite
async def test_a_range_has_its_days_weeks_and_months_in_order(archive: Archive) -> None:
    filled = await archive.fill(FIRST, LAST - DAY)
    assert len(of(filled, Cadence.DAY)) == 25
    assert of(filled, Cadence.WEEK) == {date(2025, 10, n): 10 for n in (12, 19, 26)} | {date(2025, 11, 2): 10}
    assert of(filled, Cadence.MONTH) == {date(2025, 10, 31): 46}
    assert [each.edition.day for each in filled.published] == sorted(each.edition.day for each in filled.published)
    assert all(each.audience == 0 for each in filled.published)
    assert archive.progress == sorted(archive.progress)
    assert archive.progress[-1] == (35, 35)
    again = await archive.fill(FIRST, LAST - DAY)
    assert (again.published, again.failed) == ([], {})


@on_sqlite
async def test_a_week_that_the_days_do_not_complete_has_no_edition_until_they_do(archive: Archive) -> None:
    filled = await archive.fill(date(2025, 10, 13), date(2025, 10, 16))
    assert of(filled, Cadence.WEEK) == {}
    filled = await archive.fill(date(2025, 10, 17), date(2025, 10, 19))
    assert of(filled, Cadence.WEEK) == {date(2025, 10, 19): 10}


@on_sqlite
async def test_a_day_that_cannot_be_read_costs_itself_and_its_periods(archive: Archive, server: FeedServer) -> None:
    server.fault = Fault.status(500).only(day=date(2025, 10, 14))
    filled = await archive.fill(FIRST, LAST - DAY)
    assert filled.failed == {date(2025, 10, 14): "127.0.0.1 answered 500 Internal Server Error"}
    assert len(of(filled, Cadence.DAY)) == 24
    assert date(2025, 10, 19) not in of(filled, Cadence.WEEK)
    assert of(filled, Cadence.MONTH) == {}
    server.fault = None
    filled = await archive.fill(date(2025, 10, 14), date(2025, 10, 14))
    assert of(filled, Cadence.WEEK) == {date(2025, 10, 19): 10}
    assert of(filled, Cadence.MONTH) == {date(2025, 10, 31): 46}
