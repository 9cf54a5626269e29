"""A feed that misbehaves costs nobody an edition: one line when it breaks, one when it is well, nothing in between."""

import logging
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, time, timedelta

import pytest

from bot.model import Address, Cadence, Edition, Paper, Preferences
from bot.publishing.feed import Feed
from bot.publishing.publisher import Publisher
from bot.rules.closing import ClosingState
from bot.runtime.http import Fetcher
from bot.store import Store, closing_state, edition_queries, paper_queries, subscriber_queries
from bot.store.edition_report import reports
from tests.support.feed_faults import Fault
from tests.support.feed_server import FeedServer, row

pytestmark = pytest.mark.slow

MONDAY, TUESDAY, WEDNESDAY = date(2025, 11, 3), date(2025, 11, 4), date(2025, 11, 5)
QUARTER, HOUR = timedelta(minutes=15), timedelta(hours=1)

BROKEN = {
    "an HTML page": Fault.html_page,
    "a bare number": Fault.bare_number,
    "a list of strings": Fault.list_of_strings,
    "half a document": Fault.truncated_json,
    "200 MB of zeros": Fault.zeros(),
    "a gzip bomb": Fault.gzip_bomb,
    "no answer": Fault.hang,
    "a dead line": Fault.drop,
    "an error": Fault.status(500),
    "an outage": Fault.status(503),
    "a wrong address": Fault.status(404),
    "too many requests": Fault.rate_limited(),
}

broken = pytest.mark.parametrize("fault", BROKEN.values(), ids=BROKEN.keys())
on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
"""What a fault stores, nothing, it stores on both databases; one will do for the many faults."""


@pytest.fixture
async def server() -> AsyncIterator[FeedServer]:
    days = {
        MONDAY: [row(f"2511.0010{n}", day=MONDAY, votes=n) for n in range(4)],
        TUESDAY: [row(f"2511.0020{n}", day=TUESDAY, hour=5 * n, votes=n) for n in range(5)],
        WEDNESDAY: [row("2511.00300", day=WEDNESDAY, hour=1)],
    }
    async with FeedServer(days) as server:
        yield server


class Service:
    """A publisher that reads the server, at the server's own time."""

    def __init__(self, store: Store, server: FeedServer, feed: Feed) -> None:
        self.store, self.server = store, server
        self.publisher = Publisher(store, feed, interval=QUARTER, closes=time(22))

    async def step(self, day: date, hour: int, minute: int = 0) -> bool:
        self.server.now = datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC)
        return await self.publisher.step(self.server.now)

    async def stored(self) -> tuple[list[Paper], ClosingState]:
        async with self.store.read() as connection:
            kept = await paper_queries.listed(connection, date.min, date.max)
            known = await closing_state.load(connection)
        return sorted(kept, key=lambda paper: paper.id), known

    async def editions(self) -> dict[date, tuple[int, int, bool]]:
        """For each day its papers, its audience, and whether it is complete."""
        async with self.store.read() as connection:
            return {each.day: (each.papers, each.audience, each.complete) for each in await reports(connection)}

    async def latest(self) -> Edition:
        async with self.store.read() as connection:
            found = await edition_queries.latest(connection, Cadence.DAY)
        assert found is not None
        return found


@pytest.fixture
async def service(store: Store, server: FeedServer, request: pytest.FixtureRequest) -> AsyncIterator[Service]:
    async with store.write() as connection:
        await subscriber_queries.add(connection, Address("outbox", "ada"), Preferences(), now=datetime.now(UTC))
    silent = "no answer" in request.node.name
    async with Feed(server.url, fetcher=Fetcher(total=1 if silent else 30, largest=1 << 20)) as feed:
        yield Service(store, server, feed)


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO)
    return caplog


def complaints(log: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in log.records if record.levelno >= logging.WARNING]


def told(log: pytest.LogCaptureFixture, message: str) -> int:
    return sum(record.getMessage() == message for record in log.records)


@on_sqlite
@broken
async def test_a_fault_is_told_once_stores_nothing_and_the_edition_goes_out_all_the_same(
    fault: Fault, service: Service, server: FeedServer, log: pytest.LogCaptureFixture
) -> None:
    await service.step(MONDAY, 22)
    await service.step(TUESDAY, 9)
    before, known = await service.stored()

    server.fault = fault
    for hour in (12, 13):
        assert not await service.step(TUESDAY, hour)
    after, since = await service.stored()
    assert after == before
    assert (since.polled_at, since.settled) == (known.polled_at, known.settled)
    assert complaints(log) == ["feed cannot be read"]

    server.fault = None
    await service.step(TUESDAY, 22)
    assert complaints(log) == ["feed cannot be read"]
    assert told(log, "feed can be read again") == 1
    assert not any(record.exc_info for record in log.records)
    assert await service.editions() == {MONDAY: (4, 1, True), TUESDAY: (5, 1, True)}


