"""Asking the feed's server: bytes within limits, or one clear error. HTTP only."""

from __future__ import annotations

import re
import ssl
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import aiohttp

from bot.publishing.feed.errors import FeedError

USER_AGENT = "MorningPapers/0.1"
TOTAL = 60.0
"""Seconds for one answer, from the first packet to the last byte."""
CONNECT = 10.0
"""Seconds for a connection."""
LARGEST_ANSWER = 16 << 20
"""Bytes of one answer once unpacked; 100 papers are half a megabyte."""
CHUNK = 64 << 10
MOST_REDIRECTS = 3
LONGEST_WAIT = 86_400.0
MOST_KEPT = 32
LARGEST_KEPT = 8 << 20
"""Bytes of all kept answers together."""
NO_ADDRESS = "the feed's address is no http:// or https:// address"

_WINDOW = re.compile(r'(?:^|;)\s*t\s*=\s*"?(\d{1,9})', re.ASCII)


@dataclass(frozen=True, slots=True)
class _Kept:
    """An answer and the questions that ask whether it still holds."""

    validators: Mapping[str, str]
    body: bytes


class Fetcher:
    """Reads addresses while it is entered; keeps a few answers that came with validators."""

    def __init__(self, *, total: float = TOTAL, connect: float = CONNECT, largest: int = LARGEST_ANSWER) -> None:
        self._timeout = aiohttp.ClientTimeout(total=total, connect=connect)
        self._largest = largest
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
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

    async def get(self, url: str) -> bytes:
        """The body that `url` answers with, unpacked; FeedError where there is none."""
        if self._session is None:
            raise RuntimeError("a Fetcher is used inside `async with`")
        host = _host(url)
        kept = self._kept.get(url)
        try:
            async with self._session.get(
                url,
                headers=kept.validators if kept else None,
                max_redirects=MOST_REDIRECTS + 1,  # aiohttp counts the answer that it refuses
            ) as answer:
                if answer.status == HTTPStatus.NOT_MODIFIED and kept:
                    self._kept.move_to_end(url)
                    return kept.body
                if answer.status != HTTPStatus.OK:
                    raise FeedError(
                        f"{host} answered {_status(answer.status)}",
                        retry_after=_wait(answer.status, answer.headers),
                    )
                body = await self._read(answer, host)
                self._keep(url, answer.headers, body)
                return body
        except (aiohttp.ClientError, OSError, ValueError) as error:
            # The cause is left out: its text may hold the whole address, and the address a token.
            raise FeedError(self._explain(error, host)) from None

    async def _read(self, answer: aiohttp.ClientResponse, host: str) -> bytes:
        body = bytearray()
        async for chunk in answer.content.iter_chunked(CHUNK):  # inflated by aiohttp no further than it is read
            body += chunk
            if len(body) > self._largest:
                answer.close()  # the rest is not wanted
                raise FeedError(f"{host} answered with more than {self._largest >> 20} MiB")
        return bytes(body)

    def _keep(self, url: str, headers: Mapping[str, str], body: bytes) -> None:
        asked = {"If-None-Match": headers.get("ETag"), "If-Modified-Since": headers.get("Last-Modified")}
        validators = {name: value for name, value in asked.items() if value}
        self._kept.pop(url, None)
        if validators:
            self._kept[url] = _Kept(validators, body)
        while len(self._kept) > MOST_KEPT or sum(len(kept.body) for kept in self._kept.values()) > LARGEST_KEPT:
            self._kept.popitem(last=False)

    def _explain(self, error: Exception, host: str) -> str:
        match error:
            case aiohttp.ConnectionTimeoutError():
                return f"{host} could not be reached within {self._timeout.connect:g} s"
            case TimeoutError():
                return f"{host} did not answer within {self._timeout.total:g} s"
            case aiohttp.ClientConnectorDNSError():
                return f"{host} could not be found"
            case aiohttp.ClientSSLError() | ssl.SSLError():
                return f"{host} offers no secure connection that can be trusted"
            case aiohttp.ClientConnectorError():
                return f"{host} could not be reached"
            case aiohttp.TooManyRedirects():
                return f"{host} sent us on more than {MOST_REDIRECTS} times"
            case aiohttp.RedirectClientError():
                return f"{host} sent us on to something that is no web address"
            case aiohttp.InvalidURL():
                return NO_ADDRESS
            case aiohttp.ClientPayloadError() | aiohttp.ServerDisconnectedError() | OSError():
                return f"{host} broke off before its answer was complete"
            case _:
                return f"{host} gave an answer that is not HTTP as we know it ({type(error).__name__})"


def _host(url: str) -> str:
    """The host that `url` names, all of it that may be shown; FeedError where it is no http(s) address."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        host = None
    if not host or parts.scheme not in {"http", "https"}:
        raise FeedError(NO_ADDRESS)
    return host


def _status(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def _wait(status: int, headers: Mapping[str, str]) -> float | None:
    """How many seconds we are asked to wait: the longer of Retry-After (RFC 9110, 10.2.3) and RateLimit's t.

    RateLimit: "api";r=0;t=123 (https://huggingface.co/docs/hub/rate-limits).
    """
    # Every answer of the API carries RateLimit; only where it was exceeded does t ask for a wait.
    window = headers.get("RateLimit", "") if status == HTTPStatus.TOO_MANY_REQUESTS else ""
    waits = [float(found[1]) for found in _WINDOW.finditer(window)]
    if (asked := headers.get("Retry-After", "").strip()).isdecimal():
        waits.append(float(asked))
    elif (until := _moment(asked)) is not None:
        # Measured on the server's own clock where it tells the time: ours may be wrong.
        now = _moment(headers.get("Date", "")) or datetime.now(UTC)
        waits.append(max((until - now).total_seconds(), 0.0))
    return min(max(waits), LONGEST_WAIT) if waits else None


def _moment(written: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(written)
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
