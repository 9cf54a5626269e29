"""What the feed server answers instead of papers: refusals of wrong requests, and faults on demand.

server.fault = Fault.html_page                                    # until it is taken away again
server.fault = Fault.status(503).only(times=2)                    # two requests, then well again
server.fault = [Fault.hang.only(day=monday), Fault.empty]         # the first one that fits is used
"""

import asyncio
import json
import re
import zlib
from calendar import monthrange
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import ClassVar, NoReturn, Self

from aiohttp import web

MEGABYTE = 1 << 20


@dataclass(frozen=True)
class Occasion:
    """What a fault may use: the request, the good answer it spoils, and the end of the server."""

    request: web.Request
    body: bytes
    content_type: str
    closing: asyncio.Event


@dataclass(frozen=True)
class Fault:
    """One way to misbehave; `only` limits it to a number of requests or to requests for one date."""

    name: str
    answer: Callable[[Occasion], Awaitable[web.StreamResponse]]
    times: int | None = None
    day: date | None = None

    html_page: ClassVar["Fault"]
    bare_number: ClassVar["Fault"]
    list_of_strings: ClassVar["Fault"]
    truncated_json: ClassVar["Fault"]
    one_bad_row: ClassVar["Fault"]
    empty: ClassVar["Fault"]
    gzip_bomb: ClassVar["Fault"]
    hang: ClassVar["Fault"]
    drop: ClassVar["Fault"]

    def only(self, *, times: int | None = None, day: date | None = None) -> Self:
        if times is not None and times < 1:
            raise ValueError(f"a fault happens at least once, not {times} times")
        return replace(self, times=times, day=day)

    def fits(self, asked: str | None) -> bool:
        return self.day is None or self.day.isoformat() == asked

    def used_once(self) -> list["Fault"]:
        """What is left of the fault after one request: itself, a smaller one, or nothing."""
        if self.times is None:
            return [self]
        return [replace(self, times=self.times - 1)] if self.times > 1 else []

    @staticmethod
    def status(code: int) -> "Fault":
        return _fixed(f"status {code}", b"<h1>Out of order</h1>", content_type="text/html", status=code)

    @staticmethod
    def rate_limited(t: int = 7) -> "Fault":
        # The wait is told in RateLimit alone: a Retry-After is nowhere promised.
        body = b'{"error":"too many requests"}'
        return _fixed(f"rate limited, {t} s", body, status=429, headers={"RateLimit": f'"api";r=0;t={t}'})

    @staticmethod
    def zeros(size: int = 200 * MEGABYTE) -> "Fault":
        """Zero bytes without end, nearly: the length is not declared, so the reader has to count."""
        return Fault("zeros", lambda occasion: _stream(occasion, _repeated(b"\0", size)))


def _fixed(
    name: str,
    body: bytes,
    *,
    content_type: str = "application/json",
    status: int = 200,
    headers: dict[str, str] | None = None,
) -> Fault:
    """A fault that gives the same short answer to everyone."""

    async def answer(occasion: Occasion) -> web.StreamResponse:
        return web.Response(body=body, status=status, content_type=content_type, headers=headers)

    return Fault(name, answer)


