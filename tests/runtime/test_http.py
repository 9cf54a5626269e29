"""Bounded HTTP requests over real connections: limits, errors, waits, conditional requests, redirects, pauses."""

import asyncio
import gzip
import socket
import tracemalloc
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web

from bot.runtime.http import (
    LARGEST_CACHE,
    MOST_CACHED,
    NO_ADDRESS,
    USER_AGENT,
    Fetcher,
    FetchError,
    allowed,
    retry_after,
)
from tests.support.feed_faults import MEGABYTE, Fault
from tests.support.feed_server import FeedServer
from tests.support.http_server import Handler, answers, serving
from tests.support.paper_server import PaperServer

NOW = datetime(2025, 11, 5, 22, 30, tzinfo=UTC)


@pytest.fixture
async def server() -> AsyncIterator[FeedServer]:
    async with FeedServer({}) as server:
        yield server


@pytest.fixture
async def papers() -> AsyncIterator[PaperServer]:
    async with PaperServer() as server:
        yield server


async def failure(url: str, **limits: Any) -> FetchError:
    async with Fetcher(**limits) as fetcher:
        with pytest.raises(FetchError) as caught:
            await fetcher.get(url)
    message = str(caught.value)
    assert "\n" not in message
    assert "secret" not in message
    assert "://" not in message or message == NO_ADDRESS
    assert caught.value.__cause__ is None  # its text may hold the address
    return caught.value


# One answer


async def test_a_body_comes_unpacked_and_we_say_who_we_are() -> None:
    asked: list[web.Request] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        asked.append(request)
        return web.Response(body=gzip.compress(b"[1]"), headers={"Content-Encoding": "gzip"})

    async with serving(handler) as url, Fetcher() as fetcher:
        assert (await fetcher.get(f"{url}/feed?token=a%2Bb+c")).body == b"[1]"
    assert asked[0].headers["User-Agent"] == USER_AGENT == "MorningPapers/0.1"
    assert "If-None-Match" not in asked[0].headers
    assert asked[0].path_qs == "/feed?token=a%2Bb+c"


@pytest.mark.parametrize("fault", [Fault.zeros(), Fault.gzip_bomb], ids=["zeros", "bomb"])
async def test_200_megabytes_are_refused_and_never_held(server: FeedServer, fault: Fault) -> None:
    server.fault = fault
    tracemalloc.start()
    try:
        error = await failure(server.url)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert str(error) == "127.0.0.1 answered with more than 16 MiB"
    assert peak < 64 * MEGABYTE


@pytest.mark.parametrize(("size", "fits"), [(1_000, True), (1_001, False)])
async def test_the_limit_is_the_unpacked_size(size: int, fits: bool) -> None:
    handler = answers(gzip.compress(b" " * size), headers={"Content-Encoding": "gzip"})
    async with serving(handler) as url, Fetcher(largest=1_000) as fetcher:
        if fits:
            assert len((await fetcher.get(url)).body) == size
        else:
            with pytest.raises(FetchError, match="answered with more than"):
                await fetcher.get(url)


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (400, "400 Bad Request"),
        (404, "404 Not Found"),
        (502, "502 Bad Gateway"),
        (599, "599"),
        (304, "304 Not Modified"),
    ],
)
async def test_any_other_status_is_named(status: int, message: str) -> None:
    async with serving(answers(b"", status=status, reason="secret")) as url:
        assert str(await failure(f"{url}/?token=secret")) == f"127.0.0.1 answered {message}"


async def test_an_answer_that_never_comes_is_given_up(server: FeedServer) -> None:
    server.fault = Fault.hang
    assert str(await failure(server.url, total=0.1)) == "127.0.0.1 did not answer within 0.1 s"


async def test_an_answer_that_never_ends_is_given_up() -> None:
    async def drip(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"[")
        await asyncio.Event().wait()
        return response

    async with serving(drip) as url:
        assert str(await failure(url, total=0.1)) == "127.0.0.1 did not answer within 0.1 s"


async def test_a_line_that_goes_dead_is_an_error(server: FeedServer) -> None:
    server.fault = Fault.drop
    assert str(await failure(server.url)) == "127.0.0.1 closed the connection before its answer was complete"


