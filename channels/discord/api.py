"""Every call to Discord passes here: at most so many a second, none while too many are refused, each watched.

discord.py waits where a route's headers say so and repeats what failed by itself; what it cannot know is how much of
the account's rate is used beside it, how near a ban is, and whether a message may have left.
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
"""Calls a second, of the 50 that a bot may make (topics/rate-limits); interactions are outside of it."""
CATCH_UP = 1
"""So many calls that are late may follow at once."""
INVALID = frozenset({401, 403, 429})
INVALID_MOST = 2_000
"""Answers of these kinds in ten minutes after which we stop; 10,000 mean a ban (topics/rate-limits)."""
INVALID_WINDOW = 600.0
REPEATED = frozenset({500, 502, 504, 524})
"""Answers after which discord.py repeats a call, and after which a message may be there all the same."""


class StoppedError(Exception):
    """Too many calls were refused lately: none is made for so many seconds."""

    def __init__(self, retry_after: float) -> None:
        super().__init__(f"too many calls were refused; none is made for {retry_after:.0f} s")
        self.retry_after = retry_after


class UndecidedError(Exception):
    """A call that nobody knows the end of would be repeated, and must not be."""


@dataclass(slots=True)
class Attempt:
    """What was seen of one call that makes a message."""

    repeatable: bool
    """Whether the service tells a repeat from a second message."""
    left: bool = False
    """Whether it left and no answer came."""
    doubtful: bool = False
    """Whether an earlier try of it may have been carried out all the same."""
    taken: bool = False
    """Whether the service said yes, whatever becomes of the rest of its answer."""
    held_up: bool = False
    """Whether the limit that it met is the whole account's."""

    @property
    def may_be_there(self) -> bool:
        """Whether the service may have done what was asked."""
        return self.left or self.doubtful or self.taken


_current: ContextVar[Attempt | None] = ContextVar("attempt", default=None)


@contextmanager
def watching(attempt: Attempt) -> Iterator[None]:
    """Watch the one call that is made within, with all its tries."""
    token = _current.set(attempt)
    try:
        yield
    finally:
        _current.reset(token)


class DiscordApi:
    """Watches and paces the calls of all clients of one account."""

    def __init__(self, api_url: str) -> None:
        self._api_url = str(URL(api_url))  # as the client writes it
        self._gate = asyncio.Lock()
        self._next = 0.0
        self._invalid: deque[float] = deque()

    def trace(self) -> aiohttp.TraceConfig:
        """What makes a client's calls pass here."""
        trace = aiohttp.TraceConfig()
        trace.on_request_start.append(self._start)
        trace.on_request_headers_sent.append(self._leave)
        trace.on_request_end.append(self._end)
        trace.on_request_exception.append(self._fail)
        return trace

    @property
    def invalid(self) -> int:
        """How many calls of the last ten minutes were refused."""
        now = asyncio.get_running_loop().time()
        while self._invalid and self._invalid[0] <= now - INVALID_WINDOW:
            self._invalid.popleft()
        return len(self._invalid)

    async def _start(
        self, _: aiohttp.ClientSession, context: SimpleNamespace, params: aiohttp.TraceRequestStartParams
    ) -> None:
        url = str(params.url)
        context.ours = url.startswith(f"{self._api_url}/")
        if not context.ours:
            return  # the gateway
        attempt = _current.get()
        if attempt is not None and attempt.may_be_there and not attempt.repeatable:
            raise UndecidedError
        if self.invalid >= INVALID_MOST:
            raise StoppedError(self._invalid[0] + INVALID_WINDOW - asyncio.get_running_loop().time())
        if not url.startswith((f"{self._api_url}/interactions/", f"{self._api_url}/webhooks/")):
            await self._turn()

    async def _turn(self) -> None:
        """Wait for the next turn. What a busy loop delays is caught up with, but never in a burst."""
        clock = asyncio.get_running_loop().time
        async with self._gate:
            await asyncio.sleep(self._next - clock())
            self._next = max(self._next, clock() - CATCH_UP / PER_SECOND) + 1 / PER_SECOND

    async def _leave(self, *_: object) -> None:
        if (attempt := _current.get()) is not None:
            attempt.left = True

    async def _end(
        self, _: aiohttp.ClientSession, context: SimpleNamespace, params: aiohttp.TraceRequestEndParams
    ) -> None:
        if not context.ours:
            return
        status, headers = params.response.status, params.response.headers
        if status in INVALID and headers.get("X-RateLimit-Scope") != "shared":
            self._invalid.append(asyncio.get_running_loop().time())
        attempt = _current.get()
        if attempt is not None:
            attempt.left = False
            attempt.doubtful |= status in REPEATED
            attempt.held_up |= status == 429 and "X-RateLimit-Global" in headers
            attempt.taken |= 200 <= status < 300

    async def _fail(
        self, _: aiohttp.ClientSession, context: SimpleNamespace, __: aiohttp.TraceRequestExceptionParams
    ) -> None:
        attempt = _current.get()
        if context.ours and attempt is not None and attempt.left:
            attempt.doubtful = True
