"""Polls the feed and stores its papers. One poll asks for several list days; each is read, or not, by itself."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Protocol

from bot.model import Cadence, Found
from bot.publishing.feed import FeedError
from bot.rules import closing as rules
from bot.rules.closing import DAY, ClosingState
from bot.store import Store, closing_state, edition_queries, paper_queries, unread_days

log = logging.getLogger(__name__)

Progress = Callable[[int, int], None]


class Feed(Protocol):
    """The interface of the feed (bot.publishing.feed.Feed); its methods raise FeedError."""

    async def newest_day(self, until: date) -> date | None: ...

    async def poll(self, days: list[date], *, now: datetime, progress: Progress | None = None) -> Found: ...


class Poller:
    """Polls one feed into one database. `interval` is the time between two polls, `closes` the closing time in UTC."""

    def __init__(
        self, store: Store, feed: Feed, *, interval: timedelta, closes: time, progress: Progress | None = None
    ) -> None:
        self._store = store
        self._feed = feed
        self._interval = interval
        self._closes = closes
        self.progress = progress
        self.fault: str | None = None
        """Why the last poll failed; None if it got any list."""
        self.failed: Mapping[date, str] = {}
        """The days that the last poll could not read although it read others, and why."""
        self.polled_at: datetime | None = None
        """When this process last polled successfully."""

    async def is_due(self, now: datetime) -> bool:
        """Whether to poll now."""
        async with self._store.read() as connection:
            return rules.poll_due(await closing_state.load(connection), now, self._interval, self._closes)

    async def poll(self, now: datetime) -> bool:
        """Poll the feed and store the papers of the days that could be read. Returns whether there was any.

        An error is logged when it first appears and again when it is over, not at every poll between.
        """
        if await self._must_wait(now):
            return False
        try:
            asked, found, origin = await self._fetch(now)
        except FeedError as error:
            await self._note_failure(error, now)
            return False
        retry_at = None if found.retry_after is None else now + timedelta(seconds=found.retry_after)
        async with self._store.write() as connection:
            new = await paper_queries.keep(connection, found)
            changes: dict[str, date | datetime | None] = {"polled_at": now, "attempted_at": now}
            changes |= {"retry_at": retry_at, "failing_since": None}
            if origin is not None:
                changes |= {"origin": origin, "settled": origin - DAY}
            await closing_state.save(connection, **changes)
            settled = (await closing_state.load(connection)).settled
            since = None if settled is None else rules.settled_by(settled, now, self._closes)
            changed = await unread_days.note(connection, asked, found.failed, settled=since, now=now)
        if self.fault is not None:
            log.info("feed can be read again")
        self.fault, self.failed, self.polled_at = None, found.failed, now
        for day, reason in changed.failing.items():
            log.warning("list of a day cannot be read", extra={"day": day.isoformat(), "reason": reason})
        for day in changed.well:
            log.info("list of a day can be read again", extra={"day": day.isoformat()})
        log.info("polled", extra={"papers": len(found.papers), "new": new})
        return True

    async def read(self, days: Sequence[date], now: datetime, progress: Progress | None = None) -> Found:
        """Read these days from the feed and store their papers. Raises FeedError if none of them can be read."""
        found = await self._feed.poll(list(days), now=now, progress=progress or self.progress)
        async with self._store.write() as connection:
            await paper_queries.keep(connection, found)
        return found

    async def refresh(self, days: Sequence[date], now: datetime) -> bool:
        """Read these days again for current votes. Returns whether all of them could be read."""
        if self.fault is not None:
            return False
        if not days:
            return True
        try:
            return not (await self.read(days, now)).failed
        except FeedError as error:
            await self._note_failure(error, now)
            return False

    async def _fetch(self, now: datetime) -> tuple[list[date], Found, date | None]:
        """The days asked for, what was found, and on the very first start the day of the first edition."""
        async with self._store.read() as connection:
            known = await closing_state.load(connection)
            newest = await edition_queries.latest_day(connection, Cadence.DAY)
            unread = await unread_days.load(connection)
        origin = None
        if known.origin is None:
            origin = await self._feed.newest_day(rules.newest_finished(now, self._closes))
            if origin is None:
                raise FeedError("the feed lists no papers of a finished day yet")
            known, newest = ClosingState(origin=origin, settled=origin), None
        days = rules.days_to_poll(known, newest, now, unread.values())
        return days, await self._feed.poll(days, now=now, progress=self.progress), origin

    async def _note_failure(self, error: FeedError, now: datetime) -> None:
        if str(error) != self.fault:
            log.warning("feed cannot be read", extra={"reason": str(error)})
        self.fault, self.failed = str(error), {}
        retry_at = now + timedelta(seconds=error.retry_after) if error.retry_after else None
        async with self._store.write() as connection:
            since = (await closing_state.load(connection)).failing_since or now
            await closing_state.save(connection, attempted_at=now, retry_at=retry_at, failing_since=since)

    async def _must_wait(self, now: datetime) -> bool:
        """Whether the feed asked not to be polled before a time that is still to come (Retry-After)."""
        async with self._store.read() as connection:
            known = await closing_state.load(connection)
        if known.retry_at is None or known.attempted_at is None or not known.attempted_at <= now < known.retry_at:
            return False
        self.fault = f"it asked not to be called before {known.retry_at:%H:%M:%S} UTC"
        return True

    async def next_poll(self, now: datetime) -> datetime:
        """The time at which a poll is next due."""
        async with self._store.read() as connection:
            known = await closing_state.load(connection)
        if rules.poll_due(known, now, self._interval, self._closes):
            return now
        assert known.attempted_at is not None
        if known.retry_at is not None:
            return known.retry_at
        closing = rules.closing_time(rules.newest_finished(now, self._closes) + DAY, self._closes)
        return min(known.attempted_at + self._interval, closing)
