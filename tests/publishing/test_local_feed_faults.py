"""Faults of the local feed server by raw HTTP, and its feeds in RSS and Atom."""

import asyncio
import json
import os
import resource
import signal
import sys
import zlib
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import aiohttp
import feedparser
import pytest
from aiohttp import ClientSession

from tests.support.feed_client import MONDAY, TUESDAY, ids
from tests.support.feed_faults import MEGABYTE, Fault
from tests.support.feed_server import FeedServer, recorded_days, row

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = os.environ.get("PAPERS_REFERENCE")
RECORDINGS = Path(REFERENCE or ".") / "data" / "daily_papers"


recorded = pytest.mark.skipif(REFERENCE is None, reason="PAPERS_REFERENCE is not set")


# How it misbehaves


@pytest.mark.parametrize(
    ("fault", "told", "body"),
    [
        (Fault.html_page, (200, "text/html"), b"<!doctype html>"),
        (Fault.bare_number, (200, "application/json"), b"42"),
        (Fault.list_of_strings, (200, "application/json"), b'["2511.'),
        (Fault.empty, (200, "application/json"), b"[]"),
        (Fault.status(503), (503, "text/html"), b"<h1>"),
        (Fault.rate_limited(), (429, "application/json"), b'{"error"'),
    ],
    ids=lambda value: value.name if isinstance(value, Fault) else "",
)
async def test_plain_faults(
    server: FeedServer, http: ClientSession, fault: Fault, told: tuple[int, str], body: bytes
) -> None:
    server.fault = fault
    for url in (server.url, server.rss_url, server.atom_url):
        async with http.get(url) as answer:
            assert (answer.status, answer.content_type) == told
            assert (await answer.read()).startswith(body)


async def test_rate_limited_says_for_how_long(server: FeedServer, http: ClientSession) -> None:
    server.fault = Fault.rate_limited(t=12)
    async with http.get(server.url) as answer:
        assert answer.headers["RateLimit"] == '"api";r=0;t=12'
        assert "Retry-After" not in answer.headers


async def test_truncated_json_is_a_whole_answer_with_half_a_document(server: FeedServer, http: ClientSession) -> None:
    server.fault = Fault.truncated_json
    async with http.get(server.url) as answer:
        text = await answer.text()
        assert answer.content_length == len(text.encode())
    with pytest.raises(json.JSONDecodeError):
        json.loads(text)


async def test_one_bad_row_stands_among_all_the_good_ones(server: FeedServer, http: ClientSession) -> None:
    server.fault = Fault.one_bad_row
    assert await ids(http, server, date=MONDAY) == ["2511.00002", None, "2511.00001"]
    async with http.get(server.atom_url) as answer:
        assert not feedparser.parse(await answer.read()).bozo


