"""A list day that the feed cannot give costs that day alone; later days close at their own hour, and it comes late."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest

from bot.delivery.housekeeping import Housekeeping
from bot.model import Address, Cadence, Edition, Preferences
from bot.publishing.feed import Feed, FeedError
from bot.publishing.publisher import Publisher
from bot.rules.periods import period_of
from bot.store import Store, closing_state, edition_queries, paper_queries, subscriber_queries, unread_days
from bot.store.edition_report import Report, reports
from tests.publishing.test_replay import recorded
from tests.support.feed_faults import Fault
from tests.support.feed_server import FeedServer, Row, row

CLOSES = time(22)
DAY = timedelta(days=1)
QUARTER = timedelta(minutes=15)
MONDAY = date(2025, 11, 3)
TUESDAY, WEDNESDAY, THURSDAY, FRIDAY, SATURDAY, SUNDAY, NEXT_MONDAY, NEXT_TUESDAY = (
    MONDAY + n * DAY for n in range(1, 9)
)
WEEKDAYS = (MONDAY, TUESDAY, WEDNESDAY, THURSDAY, FRIDAY, NEXT_MONDAY, NEXT_TUESDAY)
READERS = (Cadence.DAY, Cadence.WEEK, Cadence.MONTH)
POISONS = {
    "no list": Fault.bare_number,
    "a web page": Fault.html_page,
    "half a list": Fault.truncated_json,
    "always 500": Fault.status(500),
}

poisoned = pytest.mark.parametrize("poison", POISONS.values(), ids=POISONS.keys())
on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@dataclass
class Newsroom:
    """A publisher that reads a local feed at the feed's own time, and what it tells the operator."""

    store: Store
    server: FeedServer
    feed: Feed
    alerts: list[tuple[str, dict[str, object]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.publisher = Publisher(self.store, self.feed, interval=QUARTER, closes=CLOSES, alert=self.alert)

    def alert(self, event: str, now: datetime, **fields: object) -> None:
        if event != "edition published":
            self.alerts.append((event, fields))

    async def step(self, day: date, hour: int, minute: int = 0) -> None:
        self.server.now = datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC)
        while await self.publisher.step(self.server.now):
            pass

    async def live(self, first: date, last: date) -> None:
        """Every three hours from one day's start to another's end, and at closing time."""
        for day in (first + n * DAY for n in range((last - first).days + 1)):
            for hour in (2, 5, 8, 11, 14, 17, 20, 22, 23):
                await self.step(day, hour)

    async def reports(self, cadence: Cadence = Cadence.DAY) -> dict[date, Report]:
        async with self.store.read() as connection:
            return {each.day: each for each in await reports(connection, limit=500) if each.cadence is cadence}

    async def edition(self, day: date, cadence: Cadence = Cadence.DAY) -> Edition | None:
        async with self.store.read() as connection:
            return await edition_queries.of_day(connection, cadence, day)

    async def held(self, day: date) -> set[str]:
        edition = await self.edition(day)
        return {ranked.paper.id for ranked in edition.papers} if edition else set()

    async def unread(self) -> list[date]:
        async with self.store.read() as connection:
            return list(await unread_days.load(connection))


@pytest.fixture
async def newsroom(store: Store) -> AsyncIterator[Newsroom]:
    days = {
        day: [row(f"2511.{number}0{n}00", day=day, hour=1 + 4 * n, votes=n) for n in range(3)]
        for number, day in enumerate(WEEKDAYS, start=1)
    }
    async with store.write() as connection:
        for cadence in READERS:
            wanted = Preferences(cadence=cadence)
            await subscriber_queries.add(connection, Address("outbox", cadence), wanted, now=datetime.now(UTC))
    async with FeedServer(days) as server, Feed(server.url) as feed:
        yield Newsroom(store, server, feed)


def ids(number: int, *which: int) -> set[str]:
    return {f"2511.{number}0{n}00" for n in which or range(3)}


@on_sqlite
@poisoned
async def test_later_days_close_at_their_own_hour_and_the_late_one_comes_in_by_itself(
    newsroom: Newsroom, poison: Fault
) -> None:
    await newsroom.step(MONDAY, 22)
    newsroom.server.fault = poison.only(day=TUESDAY)
    await newsroom.live(TUESDAY, WEDNESDAY)
    assert {day: each.audience for day, each in (await newsroom.reports()).items()} == {MONDAY: 1, WEDNESDAY: 1}
    wednesday = await newsroom.edition(WEDNESDAY)
    assert wednesday is not None
    assert (wednesday.closed_at, wednesday.complete) == (datetime(2025, 11, 5, 22, tzinfo=UTC), True)
    assert newsroom.publisher.poller.fault is None

    newsroom.server.fault = None
    await newsroom.step(THURSDAY, 9)
    late = await newsroom.edition(TUESDAY)
    assert late is not None
    assert (await newsroom.held(TUESDAY), late.complete) == (ids(2), True)
    assert {day: each.audience for day, each in (await newsroom.reports()).items()} == {
        MONDAY: 1, TUESDAY: 0, WEDNESDAY: 1,
    }  # fmt: skip
    assert await newsroom.unread() == []


async def test_the_operator_is_told_once_after_a_day(newsroom: Newsroom, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    await newsroom.step(MONDAY, 22)
    newsroom.server.fault = Fault.status(500).only(day=TUESDAY)
    await newsroom.live(TUESDAY, TUESDAY)
    housekeeping = Housekeeping(newsroom.store, newsroom.alert, closes=CLOSES)
    await housekeeping.step(datetime(2025, 11, 5, 1, tzinfo=UTC))
    await newsroom.step(WEDNESDAY, 21, 59)
    assert newsroom.alerts == []
    await newsroom.live(WEDNESDAY, FRIDAY)
    [(event, fields)] = newsroom.alerts
    assert event == "the list of a day cannot be read, closing goes on without it"
    assert (fields["day"], fields["reason"]) == ("2025-11-04", "127.0.0.1 answered 500 Internal Server Error")
    newsroom.server.fault = None
    await newsroom.step(SATURDAY, 9)
    told = [record.getMessage() for record in caplog.records if record.getMessage() != "polled"]
    assert told.count("list of a day cannot be read") == 1
    assert told.count("list of a day can be read again") == 1
    assert not {"feed cannot be read", "feed can be read again"} & set(told)


async def test_a_day_that_is_well_again_before_a_later_one_closes_still_reaches_readers(newsroom: Newsroom) -> None:
    await newsroom.step(MONDAY, 22)
    newsroom.server.fault = Fault.status(500).only(day=TUESDAY)
    await newsroom.live(TUESDAY, TUESDAY)
    newsroom.server.fault = None
    await newsroom.step(WEDNESDAY, 9)
    assert (await newsroom.reports())[TUESDAY].audience == 1


@on_sqlite
async def test_a_day_read_in_part_closes_from_that_after_three_hours_and_the_rest_comes_later(
    newsroom: Newsroom,
) -> None:
    await newsroom.step(MONDAY, 22)
    await newsroom.step(TUESDAY, 4)  # one of three
    newsroom.server.fault = Fault.status(500).only(day=TUESDAY)
    await newsroom.step(TUESDAY, 22)
    await newsroom.step(WEDNESDAY, 0, 59)
    assert await newsroom.edition(TUESDAY) is None
    await newsroom.step(WEDNESDAY, 1, 14)
    tuesday = await newsroom.edition(TUESDAY)
    assert tuesday is not None
    assert (await newsroom.held(TUESDAY), tuesday.complete) == (ids(2, 0), False)
    await newsroom.live(WEDNESDAY, WEDNESDAY)
    assert await newsroom.held(WEDNESDAY) == ids(3)
    newsroom.server.fault = None
    await newsroom.live(THURSDAY, THURSDAY)
    assert await newsroom.held(THURSDAY) == ids(4) | ids(2, 1, 2)


@on_sqlite
async def test_what_a_later_edition_took_along_is_not_in_the_late_one(newsroom: Newsroom) -> None:
    await newsroom.step(MONDAY, 22)
    await newsroom.step(TUESDAY, 4)
    newsroom.server.fault = Fault.status(500).only(day=TUESDAY)
    await newsroom.step(THURSDAY, 1)  # the process was down on Wednesday
    assert await newsroom.held(WEDNESDAY) == ids(3) | ids(2, 0)
    newsroom.server.fault = None
    await newsroom.step(THURSDAY, 9)
    assert await newsroom.held(TUESDAY) == ids(2, 1, 2)


async def test_a_late_list_takes_no_paper_back_to_an_older_day(newsroom: Newsroom) -> None:
    await newsroom.step(MONDAY, 22)
    newsroom.server.days[TUESDAY].append(row("2511.30000", day=TUESDAY))  # it is on Wednesday's list as well
    newsroom.server.fault = Fault.status(500).only(day=TUESDAY)
    await newsroom.live(TUESDAY, THURSDAY)
    newsroom.server.fault = None
    await newsroom.live(FRIDAY, FRIDAY)
    assert await newsroom.held(TUESDAY) == ids(2)
    async with newsroom.store.read() as connection:
        [paper] = await paper_queries.by_ids(connection, ["2511.30000"])
    assert paper.listed_on == WEDNESDAY


@on_sqlite
async def test_a_late_friday_leaves_thursdays_last_papers_to_mondays_readers(newsroom: Newsroom) -> None:
    newsroom.server.days[THURSDAY].append(row("2511.40900", day=THURSDAY, hour=23))
    await newsroom.step(MONDAY, 22)
    newsroom.server.fault = Fault.status(500).only(day=FRIDAY)
    await newsroom.live(TUESDAY, SUNDAY)
    newsroom.server.fault = None
    await newsroom.live(NEXT_MONDAY, NEXT_MONDAY)
    assert await newsroom.held(FRIDAY) == ids(5)
    assert (await newsroom.reports())[FRIDAY].audience == 0, "it had been set aside on Saturday"
    assert await newsroom.held(NEXT_MONDAY) == ids(6) | {"2511.40900"}


@on_sqlite
async def test_a_week_closes_without_an_unreadable_day_and_is_marked(newsroom: Newsroom) -> None:
    await newsroom.step(MONDAY, 22)
    newsroom.server.fault = Fault.status(500).only(day=FRIDAY)
    await newsroom.live(TUESDAY, SUNDAY)
    week = await newsroom.edition(SUNDAY, Cadence.WEEK)
    assert week is not None
    assert (week.closed_at, week.complete) == (datetime(2025, 11, 9, 22, tzinfo=UTC), False)
    assert {ranked.paper.id for ranked in week.papers} == ids(1) | ids(2) | ids(3) | ids(4)
    assert (await newsroom.reports(Cadence.WEEK))[SUNDAY].audience == 1


@on_sqlite
async def test_a_week_published_afterwards_without_an_unreadable_day_is_marked_too(newsroom: Newsroom) -> None:
    await newsroom.step(MONDAY, 22)
    newsroom.server.fault = Fault.status(500).only(day=FRIDAY)
    await newsroom.live(TUESDAY, SATURDAY)
    week = period_of(Cadence.WEEK, SUNDAY)
    [published] = await newsroom.publisher.publish_period(week, datetime(2025, 11, 9, 21, tzinfo=UTC))
    assert (published.edition.day, published.edition.complete, published.audience) == (SUNDAY, False, 0)


@on_sqlite
async def test_a_week_waits_three_hours_for_votes_of_a_day_that_was_read_before(newsroom: Newsroom) -> None:
    await newsroom.step(MONDAY, 22)
    await newsroom.live(TUESDAY, SATURDAY)
    newsroom.server.fault = Fault.status(500).only(day=TUESDAY)
    await newsroom.step(SUNDAY, 22)
    assert await newsroom.edition(SUNDAY, Cadence.WEEK) is None
    await newsroom.step(NEXT_MONDAY, 1)
    week = await newsroom.edition(SUNDAY, Cadence.WEEK)
    assert week is not None
    assert (len(week.papers), week.complete) == (15, False)


@on_sqlite
async def test_publishing_by_hand_frees_a_later_day_and_takes_a_late_one_in(newsroom: Newsroom) -> None:
    await newsroom.step(MONDAY, 22)
    newsroom.server.fault = Fault.status(500).only(day=TUESDAY)
    await newsroom.live(TUESDAY, TUESDAY)
    now = newsroom.server.now = datetime(2025, 11, 5, 9, tzinfo=UTC)
    assert await newsroom.publisher.poller.poll(now)
    [early] = await newsroom.publisher.close_early(now)
    assert (early.edition.day, early.audience) == (WEDNESDAY, 1)
    with pytest.raises(FeedError, match="500"):
        await newsroom.publisher.backfill(TUESDAY, now, deliver=False)
    newsroom.server.fault = None
    [late] = await newsroom.publisher.backfill(TUESDAY, now, deliver=False)
    assert {each.paper.id for each in late.edition.papers} == ids(2)
    assert await newsroom.unread() == []


@on_sqlite
async def test_a_day_set_aside_is_asked_for_once_an_hour(newsroom: Newsroom) -> None:
    await newsroom.step(MONDAY, 22)
    newsroom.server.fault = Fault.status(500).only(day=TUESDAY)
    await newsroom.live(TUESDAY, WEDNESDAY)
    newsroom.server.requests.clear()
    for minute in (0, 15, 30, 45):
        await newsroom.step(THURSDAY, 9, minute)
    assert [asked.query.get("date") for asked in newsroom.server.requests].count("2025-11-04") == 1


@on_sqlite
async def test_a_feed_that_asks_to_wait_keeps_the_days_it_gave(newsroom: Newsroom) -> None:
    await newsroom.step(MONDAY, 22)
    newsroom.server.fault = Fault.rate_limited(1200).only(day=TUESDAY)
    await newsroom.step(TUESDAY, 9)
    async with newsroom.store.read() as connection:
        known = await closing_state.load(connection)
    assert known.retry_at == datetime(2025, 11, 4, 9, 20, tzinfo=UTC)
    assert await newsroom.unread() == [TUESDAY]
    newsroom.server.fault = None
    await newsroom.step(TUESDAY, 22)
    assert await newsroom.held(TUESDAY) == ids(2)


@on_sqlite
async def test_thirty_recorded_days_with_three_of_them_poisoned(reference: Path, store: Store) -> None:
    days: dict[date, list[Row]] = recorded(reference, slice(8, 38))
    lists = sorted(days)
    always, three_days, failing = lists[6], lists[13], lists[21]
    for name in READERS:
        async with store.write() as connection:
            await subscriber_queries.add(
                connection, Address("outbox", name), Preferences(cadence=name), now=datetime.now(UTC)
            )
    async with FeedServer(days) as server, Feed(server.url) as feed:
        newsroom = Newsroom(store, server, feed)
        await newsroom.step(lists[0], 22)
        for day in (lists[0] + n * DAY for n in range(1, (lists[-1] - lists[0]).days + 2)):
            server.fault = [Fault.bare_number.only(day=always), Fault.status(500).only(day=failing)]
            if three_days <= day < three_days + 3 * DAY:
                server.fault = [*server.faults, Fault.list_of_strings.only(day=three_days)]
            for hour in (2, 9, 16, 22):
                await newsroom.step(day, hour)
        found = await newsroom.reports()
        assert set(found) == set(lists) - {always, failing}
        assert {day: each.audience for day, each in found.items()} == {
            day: 0 if day == three_days else 1 for day in found
        }
        closed = [edition for day in found if (edition := await newsroom.edition(day)) is not None]
        assert all(edition.closed_at == datetime.combine(edition.day, CLOSES, UTC) for edition in closed
                   if edition.day != three_days)  # fmt: skip
        assert all(edition.complete for edition in closed)
        times = Counter(ranked.paper.id for edition in closed for ranked in edition.papers)
        assert set(times.values()) == {1}
        elsewhere = {name["paper"]["id"] for day in found for name in days[day]}
        assert set(times) == elsewhere
        assert [fields["day"] for _, fields in newsroom.alerts] == [f"{always}", f"{three_days}", f"{failing}"]
        weeks = [await newsroom.edition(day, Cadence.WEEK) for day in await newsroom.reports(Cadence.WEEK)]
        assert {week.day for week in weeks if week and not week.complete} == {
            day + (6 - day.weekday()) * DAY for day in (always, failing)
        }
