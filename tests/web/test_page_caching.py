"""Public pages are cached: 304, one query a minute, a shared failure, limits of size and number."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.channel import Link
from bot.store import NoConnectionError
from bot.web.pages.page_cache import FRESH, PageCache, PageSource
from tests.support.web_program import NOW, Served, some


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    async with Served(tmp_path, invitations=[Link("Telegram", "https://t.me/papers_bot")]) as opened:
        await opened.publish(*some(3))
        yield opened


async def test_an_unchanged_page_is_answered_with_304(served: Served) -> None:
    first = await served.get("/en/2026-04-29")
    again = await served.get("/en/2026-04-29", If_None_Match=first.headers["ETag"])
    assert (again.status, again.body) == (304, b"")
    assert (await served.get("/en/2026-04-29", If_None_Match='W/"other", "*x"')).status == 200
    since = first.headers["Last-Modified"]
    assert (await served.get("/en/2026-04-29", If_Modified_Since=since)).status == 304
    assert (await served.get("/en/2026-04-29", If_Modified_Since="Mon, 01 Jan 2024 00:00:00 GMT")).status == 200
    packed = await served.get("/en/2026-04-29", Accept_Encoding="gzip")
    assert gzip.decompress(packed.body) == first.body
    assert packed.headers["Vary"] == "Accept-Encoding"
    head = await served.get("/en/2026-04-29", method="HEAD")
    assert (head.status, head.body, head.headers["ETag"]) == (200, b"", first.headers["ETag"])


async def test_a_page_is_queried_once_a_minute_and_rendered_when_changed() -> None:
    pages, now, said, looked = PageCache(), NOW, ["one"], []

    async def load() -> PageSource:
        looked.append(said[0])
        text = said[0]
        return PageSource(text, lambda: text)

    for _ in range(3):
        await pages.get("page", now, load)
    assert (len(looked), pages.renderings) == (1, 1)
    kept = await pages.get("page", now + FRESH, load)
    assert (len(looked), pages.renderings) == (2, 1)
    said[0] = "two"
    assert pages.fresh("page", now + FRESH) is kept
    again = await pages.get("page", now + 2 * FRESH, load)
    assert again is not None
    assert (again.body, pages.renderings) == (b"two", 2)
    assert pages.fresh("page", now - FRESH) is None, "the clock was set back"


async def test_those_who_wait_for_a_page_share_its_failure_and_the_next_one_tries_again() -> None:
    pages, tries, go_on = PageCache(), 0, asyncio.Event()

    async def load() -> PageSource:
        nonlocal tries
        tries += 1
        await go_on.wait()
        if tries == 1:
            raise NoConnectionError
        return PageSource("x", lambda: "x")

    waiting = [asyncio.ensure_future(pages.get("page", NOW, load)) for _ in range(5)]
    await asyncio.sleep(0)
    go_on.set()
    failed = await asyncio.gather(*waiting, return_exceptions=True)
    assert ([type(each) for each in failed], tries) == ([NoConnectionError] * 5, 1)
    assert await pages.get("page", NOW, load) is not None


async def test_the_page_cache_is_limited_by_size() -> None:
    pages = PageCache(largest=10_000)

    async def load() -> PageSource:
        return PageSource("x", lambda: "x" * 2_000)

    for number in range(10):
        await pages.get(number, NOW, load)
    kept = [number for number in range(10) if pages.fresh(number, NOW) is not None]
    assert kept == [8, 9]


async def test_the_page_cache_is_limited_by_number() -> None:
    pages = PageCache(most=3)

    async def load() -> PageSource:
        return PageSource("x", lambda: "x")

    for number in range(10):
        await pages.get(number, NOW, load)
    assert [number for number in range(10) if pages.fresh(number, NOW) is not None] == [7, 8, 9]
