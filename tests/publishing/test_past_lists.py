"""Days that only the feed has are answered from the feed: one request at a time, kept for an hour, never stored."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import date, datetime, timedelta

import pytest

from bot.model import Found, Preferences
from bot.publishing import past_lists
from bot.publishing.feed import Feed, FeedError
from bot.publishing.past_lists import PastLists
from bot.publishing.poller import Progress
from bot.store import Store, paper_queries
from tests.support.chat import Chat
from tests.support.fake_channel import DAY, NOW, publish
from tests.support.feed_faults import Fault
from tests.support.feed_server import FeedServer, row

PAST, EMPTY = date(2025, 10, 6), date(2025, 10, 7)
HOUR = timedelta(hours=1)


@pytest.fixture
async def server() -> AsyncIterator[FeedServer]:
    async with FeedServer({PAST: [row("2510.00001", day=PAST), row("2510.00002", day=PAST, votes=9)]}) as server:
        server.now = NOW
        yield server


@pytest.fixture
async def feed(server: FeedServer) -> AsyncIterator[Feed]:
    async with Feed(server.url) as opened:
        yield opened


@pytest.fixture
async def lists(feed: Feed) -> PastLists:
    return PastLists(feed)


def asked(server: FeedServer, day: date) -> int:
    return sum(each.query.get("date") == day.isoformat() and each.query.get("p") == "0" for each in server.requests)


async def test_a_list_is_read_once_an_hour_also_an_empty_one(lists: PastLists, server: FeedServer) -> None:
    for day, papers in ((PAST, 2), (EMPTY, 0)):
        found = await asyncio.gather(*(lists.of(day, NOW) for _ in range(20)))
        assert {len(each) for each in found} == {papers}
        assert asked(server, day) == 1
        await lists.of(day, NOW + HOUR)
        assert asked(server, day) == 2


async def test_a_feed_that_fails_is_left_alone_for_minutes(lists: PastLists, server: FeedServer) -> None:
    await lists.of(EMPTY, NOW)
    server.fault = Fault.status(500)
    assert await lists.of(PAST, NOW) == ()
    server.fault = None
    assert await lists.of(PAST, NOW) == ()
    assert len(await lists.of(PAST, NOW + HOUR / 12)) == 2


async def test_nobody_waits_long_and_few_days_are_kept(
    feed: Feed, server: FeedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(past_lists, "MOST_KEPT", 2)
    lists = PastLists(feed)
    for n in range(4):
        await lists.of(PAST + n * timedelta(days=1), NOW)
    await lists.of(PAST, NOW)
    assert asked(server, PAST) == 2
    monkeypatch.setattr(past_lists, "LONGEST_WAIT", 0.01)
    server.fault = Fault.hang
    assert await lists.of(date(2025, 10, 20), NOW) == ()


class Slow:
    """A feed that takes longer than anybody waits, or says how long to wait."""

    def __init__(self, retry_after: float | None = None) -> None:
        self.asked = 0
        self.retry_after = retry_after

    async def newest_day(self, until: date) -> date | None:
        raise NotImplementedError

    async def poll(self, days: list[date], *, now: datetime, progress: Progress | None = None) -> Found:
        self.asked += 1
        if self.retry_after is None:
            await asyncio.Event().wait()
        raise FeedError("too many requests", retry_after=self.retry_after)


async def test_a_feed_that_is_too_slow_is_left_alone_for_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(past_lists, "LONGEST_WAIT", 0.0)
    feed = Slow()
    lists = PastLists(feed)
    for now, asked in ((NOW, 1), (NOW, 1), (NOW + HOUR / 13, 1), (NOW + HOUR / 12, 2)):
        assert await lists.of(PAST, now) == ()
        assert feed.asked == asked


async def test_waiting_for_another_list_says_nothing_of_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(past_lists, "LONGEST_WAIT", 0.0)
    feed = Slow()
    lists = PastLists(feed)
    await asyncio.gather(lists.of(PAST, NOW), lists.of(EMPTY, NOW))
    assert feed.asked == 1
    await lists.of(EMPTY, NOW)
    assert feed.asked == 2


async def test_a_feed_that_says_how_long_to_wait_is_asked_no_sooner() -> None:
    feed = Slow(retry_after=1800.0)
    lists = PastLists(feed)
    for now, asked in ((NOW, 1), (NOW + HOUR / 3, 1), (NOW + HOUR / 2, 2)):
        assert await lists.of(PAST, now) == ()
        assert feed.asked == asked


async def test_date_shows_what_the_feed_lists_and_makes_no_edition(store: Store, lists: PastLists) -> None:
    await publish(store, {})
    chat = Chat(store, fallback=Preferences(language="en"), past_list=lists.of)
    reply = await chat.ask(f"date {PAST}")
    assert reply.page is not None
    assert [block.paper.id for block in reply.page.blocks] == ["2510.00002", "2510.00001"]
    async with store.read() as connection:
        assert await paper_queries.listed(connection, PAST, PAST) == []
    assert (await chat.ask(f"date {EMPTY}")).page is None


async def test_top_of_a_young_archive_says_since_when_it_has_papers(store: Store) -> None:
    await publish(store, {})
    chat = Chat(store, fallback=Preferences(language="en"))
    assert "The archive here starts on" in await chat.says("top 7")
    await publish(store, {}, day=DAY - timedelta(days=20), now=NOW - timedelta(days=20))
    assert "The archive here starts on" not in await chat.says("top 7")