def memory() -> int:
    """The most that this process ever held, in bytes: a Mac counts them so, others in kilobytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


async def test_zeros_are_sent_but_never_held(server: FeedServer, http: ClientSession) -> None:
    server.fault = Fault.zeros()
    before, size = memory(), 0
    async with http.get(server.url) as answer:
        assert answer.content_length is None
        async for block in answer.content.iter_any():
            size += len(block)
            assert not block.strip(b"\0")
    assert size == 200 * MEGABYTE
    assert memory() - before < 100 * MEGABYTE


async def test_a_gzip_bomb_is_small_on_the_wire_and_an_empty_list_inside(
    server: FeedServer, http: ClientSession
) -> None:
    server.fault = Fault.gzip_bomb
    inflate, wire, size, text = zlib.decompressobj(wbits=31), 0, 0, b""
    async with ClientSession(auto_decompress=False) as raw, raw.get(server.url) as answer:
        assert answer.headers["Content-Encoding"] == "gzip"
        async for block in answer.content.iter_any():
            wire += len(block)
            left = block
            while left:
                part = inflate.decompress(left, MEGABYTE)
                left = inflate.unconsumed_tail
                size, text = size + len(part), text + part.strip()
    assert inflate.eof
    assert (size, text) == (200 * MEGABYTE + 2, b"[]")
    assert wire < MEGABYTE


@pytest.mark.parametrize("fault", [Fault.zeros(), Fault.gzip_bomb], ids=lambda fault: fault.name)
async def test_a_client_may_hang_up_on_a_flood(
    server: FeedServer, http: ClientSession, fault: Fault, caplog: pytest.LogCaptureFixture
) -> None:
    server.fault = fault.only(times=1)
    async with http.get(server.url) as answer:
        await answer.content.read(10)
        answer.close()
    assert len(await ids(http, server, date=MONDAY)) == 2
    assert not caplog.records


async def test_hang_lasts_until_the_server_closes(http: ClientSession) -> None:
    async with FeedServer({}) as server:
        server.fault = Fault.hang
        waiting = asyncio.ensure_future(http.get(server.url))
        async with asyncio.timeout(10):
            while not server.requests:  # noqa: ASYNC110 - a turn of the loop, not a pause
                await asyncio.sleep(0)
        server.fault = None
        assert await ids(http, server) == []  # others are served meanwhile
        assert not waiting.done()
    with pytest.raises(aiohttp.ClientConnectionError):
        await waiting


async def test_drop_cuts_the_body(server: FeedServer, http: ClientSession, caplog: pytest.LogCaptureFixture) -> None:
    server.fault = Fault.drop
    async with http.get(server.url) as answer:
        assert answer.status == 200
        assert answer.content_length
        with pytest.raises(aiohttp.ClientPayloadError):
            await answer.read()
    assert not caplog.records


async def test_a_fault_can_be_for_some_requests_or_one_date(server: FeedServer, http: ClientSession) -> None:
    async def statuses(*days: date | None) -> list[int]:
        found = []
        for day in days:
            async with http.get(server.url, params={"date": str(day)} if day else {}) as answer:
                found.append(answer.status)
        return found

    server.fault = Fault.status(503).only(times=2)
    assert await statuses(MONDAY, None, MONDAY) == [503, 503, 200]
    assert not server.faults

    server.fault = Fault.status(502).only(day=MONDAY)
    assert await statuses(MONDAY, TUESDAY, None, MONDAY) == [502, 200, 200, 502]

    server.fault = [Fault.status(500).only(day=TUESDAY, times=1), Fault.status(503)]
    assert await statuses(MONDAY, TUESDAY, TUESDAY) == [503, 500, 503]

    with pytest.raises(ValueError, match="at least once"):
        Fault.empty.only(times=0)


# Its other faces


async def test_rss_has_the_shape_of_arxivs_own(server: FeedServer, http: ClientSession) -> None:
    server.now = datetime(2025, 11, 4, tzinfo=UTC)
    async with http.get(server.rss_url) as answer:
        assert answer.content_type == "application/rss+xml"
        feed = feedparser.parse(await answer.read())
    assert not feed.bozo
    newest, call, *_ = feed.entries[:2]
    assert (feed.version, len(feed.entries)) == ("rss20", 4)
    assert newest.link == "https://arxiv.org/abs/2511.00100"
    assert newest.id == "oai:arXiv.org:2511.00100v1"
    assert newest.author == "Ada Example, Bo Sample"
    assert newest.summary.startswith("arXiv:2511.00100v1 Announce Type: new")
    assert newest.published == "Mon, 03 Nov 2025 19:00:00 -0500"
    assert newest.published_parsed[:5] == (2025, 11, 4, 0, 0)
    assert "arxiv" not in str(dict(call)).lower()


async def test_atom_tells_the_paper_by_its_link_alone(server: FeedServer, http: ClientSession) -> None:
    server.days[MONDAY][1]["paper"]["title"] = "Is A < B & C?"
    server.now = datetime(2025, 11, 3, 22, tzinfo=UTC)
    async with http.get(server.atom_url) as answer:
        assert answer.content_type == "application/atom+xml"
        feed = feedparser.parse(await answer.read())
    assert not feed.bozo
    newest, call, older = feed.entries
    assert feed.version == "atom10"
    assert newest.link == "https://arxiv.org/abs/2511.00002v2"
    assert newest.title == "Is A < B & C?"
    assert "2511" not in newest.id
    assert [author.name for author in newest.authors] == ["Ada Example", "Bo Sample"]
    assert older.published == "2025-11-03T08:00:00.000Z"
    assert "arxiv" not in str(dict(call)).lower()


async def test_the_feeds_hold_three_days_and_never_fail_for_want_of_papers(http: ClientSession) -> None:
    days = {date(2025, 11, d): [row(f"2511.0000{d}", day=date(2025, 11, d))] for d in (3, 4, 5, 6)}
    async with FeedServer(days) as server:
        for kept in (3, 0):
            for url in (server.rss_url, server.atom_url):
                async with http.get(url) as answer:
                    assert len(feedparser.parse(await answer.read()).entries) == kept + 1
            server.days.clear()


# The recordings, and by hand


@recorded
async def test_every_recorded_day_comes_back_as_it_was(http: ClientSession) -> None:
    days = recorded_days(RECORDINGS)
    assert len(days) == 127
    async with FeedServer(days) as server:
        for day, rows in days.items():
            server.now = datetime(day.year, day.month, day.day, 23, 59, 59, 999999, tzinfo=UTC)
            async with http.get(server.url, params={"date": str(day), "limit": "100"}) as answer:
                got = await answer.json()
            votes = [row["paper"]["upvotes"] for row in got]
            assert votes == sorted(votes, reverse=True)
            assert sorted(got, key=_id) == sorted(rows, key=_id)


def _id(row: dict[str, Any]) -> str:
    return str(row["paper"]["id"])


def test_a_folder_without_recordings_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no recorded days"):
        recorded_days(tmp_path)


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
async def test_by_hand(http: ClientSession, tmp_path: Path, stop: signal.Signals) -> None:
    listed = [row("2511.00001", day=MONDAY, hour=8), row("2511.00002", day=MONDAY, hour=20)]
    (tmp_path / "2025-11-03.json").write_text(json.dumps(listed))
    options = ("--days", str(tmp_path), "--port", "0", "--now", "2025-11-03T09:00:00Z")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.support.feed_server", *options),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        url = (await process.stdout.readline()).decode().strip()
        async with http.get(url) as answer:
            assert [row["paper"]["id"] for row in await answer.json()] == ["2511.00001"]
        process.send_signal(stop)
        assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
