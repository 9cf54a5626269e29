"""How much one reader may ask: a few things at once, then one every few seconds. Time is an argument."""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime, timedelta

AT_ONCE = 20
EVERY = timedelta(seconds=2)
REMEMBERED = 10_000
"""Readers whose allowance is kept in mind; whoever asked longest ago is forgotten, and starts afresh."""


class Quota:
    """A bucket for each reader: it holds `AT_ONCE` questions and gains one in each `EVERY`, unless told otherwise."""

    def __init__(self, at_once: int | None = None, every: timedelta | None = None) -> None:
        self._at_once = at_once
        self._every = every
        self._told: set[str] = set()
        """Who has been told to wait, and has not been heard since."""
        self._empty_at: OrderedDict[str, datetime] = OrderedDict()
        """When each bucket would have been empty, had it been full for ever: the later, the emptier."""

    def take(self, who: str, now: datetime) -> timedelta | None:
        """Take one question from a reader's allowance; None where there was one, else how long until there is."""
        every = self._every or EVERY
        full = now - (self._at_once or AT_ONCE) * every
        before = self._empty_at.get(who, full)
        if before > now:  # the clock was set back
            before = full
        used = max(before, full) + every
        if used > now:
            return used - now
        self._told.discard(who)
        self._empty_at[who] = used
        self._empty_at.move_to_end(who)
        if len(self._empty_at) > REMEMBERED:
            forgotten, _ = self._empty_at.popitem(last=False)
            self._told.discard(forgotten)
        return None

    def is_told(self, who: str) -> bool:
        """Whether somebody who has to wait was told so already; from now on they were."""
        before = who in self._told
        self._told.add(who)
        return before