async def test_half_a_gzip_is_an_error() -> None:
    handler = answers(b"\x1f\x8b\x08\0 no gzip at all", headers={"Content-Encoding": "gzip"})
    async with serving(handler) as url:
        await failure(url)


async def test_something_that_does_not_speak_http_is_an_error() -> None:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"220 mail.example ESMTP\r\n\r\n")
        writer.close()
        await writer.wait_closed()

    other = await asyncio.start_server(speak, "127.0.0.1", 0)
    async with other:
        port = other.sockets[0].getsockname()[1]
        assert "is not valid HTTP" in str(await failure(f"http://127.0.0.1:{port}/?token=secret"))
        assert "no secure connection" in str(await failure(f"https://127.0.0.1:{port}/?token=secret", connect=5))


async def test_nobody_there_is_an_error() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://me:secret@127.0.0.1:{unused.getsockname()[1]}/?token=secret"
        assert str(await failure(url)) == "127.0.0.1 could not be reached"


async def test_a_host_that_does_not_exist_is_an_error() -> None:
    assert str(await failure("http://feed.invalid/?token=secret", total=20)).startswith("feed.invalid could not be")


@pytest.mark.parametrize(
    "url", ["", "secret", "file:///etc/secret", "ftp://a.example/secret", "http://", "http://[::1/secret", "//secret"]
)
async def test_what_is_no_web_address_is_an_error(url: str) -> None:
    assert str(await failure(url)) == NO_ADDRESS


# How long to wait


@pytest.mark.parametrize(
    ("status", "headers", "wait"),
    [
        (429, {"RateLimit": '"api";r=0;t=123'}, 123),
        (429, {"RateLimit": '"api";r=0;t=123', "Retry-After": "7"}, 123),
        (429, {"RateLimit": '"api";r=0;t=7', "Retry-After": "123"}, 123),
        (429, {"Retry-After": "Wed, 05 Nov 2025 22:32:03 GMT", "Date": "Wed, 05 Nov 2025 22:30:00 GMT"}, 123),
        (429, {"Retry-After": "Wed, 05 Nov 2025 22:00:00 GMT", "Date": "Wed, 05 Nov 2025 22:30:00 GMT"}, 0),
        (429, {"Retry-After": "99999999999"}, 86_400),
        (429, {"Retry-After": "soon", "RateLimit": "limit=5"}, None),
        (429, {}, None),
        (503, {"Retry-After": "123"}, 123),
        (503, {"RateLimit": '"api";r=499;t=123'}, None),  # every answer says when the window ends
    ],
)
async def test_the_feed_says_how_long_to_wait(status: int, headers: dict[str, str], wait: float | None) -> None:
    async with serving(answers(status=status, headers=headers)) as url:
        assert (await failure(url)).retry_after == wait


# Conditional requests


async def test_a_kept_body_comes_back_on_304() -> None:
    asked: list[dict[str, str]] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        asked.append(dict(request.headers))
        if len(asked) > 1:
            return web.Response(status=304)
        return web.Response(body=b"kept", headers={"ETag": '"a"', "Last-Modified": "Wed, 05 Nov 2025 22:00:00 GMT"})

    async with serving(handler) as url, Fetcher(cache=True) as fetcher:
        assert [(await fetcher.get(url)).body for _ in range(3)] == [b"kept"] * 3
    assert [headers.get("If-None-Match") for headers in asked] == [None, '"a"', '"a"']
    assert asked[1]["If-Modified-Since"] == "Wed, 05 Nov 2025 22:00:00 GMT"


async def test_few_answers_are_kept_and_no_large_ones() -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        if "If-None-Match" in request.headers:
            return web.Response(status=304)
        size = LARGEST_CACHE + 1 if request.path == "/large" else 1
        return web.Response(body=b" " * size, headers={"ETag": '"a"'})

    async with serving(handler) as url, Fetcher(cache=True) as fetcher:
        for n in range(MOST_CACHED + 1):
            await fetcher.get(f"{url}/{n}")
        cache = fetcher._cache
        assert cache is not None
        assert [address.removeprefix(url) for address in cache] == [f"/{n}" for n in range(1, MOST_CACHED + 1)]
        await fetcher.get(f"{url}/1")
        assert next(reversed(cache)) == f"{url}/1"
        await fetcher.get(f"{url}/large")
        assert f"{url}/large" not in cache


