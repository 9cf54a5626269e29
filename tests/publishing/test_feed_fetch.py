"""The feed over real connections: paging, faults, the newest day, and both kinds of feed."""

import asyncio
import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web

from bot.publishing.feed import Feed, FeedError
from bot.publishing.feed.source import MOST_AT_ONCE, MOST_FAILED, MOST_PAGES
from bot.runtime.http import Fetched, Fetcher
from tests.support.feed_faults import Fault
from tests.support.feed_server import FeedServer, row
from tests.support.http_server import answers, serving

MONDAY, TUESDAY, WEDNESDAY = date(2025, 11, 3), date(2025, 11, 4), date(2025, 11, 5)
NOW = datetime(2025, 11, 5, 22, 30, tzinfo=UTC)


# Requests


async def test_a_poll_that_is_told_to_wait_says_so(server: FeedServer) -> None:
    server.fault = Fault.rate_limited(t=42)
    async with Feed(server.url) as feed:
        with pytest.raises(FeedError, match="429 Too Many Requests") as caught:
            await feed.poll([MONDAY], now=NOW)
    assert caught.value.retry_after == 42


async def test_an_answer_that_still_holds_is_not_sent_again(server: FeedServer) -> None:
    server.etags = True
    async with Feed(server.url) as feed:
        first = await feed.poll([MONDAY], now=NOW)
        again = await feed.poll([MONDAY], now=NOW)
        assert again == first
        assert "If-None-Match" not in server.requests[1].headers
        assert "If-None-Match" in server.requests[-1].headers
        server.days[MONDAY][0]["paper"]["upvotes"] = 99
        assert max(paper.votes or 0 for paper in (await feed.poll([MONDAY], now=NOW)).papers) == 99


async def test_a_redirect_elsewhere_is_followed(server: FeedServer) -> None:
    async def elsewhere(request: web.Request) -> web.StreamResponse:
        raise web.HTTPMovedPermanently(f"{server.url}?{request.query_string}")

    async with serving(elsewhere) as url, Feed(url) as feed:
        assert len((await feed.poll([MONDAY], now=NOW)).papers) == 2


# Days and pages


def identified(found: Any) -> list[str]:
    return [paper.id for paper in found.papers]


async def test_a_poll_reads_each_day_to_its_end(server: FeedServer) -> None:
    told: list[tuple[int, int]] = []
    async with Feed(server.url) as feed:
        found = await feed.poll(
            [WEDNESDAY, MONDAY, TUESDAY, MONDAY], now=NOW, progress=lambda done, total: told.append((done, total))
        )
    assert found.days == {MONDAY, TUESDAY, WEDNESDAY}
    assert len(set(identified(found))) == len(found.papers) == 64
    assert {paper.listed_on for paper in found.papers} == found.days
    assert told == [(1, 3), (2, 3), (3, 3)]
    asked = [dict(request.query) for request in server.requests]
    assert asked[0] == {}  # the bare address tells which kind of feed it is
    assert {"date": "2025-11-03", "limit": "100", "p": "0"} in asked
    assert {"date": "2025-11-03", "limit": "100", "p": "1"} in asked


async def test_a_server_whose_pages_hold_fewer_is_read_to_its_end(server: FeedServer) -> None:
    server.page_cap = 7
    async with Feed(server.url) as feed:
        found = await feed.poll([TUESDAY], now=NOW)
    assert len(found.papers) == 60
    assert sorted(paper.position for paper in found.papers) == list(range(60))


async def test_a_day_of_exactly_fifty_may_not_be_all() -> None:
    """18 of 438 recorded weekdays are exactly 50 long, the default size of a page."""
    weekdays = [day for n in range(24) if (day := MONDAY + timedelta(days=n)).weekday() < 5][:18]
    days = {
        day: [row(f"2511.{d:02}{n:03}", day=day, votes=n) for n in range(50 + d % 3)] for d, day in enumerate(weekdays)
    }
    async with FeedServer(days) as server, Feed(server.url) as feed:
        server.page_cap = 50
        found = await feed.poll(weekdays, now=NOW)
    assert len(found.days) == 18
    assert len(found.papers) == 18 * 51


async def test_a_server_that_ignores_the_page_is_asked_twice() -> None:
    asked: list[str] = []
    body = json.dumps([row("2511.00001", day=MONDAY)]).encode()

    async def handler(request: web.Request) -> web.StreamResponse:
        asked.append(request.query_string)
        return web.Response(body=body)

    async with serving(handler) as url, Feed(f"{url}/?token=a%2Bb") as feed:
        found = await feed.poll([MONDAY], now=NOW)
    assert identified(found) == ["2511.00001"]
    assert found.days == {MONDAY}
    assert asked == ["token=a%2Bb", *(f"token=a%2Bb&date=2025-11-03&limit=100&p={page}" for page in (0, 1))]


