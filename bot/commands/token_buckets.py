"""Rate limit per person: a token bucket that allows a short burst, then one request every few seconds."""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime, timedelta

BURST = 20
"""Requests that a person may make at once."""
REFILL = timedelta(seconds=2)
"""Time after which a person may make one more request."""
MOST_PEOPLE = 10_000
"""People whose buckets are kept; the one who has been silent longest is dropped and starts with a full bucket."""


class TokenBuckets:
    """One bucket per person, kept in memory: it holds `burst` tokens and gains one in each `refill`."""

    def __init__(self, burst: int | None = None, refill: timedelta | None = None) -> None:
        self._burst = burst
        self._refill = refill
        self._warned: set[str] = set()
        """Who was told to wait and has had no request allowed since."""
        self._empty_at: OrderedDict[str, datetime] = OrderedDict()
        """When each bucket would have become empty; the later, the fewer tokens are left."""

    def take(self, person: str, now: datetime) -> timedelta | None:
        """Take one token from a person's bucket. Returns None, or where it is empty the time until the next token."""
        refill = self._refill or REFILL
        full = now - (self._burst or BURST) * refill
        before = self._empty_at.get(person, full)
        if before > now:  # the clock was set back
            before = full
        used = max(before, full) + refill
        if used > now:
            return used - now
        self._warned.discard(person)
        self._empty_at[person] = used
        self._empty_at.move_to_end(person)
        if len(self._empty_at) > MOST_PEOPLE:
            dropped, _ = self._empty_at.popitem(last=False)
            self._warned.discard(dropped)
        return None

    def warn(self, person: str) -> bool:
        """Note that a person is told to wait. Returns whether they were told already since their last token."""
        before = person in self._warned
        self._warned.add(person)
        return before
