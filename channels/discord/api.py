"""Guards every call to Discord's API: the account's rate limit, a stop long before a ban, traces of each attempt.

discord.py obeys the rate limits of routes and retries failed calls by itself. It does not know the account's rate limit
beside them, how near a ban is, or whether a message may have been sent.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from types import SimpleNamespace

import aiohttp
from yarl import URL

PER_SECOND = 48
"""Calls per second, of the 50 that a bot may make (topics/rate-limits#global-rate-limit); interactions do not count."""
BURST = 1
"""Late calls that may follow at once."""
INVALID = frozenset({401, 403, 429})
INVALID_LIMIT = 2_000
"""Invalid requests in ten minutes after which no call is made; 10,000 cause a ban
(topics/rate-limits#invalid-request-limit-aka-cloudflare-bans)."""
INVALID_WINDOW = 600.0  # seconds
RETRIED = frozenset({500, 502, 504, 524})
"""Statuses after which discord.py retries a call that may have succeeded."""


class BlockedError(Exception):
    """Too many invalid requests: no call is made for `retry_after` seconds."""

    def __init__(self, retry_after: float) -> None:
        super().__init__(f"too many invalid requests; no call is made for {retry_after:.0f} s")
        self.retry_after = retry_after


class UnconfirmedError(Exception):
    """A call that may have succeeded was about to be retried, and is not idempotent."""


@dataclass(slots=True)
class Attempt:
    """The trace of one call that creates a message, with its retries."""

    idempotent: bool
    """Whether the service recognises a retry by its nonce."""
    in_flight: bool = False
    """Whether a request was sent and not answered."""
    doubtful: bool = False
    """Whether an earlier try may have succeeded."""
    accepted: bool = False
    """Whether the service accepted it, even if its answer broke off."""
    globally_limited: bool = False
    """Whether the rate limit that it met is the account's."""

    @property
    def may_have_arrived(self) -> bool:
        """Whether the message may have been created."""
        return self.in_flight or self.doubtful or self.accepted


_current: ContextVar[Attempt | None] = ContextVar("attempt", default=None)


@contextmanager
def tracing(attempt: Attempt) -> Iterator[None]:
    """Trace the one call made within the block into `attempt`."""
    token = _current.set(attempt)
    try:
        yield
    finally:
        _current.reset(token)


class DiscordApi:
    """Rate limit and traces for all clients of one account."""

    def __init__(self, api_url: str) -> None:
        self._prefix = f"{URL(api_url)}/"  # as the client normalises it
        self._lock = asyncio.Lock()
        self._next = 0.0
        self._invalid: deque[float] = deque()

    def trace(self) -> aiohttp.TraceConfig:
        """A trace configuration that sends a client's calls through here."""
        trace = aiohttp.TraceConfig()
        trace.on_request_start.append(self._on_start)
        trace.on_request_headers_sent.append(self._on_sent)
        trace.on_request_end.append(self._on_end)
        trace.on_request_exception.append(self._on_error)
        return trace

    @property
    def invalid(self) -> int:
        """Number of invalid requests in the last ten minutes."""
        now = asyncio.get_running_loop().time()
        while self._invalid and self._invalid[0] <= now - INVALID_WINDOW:
            self._invalid.popleft()
        return len(self._invalid)

    async def _on_start(
        self, _: aiohttp.ClientSession, context: SimpleNamespace, params: aiohttp.TraceRequestStartParams
    ) -> None:
        url = str(params.url)
        context.is_api = url.startswith(self._prefix)  # the gateway is not
        if not context.is_api:
            return
        attempt = _current.get()
        if attempt is not None and attempt.may_have_arrived and not attempt.idempotent:
            raise UnconfirmedError
        if self.invalid >= INVALID_LIMIT:
            raise BlockedError(self._invalid[0] + INVALID_WINDOW - asyncio.get_running_loop().time())
        if not url.startswith((f"{self._prefix}interactions/", f"{self._prefix}webhooks/")):
            await self._acquire()

    async def _acquire(self) -> None:
        """Wait until the account's rate limit allows a call. A late call catches up, but never in a burst."""
        clock = asyncio.get_running_loop().time
        async with self._lock:
            await asyncio.sleep(self._next - clock())
            self._next = max(self._next, clock() - BURST / PER_SECOND) + 1 / PER_SECOND

    async def _on_sent(self, *_: object) -> None:
        if (attempt := _current.get()) is not None:
            attempt.in_flight = True

    async def _on_end(
        self, _: aiohttp.ClientSession, context: SimpleNamespace, params: aiohttp.TraceRequestEndParams
    ) -> None:
        if not context.is_api:
            return
        status, headers = params.response.status, params.response.headers
        if status in INVALID and headers.get("X-RateLimit-Scope") != "shared":
            self._invalid.append(asyncio.get_running_loop().time())
        attempt = _current.get()
        if attempt is not None:
            attempt.in_flight = False
            attempt.doubtful |= status in RETRIED
            attempt.globally_limited |= status == 429 and "X-RateLimit-Global" in headers
            attempt.accepted |= 200 <= status < 300

    async def _on_error(
        self, _: aiohttp.ClientSession, context: SimpleNamespace, __: aiohttp.TraceRequestExceptionParams
    ) -> None:
        attempt = _current.get()
        if context.is_api and attempt is not None and attempt.in_flight:
            attempt.doubtful = True