async def test_a_day_without_end_is_not_one_that_was_read() -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        number = f"2511.{request.query.get('p', 0):0>5}"
        return web.Response(body=json.dumps([row(number, day=MONDAY)]).encode())

    async with serving(endless) as url, Feed(url) as feed:
        found = await feed.poll([MONDAY], now=NOW)
    assert len(found.papers) == MOST_PAGES
    assert found.days == frozenset()


async def test_an_empty_day_is_read_to_its_end(server: FeedServer) -> None:
    async with Feed(server.url) as feed:
        found = await feed.poll([date(2025, 11, 2)], now=NOW)
    assert not found.papers
    assert found.days == {date(2025, 11, 2)}
    assert len(server.requests) == 2


async def test_the_newest_listing_of_a_paper_counts() -> None:
    days = {  # 2604.07429: listed, and listed again six days later
        date(2026, 4, 10): [row("2604.07429", day=date(2026, 4, 10), votes=2)],
        date(2026, 4, 16): [row("2604.07429", day=date(2026, 4, 16), votes=42)],
    }
    async with FeedServer(days) as server, Feed(server.url) as feed:
        (paper,) = (await feed.poll(list(days), now=NOW)).papers
    assert (paper.listed_on, paper.votes) == (date(2026, 4, 16), 42)


class Counting(Fetcher):
    """Answers with empty days, each after the others had their turn to ask; counts how many wait at once."""

    under_way: int = 0
    busiest: int = 0

    async def get(self, url: str, *_args: Any, **_options: Any) -> Fetched:
        self.under_way += 1
        self.busiest = max(self.busiest, self.under_way)
        for _ in range(50):
            await asyncio.sleep(0)
        self.under_way -= 1
        return Fetched(url, b"[]")


async def test_few_requests_are_under_way_at_once() -> None:
    fetcher = Counting()
    async with Feed("http://feed.invalid", fetcher=fetcher) as feed:
        found = await feed.poll([MONDAY + timedelta(days=n) for n in range(20)], now=NOW)
    assert (len(found.days), fetcher.busiest) == (20, MOST_AT_ONCE)


BROKEN = [
    *(Fault.html_page, Fault.bare_number, Fault.list_of_strings, Fault.truncated_json),
    *(Fault.zeros(), Fault.gzip_bomb, Fault.drop, Fault.status(503), Fault.rate_limited()),
]


@pytest.mark.parametrize("fault", BROKEN, ids=lambda fault: fault.name)
async def test_one_failing_day_costs_no_other_and_the_next_poll_works(server: FeedServer, fault: Fault) -> None:
    async with Feed(server.url) as feed:
        await feed.poll([MONDAY], now=NOW)
        server.fault = fault.only(day=TUESDAY)
        found = await feed.poll([MONDAY, TUESDAY, WEDNESDAY], now=NOW)
        assert (set(found.days), set(found.failed)) == ({MONDAY, WEDNESDAY}, {TUESDAY})
        assert found.retry_after == (7 if fault.name.startswith("rate limited") else None)
        with pytest.raises(FeedError):
            await feed.poll([TUESDAY], now=NOW)
        server.fault = None
        assert len((await feed.poll([MONDAY, TUESDAY, WEDNESDAY], now=NOW)).papers) == 64


async def test_a_feed_that_is_down_is_not_asked_for_every_day(server: FeedServer) -> None:
    async with Feed(server.url) as feed:
        await feed.poll([MONDAY], now=NOW)
        server.requests.clear()
        server.fault = Fault.status(500)
        with pytest.raises(FeedError):
            await feed.poll([MONDAY - timedelta(days=n) for n in range(60)], now=NOW)
        assert len(server.requests) <= MOST_FAILED + MOST_AT_ONCE


@pytest.mark.parametrize("fault", BROKEN, ids=lambda fault: fault.name)
async def test_a_feed_broken_from_the_start_works_once_it_is_well(server: FeedServer, fault: Fault) -> None:
    async with Feed(server.url) as feed:
        server.fault = fault
        with pytest.raises(FeedError):
            await feed.poll([MONDAY], now=NOW)
        server.fault = None
        assert len((await feed.poll([MONDAY], now=NOW)).papers) == 2


async def test_one_bad_row_among_the_good_ones(server: FeedServer) -> None:
    server.fault = Fault.one_bad_row
    async with Feed(server.url) as feed:
        assert len((await feed.poll([TUESDAY], now=NOW)).papers) == 60


async def test_a_cancelled_poll_stops(server: FeedServer) -> None:
    arrived = asyncio.Event()

    async def hang(request: web.Request) -> web.StreamResponse:
        arrived.set()
        return await asyncio.Future()

    async with serving(hang) as url, Feed(url) as feed:
        task = asyncio.create_task(feed.poll([MONDAY], now=NOW))
        await arrived.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


