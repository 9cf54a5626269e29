"""Lists of days that the feed has but this archive has not: read when somebody asks, kept for an hour, not stored."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from datetime import date, datetime, timedelta

from bot.model import Paper
from bot.publishing.feed import FeedError
from bot.publishing.poller import Feed
from bot.runtime.recent import Recent

log = logging.getLogger(__name__)

KEEP = timedelta(hours=1)
"""How long a list is kept, also an empty one."""
KEEP_FAILURE = timedelta(minutes=5)
"""How long a day that could not be read in time is not asked for again, unless the feed asks us to wait longer."""
MOST_KEPT = 50
"""Days in memory."""
LONGEST_WAIT = 15.0
"""Seconds that somebody waits for a list before they are told that there is none."""


class PastLists:
    """Lists of past days, one request to the feed at a time: what people ask must not become a burden to it."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._kept: Recent[date, tuple[Sequence[Paper], datetime]] = Recent(MOST_KEPT)
        self._lock = asyncio.Lock()

    async def of(self, day: date, now: datetime) -> Sequence[Paper]:
        """The papers that the feed lists on `day`; none if it has none, or cannot be read in time."""
        is_asking = False
        try:
            async with asyncio.timeout(LONGEST_WAIT), self._lock:
                kept = self._kept.get(day)
                if kept is None or kept[1] <= now:
                    is_asking = True
                    kept = self._kept.put(day, await self._read(day, now))
                return kept[0]
        except TimeoutError:
            if is_asking:  # not while another day was read: that says nothing of this one
                self._kept.put(day, ((), now + KEEP_FAILURE))
            return ()

    async def _read(self, day: date, now: datetime) -> tuple[Sequence[Paper], datetime]:
        try:
            found = await self._feed.poll([day], now=now)
        except FeedError as error:
            log.info("list of a past day cannot be read", extra={"day": day.isoformat(), "reason": str(error)})
            return (), now + max(KEEP_FAILURE, timedelta(seconds=error.retry_after or 0))
        return [paper for paper in found.papers if paper.listed_on == day], now + KEEP
