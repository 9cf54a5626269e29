"""Asking arXiv and Hugging Face for a paper's files: politely, from the hosts that were named, and within limits."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Self
from urllib.parse import urldefrag, urljoin, urlsplit

import aiohttp

USER_AGENT = "MorningPapers/0.1"
PAUSE = 3.0
"""Seconds between two requests to one host (https://info.arxiv.org/help/api/tou.html)."""
TOTAL = 60.0
"""Seconds for one answer, from the first packet to the last byte."""
CONNECT = 10.0
CHUNK = 64 << 10
MOST_REDIRECTS = 3
UNTOLD_WAIT = timedelta(minutes=10)
"""How long a host is left alone that refuses us for now and does not say for how long."""
LONGEST_WAIT = timedelta(days=1)

_HOST = re.compile(r"[a-z0-9][a-z0-9.-]{0,252}", re.ASCII)
_PORTS = {"https": 443, "http": 80}


class FetchError(Exception):
    """A file could not be had; the message names at most a host. `passing`: it may be well again soon."""

    def __init__(self, message: str, *, passing: bool) -> None:
        super().__init__(message)
        self.passing = passing


@dataclass(frozen=True, slots=True)
class Fetched:
    """A body, unpacked, and the address that answered with it in the end."""

    url: str
    body: bytes


class Fetcher:
    """Reads addresses while it is entered, one request per host and pause."""

    def __init__(self, *, pause: float = PAUSE, total: float = TOTAL, connect: float = CONNECT) -> None:
        self._pause = pause
        self._timeout = aiohttp.ClientTimeout(total=total, connect=connect)
        self._turns: dict[str, asyncio.Lock] = {}
        self._quiet: dict[str, datetime] = {}
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            timeout=self._timeout,
            headers={"User-Agent": USER_AGENT, "Accept-Encoding": "gzip, deflate"},
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def get(self, url: str, now: datetime, *, most: int, within: Collection[str]) -> Fetched:
        """What `url` answers with, at most `most` bytes, wherever `within` it may send us; else FetchError.

        `within` are origins: "https://arxiv.org", or "https://*.hf.co" for all hosts below one.
        """
        for _ in range(MOST_REDIRECTS + 1):
            if not allowed(url, within):
                raise FetchError("its address is not where such files are", passing=False)
            host = urlsplit(url).netloc
            if now < self._quiet.get(host, now):
                raise FetchError(f"{host} asked us to wait", passing=True)
            async with self._turn(host):
                answered = await self._ask(url, host, now, most)
            if isinstance(answered, bytes):
                return Fetched(url, answered)
            url = answered
        raise FetchError(f"{host} sent us on more than {MOST_REDIRECTS} times", passing=False)

    @asynccontextmanager
    async def _turn(self, host: str) -> AsyncIterator[None]:
        lock = self._turns.setdefault(host, asyncio.Lock())
        await lock.acquire()
        try:
            yield
        finally:
            # Whoever had a turn goes on at once; the next one comes when the pause is over.
            if self._pause > 0:
                asyncio.get_running_loop().call_later(self._pause, lock.release)
            else:
                lock.release()

    async def _ask(self, url: str, host: str, now: datetime, most: int) -> bytes | str:
        """The body, or the address that we are sent on to."""
        if self._session is None:
            raise RuntimeError("a Fetcher is used inside `async with`")
        try:
            async with self._session.get(url, allow_redirects=False) as answer:
                if answer.status in {301, 302, 303, 307, 308}:
                    return urldefrag(urljoin(url, answer.headers.get("Location", "")))[0]
                if answer.status in {429, 503}:
                    self._quiet[host] = now + _wait(answer.headers.get("Retry-After"), answer.headers.get("Date"))
                if answer.status != 200:
                    passing = answer.status >= 500 or answer.status in {408, 425, 429}
                    raise FetchError(f"{host} answered {answer.status}", passing=passing)
                body = bytearray()
                async for chunk in answer.content.iter_chunked(CHUNK):
                    body += chunk
                    if len(body) > most:
                        answer.close()
                        raise FetchError(f"{host} answered with more than {most >> 20} MiB", passing=False)
                return bytes(body)
        except TimeoutError:
            raise FetchError(f"{host} did not answer within {self._timeout.total:g} s", passing=True) from None
        except aiohttp.InvalidURL:
            raise FetchError("its address is none", passing=False) from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            # The cause is left out: its text may hold what a stranger wrote.
            raise FetchError(f"{host} broke off ({type(error).__name__})", passing=True) from None


def origin(url: str) -> str | None:
    """Scheme, host and port of an http(s) address, written "https://arxiv.org"; None where it is none."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    # Only what every reader of addresses reads alike.
    if parts.scheme not in _PORTS or not _HOST.fullmatch(parts.hostname or "") or "@" in parts.netloc:
        return None
    suffix = "" if port in {None, _PORTS[parts.scheme]} else f":{port}"
    return f"{parts.scheme}://{parts.hostname}{suffix}"


def allowed(url: str, within: Collection[str]) -> bool:
    """Whether `url` is at one of the origins `within`; "https://*.hf.co" stands for every host below hf.co."""
    found = origin(url)
    if found is None:
        return False
    below = (each.split("*", 1) for each in within if "*" in each)
    return found in within or any(found.startswith(scheme) and found.endswith(end) for scheme, end in below)


def _wait(asked: str | None, date: str | None) -> timedelta:
    """How long Retry-After (RFC 9110, 10.2.3) asks us to wait; a moment is measured on the server's own clock."""
    asked = (asked or "").strip()
    try:
        if asked.isdecimal():
            wait = timedelta(seconds=min(int(asked[:9]), LONGEST_WAIT.total_seconds()))
        else:
            wait = parsedate_to_datetime(asked) - parsedate_to_datetime(date or "")
    except (ValueError, TypeError, OverflowError):  # TypeError: one of them names no zone
        return UNTOLD_WAIT
    return max(timedelta(), min(wait, LONGEST_WAIT))