# Redirects


def hops(total: int, last: str = "") -> Handler:
    async def handler(request: web.Request) -> web.StreamResponse:
        n = int(request.path.strip("/") or 0)
        if n == total:
            return web.Response(headers={"Location": last}, status=302) if last else web.Response(body=b"here")
        raise web.HTTPFound(f"/{n + 1}")

    return handler


async def test_three_redirects_are_followed() -> None:
    async with serving(hops(3)) as url, Fetcher() as fetcher:
        assert (await fetcher.get(url)).body == b"here"


async def test_a_fourth_redirect_is_not() -> None:
    async with serving(hops(4)) as url:
        assert str(await failure(url)) == "127.0.0.1 redirected us more than 3 times"


@pytest.mark.parametrize("target", ["file:///etc/secret", "ftp://a.example/secret", "http://[secret", "javascript:1"])
async def test_a_redirect_to_anything_but_the_web_is_an_error(target: str) -> None:
    async with serving(hops(0, target)) as url:
        assert str(await failure(url)) == "a redirect leads to something that is no web address"


# Hosts and pauses


@pytest.mark.parametrize(
    ("asked", "date", "seconds"),
    [
        ("60", None, 60),
        (" 5 ", None, 5),
        ("9" * 5000, None, 86_400),
        ("Wed, 05 Nov 2025 22:05:00 GMT", "Wed, 05 Nov 2025 22:00:00 GMT", 300),
        ("Wed, 05 Nov 2025 21:00:00 GMT", "Wed, 05 Nov 2025 22:00:00 GMT", 0),
        ("Wed, 05 Nov 2025 22:05:00 GMT", None, None),
        ("Wed, 05 Nov 2025 22:05:00 -0000", "Wed, 05 Nov 2025 22:00:00 GMT", None),
        ("soon", "now", None),
        ("²", None, None),
        (None, None, None),
    ],
)
def test_how_long_an_answer_asks_us_to_wait(asked: str | None, date: str | None, seconds: int | None) -> None:
    headers = {name: value for name, value in (("Retry-After", asked), ("Date", date)) if value is not None}
    assert retry_after(headers) == seconds


async def test_one_host_is_asked_once_in_a_pause_and_another_at_once(papers: PaperServer) -> None:
    one, two = papers.add("/1", "one"), papers.add("/2", "two")
    async with PaperServer() as other, Fetcher(pause=3_600) as fetcher:
        assert (await fetcher.get(one, NOW, largest=9, within={papers.url})).body == b"one"
        waiting = asyncio.create_task(fetcher.get(two, NOW, largest=9, within={papers.url}))
        assert (await fetcher.get(other.add("/3", "three"), NOW, largest=9, within={other.url})).body == b"three"
        assert papers.requests == ["/1"]
        assert not waiting.done()
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)


async def test_a_pause_ends(papers: PaperServer) -> None:
    one = papers.add("/1", "one")
    async with Fetcher(pause=0.001) as fetcher:
        for _ in range(3):
            await fetcher.get(one, NOW, largest=9, within={papers.url})
    assert papers.requests == ["/1"] * 3


async def test_a_fetcher_that_is_not_entered_says_so(papers: PaperServer) -> None:
    with pytest.raises(RuntimeError, match="async with"):
        await Fetcher(pause=0).get(papers.url, NOW, largest=1, within={papers.url})


@pytest.mark.parametrize(
    ("url", "holds"),
    [
        ("https://arxiv.org/html/1", True),
        ("https://ARXIV.org:443/x", True),
        ("https://cdn.hf.co/a.png", True),
        ("http://arxiv.org/html/1", False),
        ("https://arxiv.org:8443/", False),
        ("https://arxiv.org.example.org/", False),
        ("https://hf.co/", False),
        ("https://example.org/.hf.co", False),
        ("https://user@arxiv.org/", False),
        ("https://example.org\\.hf.co/", False),
        ("https://[::1]/", False),
        ("https://arxiv.org:x/", False),
        ("javascript:alert(1)", False),
        ("", False),
    ],
)
def test_only_named_hosts_are_asked(url: str, holds: bool) -> None:
    assert allowed(url, {"https://arxiv.org", "https://*.hf.co"}) is holds