# The newest day


@pytest.mark.parametrize(
    ("until", "newest"),
    [
        (WEDNESDAY, WEDNESDAY),
        (TUESDAY, TUESDAY),
        (date(2025, 11, 30), WEDNESDAY),
        (date(2025, 11, 2), None),
    ],
)
async def test_the_newest_day_is_found_without_a_date(server: FeedServer, until: date, newest: date | None) -> None:
    async with Feed(server.url) as feed:
        assert await feed.newest_day(until) == newest
    assert all("date" not in request.query for request in server.requests)


async def test_the_newest_day_may_stand_on_a_later_page() -> None:
    """The default order is by publication: a paper listed today may have been published months ago."""
    pages = [
        [row("2511.00001", day=WEDNESDAY + timedelta(days=1))],  # after `until`
        [row("2511.00002", day=MONDAY), row("2511.00003", day=date(2025, 10, 31))],
        [row("2511.00002", day=MONDAY), row("2405.13729", day=TUESDAY)],
        [row("2511.00004", day=MONDAY)],
        [row("2511.00005", day=WEDNESDAY)],
    ]

    async def handler(request: web.Request) -> web.StreamResponse:
        return web.Response(body=json.dumps(pages[int(request.query.get("p", 0))]).encode())

    async with serving(handler) as url, Feed(url) as feed:
        assert await feed.newest_day(TUESDAY) == TUESDAY
        assert await feed.newest_day(WEDNESDAY) == TUESDAY  # one page more brought no newer day


# Which kind of feed


@pytest.mark.parametrize("kind", ["rss_url", "atom_url"])
async def test_rss_and_atom_are_asked_once_and_without_parameters(server: FeedServer, kind: str) -> None:
    told: list[tuple[int, int]] = []
    async with Feed(f"{getattr(server, kind)}?token=a") as feed:
        found = await feed.poll([MONDAY, TUESDAY], now=NOW, progress=lambda *step: told.append(step))
        assert await feed.newest_day(TUESDAY) == TUESDAY
        assert await feed.newest_day(date(2025, 11, 2)) is None
    assert len(found.papers) == 64
    assert (found.days, told) == (frozenset(), [(1, 1)])
    assert {paper.votes for paper in found.papers} == {None}
    assert [dict(request.query) for request in server.requests] == [{"token": "a"}] * 3


async def test_json_and_rss_give_the_same_papers(server: FeedServer) -> None:
    async with Feed(server.url) as api, Feed(server.rss_url) as rss, Feed(server.atom_url) as atom:
        for found in (await rss.poll([], now=NOW), await atom.poll([], now=NOW)):
            papers = {paper.id: paper for paper in found.papers}
            for paper in (await api.poll([MONDAY, TUESDAY, WEDNESDAY], now=NOW)).papers:
                other = papers[paper.id]
                assert (other.title, other.abstract, other.authors) == (paper.title, paper.abstract, paper.authors)
                assert (other.listed_on, other.listed_at) == (paper.listed_on, paper.listed_at)


async def test_an_undated_feed_has_no_newest_day_before_today() -> None:
    item = b"<item><title>T</title><link>https://arxiv.org/abs/2511.00001</link></item>"
    async with serving(answers(b'<rss version="2.0"><channel>' + item + b"</channel></rss>")) as url, Feed(url) as feed:
        assert await feed.newest_day(TUESDAY) is None
        assert (await feed.poll([], now=NOW)).papers[0].listed_on == WEDNESDAY


async def test_the_kind_is_decided_again_when_the_feed_changes() -> None:
    api = json.dumps([row("2511.00001", day=MONDAY)]).encode()
    item = b"<item><title>T</title><link>https://arxiv.org/abs/2511.00002</link></item>"
    feeds = {"json": api, "rss": b' \n<rss version="2.0"><channel>' + item + b"</channel></rss>"}
    body = b""

    async def handler(request: web.Request) -> web.StreamResponse:
        return web.Response(body=body, content_type="text/plain")  # the content decides, not its label

    async with serving(handler) as url, Feed(url) as feed:
        for kind in ("json", "rss", "rss", "json", "rss"):
            body = feeds[kind]
            expected = "2511.00001" if kind == "json" else "2511.00002"
            assert identified(await feed.poll([MONDAY], now=NOW)) == [expected]


async def test_a_feed_whose_days_are_web_pages_is_one_error(server: FeedServer) -> None:
    server.fault = Fault.html_page.only(day=MONDAY)
    async with Feed(server.url) as feed:
        with pytest.raises(FeedError, match="answered with XML or a web page"):
            await feed.poll([MONDAY], now=NOW)
