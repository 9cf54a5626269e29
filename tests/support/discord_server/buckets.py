"""Rate limits of a bot: buckets by route and channel, and a global limit (topics/rate-limits)."""

from __future__ import annotations

import hashlib
import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.support.discord_server.clock import Clock
from tests.support.discord_server.messages import Json

MAJOR = ("channel_id", "guild_id", "webhook_id", "webhook_token")
UNCOUNTED = ("/interactions/", "/webhooks/")
"""Routes that the limit for everything leaves out."""
INVALID = (401, 403, 429)
INVALID_WINDOW = 600.0


@dataclass(frozen=True)
class Rates:
    """Calls in seconds: for each route its own pair, and one for all others. None: no such limit."""

    everything: int | None = None
    """Calls in a sliding second, over all routes but those of interactions."""
    routes: Mapping[str, tuple[int, float]] = field(default_factory=dict)
    """By "POST /channels/{channel_id}/messages"."""
    other: tuple[int, float] = (10_000, 1.0)
    crossposts: int | None = 10
    """Messages of one channel that may be published in an hour."""

    @classmethod
    def real(cls) -> Rates:
        """What a bot meets: 50 a second in all, and in one channel 5 messages in 5 seconds."""
        messages = "/channels/{channel_id}/messages"
        pairs = {f"POST {messages}": (5, 5.0), f"PATCH {messages}/{{message_id}}": (5, 5.0)}
        return cls(50, pairs, (50, 1.0))


class LimitedError(Exception):
    """A rate limit was exceeded: the seconds to wait, and its scope."""

    def __init__(self, retry_after: float, scope: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(f"wait {retry_after:.3f} s ({scope})")
        self.retry_after, self.scope, self.more = retry_after, scope, headers or {}

    def json(self) -> Json:
        """The body of the answer."""
        whole = self.scope == "global"
        return {"message": "You are being rate limited.", "retry_after": round(self.retry_after, 3), "global": whole}

    def headers(self) -> dict[str, str]:
        """Its headers; `Via` is what tells clients that the service itself speaks."""
        whole = {"X-RateLimit-Global": "true"} if self.scope == "global" else {}
        wait = str(max(1, math.ceil(self.retry_after)))
        return self.more | {"Retry-After": wait, "X-RateLimit-Scope": self.scope, "Via": "1.1 google"} | whole


class Buckets:
    """The use of every rate limit."""

    def __init__(self, clock: Clock) -> None:
        self.clock, self.rates = clock, Rates()
        self._windows: dict[tuple[str, str], tuple[float, int]] = {}
        self._everything: deque[float] = deque()
        self._invalid: deque[float] = deque()

    @property
    def invalid(self) -> int:
        """Answers of 401, 403 and 429 in the last ten minutes, of which 10,000 mean a ban."""
        self._forget(self._invalid, INVALID_WINDOW)
        return len(self._invalid)

    def take(self, route: str, params: Mapping[str, str]) -> dict[str, str]:
        """Use one call up, and say in headers what is left; raises LimitedError where nothing was."""
        now = self.clock.seconds
        if self.rates.everything is not None and not route.split(" ")[1].startswith(UNCOUNTED):
            self._forget(self._everything, 1.0)
            if len(self._everything) >= self.rates.everything:
                raise LimitedError(self._everything[0] + 1.0 - now, "global")
            self._everything.append(now)
        limit, window = self.rates.routes.get(route, self.rates.other)
        key = (route, "+".join(params[name] for name in MAJOR if name in params))
        start, used = self._windows.get(key, (now, 0))
        if now >= start + window:
            start, used = now, 0
        name = hashlib.sha256(route.encode()).hexdigest()[:32]
        left, after = max(0, limit - used - 1), start + window - now
        headers = {
            "X-RateLimit-Limit": str(limit),
            "X-RateLimit-Remaining": str(left),
            "X-RateLimit-Reset": f"{start + window:.3f}",
            "X-RateLimit-Reset-After": f"{after:.3f}",
            "X-RateLimit-Bucket": name,
        }
        if used >= limit:
            raise LimitedError(after, "user", headers)
        self._windows[key] = (start, used + 1)
        if len(self._windows) > 20_000:
            self._windows = {key: each for key, each in self._windows.items() if each[0] + window > now}
        return headers

    def crosspost(self, times: deque[float]) -> None:
        """Use up one publishing of a channel, of which `times` are those before."""
        self._forget(times, 3_600.0)
        if self.rates.crossposts is not None and len(times) >= self.rates.crossposts:
            raise LimitedError(times[0] + 3_600.0 - self.clock.seconds, "shared")
        times.append(self.clock.seconds)

    def note(self, status: int, scope: str | None) -> None:
        """Count an answer that speaks against the bot; a limit that others share does not."""
        if status in INVALID and scope != "shared":
            self._invalid.append(self.clock.seconds)

    def _forget(self, times: deque[float], window: float) -> None:
        now = self.clock.seconds
        while times and times[0] <= now - window:
            times.popleft()
