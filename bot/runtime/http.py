"""HTTP GET within limits of size, time, redirects and rate: a body, or one error that is safe to log."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections import OrderedDict
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from types import TracebackType
from typing import Self
from urllib.parse import urldefrag, urljoin, urlsplit

import aiohttp

USER_AGENT = "MorningPapers/0.1"
TOTAL = 60.0
"""Seconds for one answer, from the first packet to the last byte."""
CONNECT = 10.0
"""Seconds for a connection."""
LARGEST_ANSWER = 16 << 20
"""Bytes of one answer, decompressed; 100 papers of the feed are half a megabyte."""
CHUNK = 64 << 10
MOST_REDIRECTS = 3
LONGEST_WAIT = 86_400.0
"""Seconds; a server that asks for a longer wait is asked again after these."""
DEFAULT_WAIT = 600.0
"""Seconds before a host is asked again that refuses us for now (429, 503) and does not say for how long."""
MOST_CACHED = 32
"""Answers kept for conditional requests."""
LARGEST_CACHE = 8 << 20
"""Bytes of all those answers together."""
NO_ADDRESS = "the address is no http:// or https:// address"

_WINDOW = re.compile(r'(?:^|;)\s*t\s*=\s*"?(\d{1,9})', re.ASCII)
_SECONDS = re.compile(r"\d+(?:\.\d+)?", re.ASCII)
_AGE = re.compile(r"\d{1,7}", re.ASCII)
_NOT_VALID_NOW = {9, 10}
"""OpenSSL's codes of a certificate that is not valid yet or any more (x509_vfy.h)."""
_HOST = re.compile(r"[a-z0-9][a-z0-9.-]{0,252}", re.ASCII)
_PORTS = {"https": 443, "http": 80}


class FetchError(Exception):
    """A body could not be had. The message is one sentence that names at most a host.

    `temporary` says whether the same request may succeed later. `retry_after` is how many seconds the server asked us
    to wait, None where it did not say. `expired` says that the server's certificate is not valid by our clock.
    """

    def __init__(
        self, message: str, *, temporary: bool = True, retry_after: float | None = None, expired: bool = False
    ) -> None:
        super().__init__(message)
        self.temporary = temporary
        self.expired = expired
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Fetched:
    """A body, decompressed, and the address that answered with it after redirects."""

    url: str
    body: bytes


@dataclass(frozen=True, slots=True)
class _Cached:
    """An earlier answer, and the headers that ask whether it is still current."""

    validators: Mapping[str, str]
    fetched: Fetched