@on_sqlite
@broken
async def test_a_first_start_waits_for_the_feed_and_then_begins(
    fault: Fault, service: Service, server: FeedServer, log: pytest.LogCaptureFixture
) -> None:
    server.fault = fault
    for hour in (9, 10):
        assert not await service.step(TUESDAY, hour)
    kept, known = await service.stored()
    assert (kept, known.origin, known.settled, known.polled_at) == ([], None, None, None)
    assert complaints(log) == ["feed cannot be read"]

    server.fault = None
    assert await service.step(TUESDAY, 11)
    assert await service.editions() == {MONDAY: (4, 1, True)}
    assert told(log, "feed can be read again") == 1
    assert not any(record.exc_info for record in log.records)


async def test_the_fault_of_one_days_list_is_that_days_alone(service: Service, server: FeedServer) -> None:
    await service.step(MONDAY, 22)
    before, _ = await service.stored()
    server.fault = Fault.truncated_json.only(day=TUESDAY)
    server.days[MONDAY].append(row("2511.00109", day=MONDAY, hour=23))
    assert await service.step(TUESDAY, 12)
    after, _ = await service.stored()
    assert {paper.id for paper in after} - {paper.id for paper in before} == {"2511.00109"}


async def test_another_fault_is_told_again(service: Service, server: FeedServer, log: pytest.LogCaptureFixture) -> None:
    await service.step(MONDAY, 22)
    for hour, fault in enumerate([Fault.status(503), Fault.status(503), Fault.html_page, Fault.status(503)]):
        server.fault = fault
        await service.step(TUESDAY, hour)
    assert complaints(log) == ["feed cannot be read"] * 3


async def test_a_list_that_is_suddenly_empty_takes_nothing_off_it(service: Service, server: FeedServer) -> None:
    await service.step(MONDAY, 22)
    await service.step(TUESDAY, 20)
    before, _ = await service.stored()
    server.fault = Fault.empty
    await service.step(TUESDAY, 21)
    assert (await service.stored())[0] == before
    await service.step(TUESDAY, 22)
    assert await service.editions() == {MONDAY: (4, 1, True), TUESDAY: (5, 1, True)}


async def test_one_bad_row_never_sinks_a_day(
    service: Service, server: FeedServer, log: pytest.LogCaptureFixture
) -> None:
    server.fault = Fault.one_bad_row
    await service.step(MONDAY, 22)
    await service.step(TUESDAY, 22)
    assert await service.editions() == {MONDAY: (4, 1, True), TUESDAY: (5, 1, True)}
    assert told(log, "feed cannot be read") == 0


async def test_too_many_requests_are_waited_for_as_long_as_the_feed_says_even_at_closing_time(
    service: Service, server: FeedServer
) -> None:
    await service.step(MONDAY, 22)
    server.fault = Fault.rate_limited(20 * 60).only(times=10)
    await service.step(TUESDAY, 21, 50)
    asked = len(server.requests)
    server.fault = None
    for hour, minute in ((21, 59), (22, 0), (22, 5), (22, 9)):
        assert not await service.step(TUESDAY, hour, minute)
    assert len(server.requests) == asked
    assert await service.step(TUESDAY, 22, 10)
    assert TUESDAY in await service.editions()


async def test_down_from_before_closing_time_until_three_hours_after_it_closes_from_what_is_stored(
    service: Service, server: FeedServer, log: pytest.LogCaptureFixture
) -> None:
    await service.step(MONDAY, 22)
    await service.step(TUESDAY, 12)  # lists three of five: those of 00:00, 05:00 and 10:00
    server.fault = Fault.status(503)
    for hour, minute in ((21, 0), (22, 0), (23, 0)):
        await service.step(TUESDAY, hour, minute)
    await service.step(WEDNESDAY, 0, 59)
    assert set(await service.editions()) == {MONDAY}
    await service.step(WEDNESDAY, 1, 14)
    assert await service.editions() == {MONDAY: (4, 1, True), TUESDAY: (3, 1, False)}
    assert complaints(log) == ["feed cannot be read"]

    server.fault = None
    await service.step(WEDNESDAY, 9)
    await service.step(WEDNESDAY, 22)
    late = await service.latest()
    assert (late.day, late.complete) == (WEDNESDAY, True)
    assert {each.paper.id for each in late.papers} == {"2511.00203", "2511.00204", "2511.00300"}
    assert told(log, "feed can be read again") == 1


async def test_down_all_day_there_is_nothing_to_close_from_and_the_day_waits(
    service: Service, server: FeedServer
) -> None:
    await service.step(MONDAY, 23)
    server.fault = Fault.status(503)
    for hour in range(24):
        await service.step(TUESDAY, hour)
    await service.step(WEDNESDAY, 4)
    assert set(await service.editions()) == {MONDAY}
    server.fault = None
    await service.step(WEDNESDAY, 9)
    assert await service.editions() == {MONDAY: (4, 1, True), TUESDAY: (5, 1, True)}


async def test_a_server_that_is_gone_and_comes_back_is_found_again(
    service: Service, server: FeedServer, log: pytest.LogCaptureFixture
) -> None:
    await service.step(MONDAY, 22)
    await server.__aexit__(None, None, None)
    for hour in (9, 12):
        assert not await service.step(TUESDAY, hour)
    await server.__aenter__()
    await service.step(TUESDAY, 22)
    assert complaints(log) == ["feed cannot be read"]
    assert await service.editions() == {MONDAY: (4, 1, True), TUESDAY: (5, 1, True)}