def _repeated(byte: bytes, size: int) -> Iterator[bytes]:
    block = byte * MEGABYTE
    for _ in range(size // MEGABYTE):
        yield block
    yield byte * (size % MEGABYTE)


def _bomb(size: int) -> Iterator[bytes]:
    """A fifth of a megabyte that inflates to an empty list with a very long gap in it.

    The whole is correct JSON: only a limit on the *inflated* size tells it from a day without papers.
    """
    squeeze = zlib.compressobj(wbits=31)
    yield squeeze.compress(b"[")
    for block in _repeated(b" ", size):
        yield squeeze.compress(block)
    yield squeeze.compress(b"]") + squeeze.flush()


async def _stream(occasion: Occasion, blocks: Iterator[bytes], **headers: str) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/json", **headers})
    await response.prepare(occasion.request)
    try:
        for block in blocks:
            if occasion.closing.is_set():
                break
            await response.write(block)
    except ConnectionError:
        pass  # a reader that has seen enough hangs up, which is what it should do
    return response


async def _truncate(occasion: Occasion) -> web.StreamResponse:
    """A complete HTTP answer around half a document."""
    return web.Response(body=occasion.body[: len(occasion.body) // 2], content_type=occasion.content_type)


async def _spoil_one_row(occasion: Occasion) -> web.StreamResponse:
    """All the good rows, and one more in their middle that fits no shape."""
    if occasion.content_type != "application/json":
        return web.Response(body=occasion.body, content_type=occasion.content_type)
    rows = json.loads(occasion.body)
    bad = {"paper": {"id": None, "title": 7, "authors": "nobody", "upvotes": "many"}, "title": []}
    rows.insert(len(rows) // 2, bad)
    return web.json_response(rows)


async def _hang(occasion: Occasion) -> web.StreamResponse:
    await occasion.closing.wait()
    _cut(occasion)
    return web.Response()


async def _drop(occasion: Occasion) -> web.StreamResponse:
    """The length of the whole body, half of the body, and the line goes dead."""
    response = web.StreamResponse(headers={"Content-Type": occasion.content_type})
    response.content_length = len(occasion.body)
    await response.prepare(occasion.request)
    await response.write(occasion.body[: len(occasion.body) // 2])
    _cut(occasion)
    return response


def _cut(occasion: Occasion) -> None:
    if occasion.request.transport is not None:
        occasion.request.transport.close()


Fault.html_page = _fixed(
    "html page", b"<!doctype html><title>Sign in</title><p>Please sign in.", content_type="text/html"
)
Fault.bare_number = _fixed("bare number", b"42")
Fault.list_of_strings = _fixed("list of strings", b'["2511.00001", "2511.00002"]')
Fault.empty = _fixed("empty", b"[]")
Fault.truncated_json = Fault("truncated json", _truncate)
Fault.one_bad_row = Fault("one bad row", _spoil_one_row)
Fault.gzip_bomb = Fault(
    "gzip bomb",
    lambda occasion: _stream(occasion, _bomb(200 * MEGABYTE), **{"Content-Encoding": "gzip"}),
)
Fault.hang = Fault("hang", _hang)
Fault.drop = Fault("drop", _drop)


def question(query: Mapping[str, str], today: date) -> tuple[tuple[date, date] | None, int, int]:
    """The period asked for, the page and its size, or a refusal that says what was wrong.

    Stricter than the API is known to be: what it does not document, or this server cannot replay, is
    refused too, and so are weeks and months that have not begun.
    """
    if unknown := set(query) - {*PERIODS, "p", "limit"}:
        _refuse(f"not understood here: {', '.join(sorted(unknown))}")
    if len(query) > len(set(query)):  # a multidict counts every value
        _refuse("a parameter is given twice")
    asked = [name for name in PERIODS if name in query]
    if len(asked) > 1:
        _refuse(f"only one of {', '.join(asked)} can be given")
    for name, low, high in (("p", 0, 100_000), ("limit", 1, 100)):
        if name in query and not (re.fullmatch("[0-9]{1,6}", query[name]) and low <= int(query[name]) <= high):
            _refuse(f"{name} must be a whole number from {low} to {high}")
    period = None
    for name in asked:
        pattern, read = PERIODS[name]
        try:
            period = read(query[name]) if re.fullmatch(pattern, query[name]) else _refuse(f"malformed {name}")
        except (ValueError, OverflowError):
            _refuse(f"there is no {name} {query[name]}")
        if period[0] > today:
            _refuse(f"{name} must not be later than {today}")
    return period, int(query.get("p", 0)), int(query.get("limit", 50))


def _day(text: str) -> tuple[date, date]:
    return date.fromisoformat(text), date.fromisoformat(text)


def _week(text: str) -> tuple[date, date]:
    monday = date.fromisocalendar(int(text[:4]), int(text[-2:]), 1)
    return monday, monday + timedelta(days=6)


def _month(text: str) -> tuple[date, date]:
    first = date.fromisoformat(f"{text}-01")
    return first, first + timedelta(days=monthrange(first.year, first.month)[1] - 1)


PERIODS: dict[str, tuple[str, Callable[[str], tuple[date, date]]]] = {
    "date": ("[0-9]{4}-[0-9]{2}-[0-9]{2}", _day),
    "week": ("[0-9]{4}-W[0-9]{2}", _week),
    "month": ("[0-9]{4}-[0-9]{2}", _month),
}


def _refuse(why: str) -> NoReturn:
    raise web.HTTPBadRequest(text=json.dumps({"error": why}), content_type="application/json")