class Fetcher:
    """An HTTP client, usable inside `async with`.

    `total` and `connect` are seconds; `largest` is bytes of one decompressed answer; `pause` is seconds between two
    requests to one host. With `cache`, answers that came with an ETag or a date are kept for conditional requests
    (RFC 9110, section 13).
    """

    def __init__(
        self,
        *,
        total: float = TOTAL,
        connect: float = CONNECT,
        largest: int = LARGEST_ANSWER,
        pause: float = 0.0,
        cache: bool = False,
    ) -> None:
        self._total = total
        self._connect = connect
        self._largest = largest
        self._pause = pause
        self._cache: OrderedDict[str, _Cached] | None = OrderedDict() if cache else None
        self._turns: dict[str, asyncio.Lock] = {}
        self._blocked: dict[str, datetime] = {}
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            headers={"User-Agent": USER_AGENT, "Accept-Encoding": "gzip, deflate"}, cookie_jar=aiohttp.DummyCookieJar()
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def get(
        self,
        url: str,
        now: datetime | None = None,
        *,
        largest: int | None = None,
        within: Collection[str] | None = None,
    ) -> Fetched:
        """The body that `url` answers with, after at most MOST_REDIRECTS redirects.

        `within` are the origins that may be asked, redirects included: "https://arxiv.org", or "https://*.hf.co" for
        all hosts below one; None allows any. With `now`, a host that asked us to wait is not asked before. `largest`
        overrides the limit in bytes. Raises FetchError.
        """
        cached = self._cache.get(url) if self._cache is not None else None
        at, left = url, self._total
        for hop in range(MOST_REDIRECTS + 1):
            _check(at, redirected=hop > 0)
            if within is not None and not allowed(at, within):
                raise FetchError("the address is not at a host that may be asked", temporary=False)
            if now is not None and now < self._blocked.get(urlsplit(at).netloc, now):
                raise FetchError(f"{_host(at)} asked us to wait")
            async with self._turn(urlsplit(at).netloc):
                began = asyncio.get_running_loop().time()
                answered = await self._ask(at, now, max(left, 0.001), largest or self._largest, cached)
                left -= asyncio.get_running_loop().time() - began
            if isinstance(answered, str):
                at = answered
                continue
            body, headers = answered
            if body is None and cached is not None and self._cache is not None:
                self._cache.move_to_end(url)
                return cached.fetched
            fetched = Fetched(at, body or b"")
            self._keep(url, headers, fetched)
            return fetched
        raise FetchError(f"{_host(url)} redirected us more than {MOST_REDIRECTS} times", temporary=False)

    async def server_time(self, url: str) -> datetime | None:
        """The time of the server at `url`, from the head of any answer; a cached one's age counts.

        RFC 9110, section 6.6.1, and RFC 9111, section 5.1. None if it does not say. Raises FetchError, with `expired`
        if its certificate is not valid by our own clock.
        """
        if self._session is None:
            raise RuntimeError("a Fetcher is used inside `async with`")
        _check(url, redirected=False)
        try:
            timeout = aiohttp.ClientTimeout(total=self._total, connect=self._connect)
            async with self._session.head(url, timeout=timeout, allow_redirects=False) as answer:
                age = answer.headers.get("Age", "")
                cached = timedelta(seconds=int(age) if _AGE.fullmatch(age) else 0)
                at = _moment(answer.headers.get("Date", ""))
                return None if at is None else at + cached
        except (aiohttp.ClientError, OSError, ValueError) as error:
            certificate = getattr(error, "certificate_error", None)
            expired = getattr(certificate, "verify_code", None) in _NOT_VALID_NOW
            raise FetchError(self._explain(error, _host(url)), expired=expired) from None

    @asynccontextmanager
    async def _turn(self, host: str) -> AsyncIterator[None]:
        """Wait until `host` (with its port) may be asked, and hold it until the pause after the request is over."""
        if self._pause <= 0:
            yield
            return
        lock = self._turns.setdefault(host, asyncio.Lock())
        await lock.acquire()
        try:
            yield
        finally:
            asyncio.get_running_loop().call_later(self._pause, lock.release)

    async def _ask(
        self, url: str, now: datetime | None, seconds: float, largest: int, cached: _Cached | None
    ) -> tuple[bytes | None, Mapping[str, str]] | str:
        """One request: body and headers (no body for "not modified"), or the address that we are redirected to."""
        if self._session is None:
            raise RuntimeError("a Fetcher is used inside `async with`")
        try:
            conditions = cached.validators if cached else None
            timeout = aiohttp.ClientTimeout(total=seconds, connect=self._connect)
            async with self._session.get(url, headers=conditions, timeout=timeout, allow_redirects=False) as answer:
                if answer.status in {301, 302, 303, 307, 308}:
                    return _redirect(url, answer.headers.get("Location", ""))
                if answer.status == HTTPStatus.NOT_MODIFIED and cached:
                    return None, answer.headers
                if answer.status != HTTPStatus.OK:
                    raise self._refused(url, answer.status, answer.headers, now)
                return await _read(answer, _host(url), largest), answer.headers
        except (aiohttp.ClientError, OSError, ValueError) as error:
            # The cause is left out: its text may hold the whole address, and the address a token.
            temporary = not isinstance(error, aiohttp.InvalidURL)
            raise FetchError(self._explain(error, _host(url)), temporary=temporary) from None

    def _refused(self, url: str, status: int, headers: Mapping[str, str], now: datetime | None) -> FetchError:
        """The error for an answer that is neither body nor redirect; notes until when its host is not to be asked."""
        wait = retry_after(headers, limited=status == HTTPStatus.TOO_MANY_REQUESTS)
        if now is not None and status in {429, 503}:
            self._blocked[urlsplit(url).netloc] = now + timedelta(seconds=DEFAULT_WAIT if wait is None else wait)
        temporary = status >= 500 or status in {408, 425, 429}
        return FetchError(f"{_host(url)} answered {_status(status)}", temporary=temporary, retry_after=wait)

    def _keep(self, url: str, headers: Mapping[str, str], fetched: Fetched) -> None:
        if self._cache is None:
            return
        conditions = {"If-None-Match": headers.get("ETag"), "If-Modified-Since": headers.get("Last-Modified")}
        validators = {name: value for name, value in conditions.items() if value}
        self._cache.pop(url, None)
        if validators:
            self._cache[url] = _Cached(validators, fetched)
        while len(self._cache) > MOST_CACHED or self._cached_bytes() > LARGEST_CACHE:
            self._cache.popitem(last=False)

    def _cached_bytes(self) -> int:
        return sum(len(cached.fetched.body) for cached in (self._cache or {}).values())

    def _explain(self, error: Exception, host: str) -> str:
        match error:
            case aiohttp.ConnectionTimeoutError():
                return f"{host} could not be reached within {self._connect:g} s"
            case TimeoutError():
                return f"{host} did not answer within {self._total:g} s"
            case aiohttp.ClientConnectorDNSError():
                return f"{host} could not be found"
            case aiohttp.ClientSSLError() | ssl.SSLError():
                return f"{host} offers no secure connection that can be trusted"
            case aiohttp.ClientConnectorError():
                return f"{host} could not be reached"
            case aiohttp.InvalidURL():
                return NO_ADDRESS
            case aiohttp.ClientPayloadError() | aiohttp.ServerDisconnectedError() | OSError():
                return f"{host} closed the connection before its answer was complete"
            case _:
                return f"{host} gave an answer that is not valid HTTP ({type(error).__name__})"


async def _read(answer: aiohttp.ClientResponse, host: str, largest: int) -> bytes:
    body = bytearray()
    async for chunk in answer.content.iter_chunked(CHUNK):  # aiohttp decompresses no further than it is read
        body += chunk
        if len(body) > largest:
            answer.close()
            raise FetchError(f"{host} answered with more than {largest >> 20} MiB", temporary=False)
    return bytes(body)


def origin(url: str) -> str | None:
    """Scheme, host and port of an http(s) address, written "https://arxiv.org"; None where it is none."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    # Only what all URL parsers agree on: RFC 3986 and the WHATWG standard differ about the rest.
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


def retry_after(headers: Mapping[str, str], *, limited: bool = False, longest: float = LONGEST_WAIT) -> float | None:
    """Seconds that an answer asks us to wait, at most `longest`; None where it does not say.

    That is Retry-After (RFC 9110, section 10.2.3), a date being measured by the server's own clock. With `limited`
    (status 429) it is the longer of that and the window of RateLimit: `"api";r=0;t=123`
    (https://huggingface.co/docs/hub/rate-limits). Every answer of that API carries RateLimit, so it counts only then.
    """
    waits = [float(found[1]) for found in _WINDOW.finditer(headers.get("RateLimit", ""))] if limited else []
    written = headers.get("Retry-After", "").strip()
    if _SECONDS.fullmatch(written):
        waits.append(float(written[:20]))
    elif (until := _moment(written)) and (now := _moment(headers.get("Date", ""))):
        waits.append(max((until - now).total_seconds(), 0.0))
    return min(max(waits), longest) if waits else None


def _moment(written: str) -> datetime | None:
    """A date of HTTP; None where it is none or names no time zone."""
    try:
        moment = parsedate_to_datetime(written)
        return moment.astimezone(UTC) if moment.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _host(url: str) -> str:
    """The host that `url` names: all of an address that may be shown."""
    return urlsplit(url).hostname or ""


def _check(url: str, *, redirected: bool) -> None:
    """Raise FetchError where `url` is no http(s) address."""
    try:
        parts = urlsplit(url)
        valid = bool(parts.hostname) and parts.scheme in _PORTS
    except ValueError:
        valid = False
    if not valid:
        message = "a redirect leads to something that is no web address" if redirected else NO_ADDRESS
        raise FetchError(message, temporary=False)


def _redirect(url: str, location: str) -> str:
    """The address that a redirect leads to, without its fragment; empty where it is none."""
    try:
        return urldefrag(urljoin(url, location))[0]
    except ValueError:
        return ""


def _status(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)
