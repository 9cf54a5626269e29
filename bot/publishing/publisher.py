"""Polls the feed, stores its papers, and closes and publishes editions.

Each step depends only on stored state and on *now*, so a process that was down catches up when it starts.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.delivery.alerts import Alert, log_alert
from bot.model import Cadence, Edition, Found, Paper
from bot.publishing.feed import FeedError
from bot.rules import closing as rules
from bot.rules.closing import DAY, WINDOW, ClosingState, closing_time
from bot.rules.periods import LONGER, Period, compile_period, periods_over
from bot.store import Store, audience, closing_state, edition_queries, paper_queries, subscriber_queries

log = logging.getLogger(__name__)

Progress = Callable[[int, int], None]


class Feed(Protocol):
    """What the publisher uses of bot.publishing.feed.Feed; its methods raise FeedError."""

    async def newest_day(self, until: date) -> date | None: ...

    async def poll(self, days: list[date], *, now: datetime, progress: Progress | None = None) -> Found: ...


@dataclass(frozen=True, slots=True)
class Published:
    """An edition that was stored, and how many readers it is owed to."""

    edition: Edition
    audience: int


class Publisher:
    """Closes editions. `interval` is the time between two polls, `closes` the closing time in UTC."""

    def __init__(
        self,
        store: Store,
        feed: Feed,
        *,
        interval: timedelta,
        closes: time,
        progress: Progress | None = None,
        alert: Alert = log_alert,
    ) -> None:
        self._alert = alert
        self._store = store
        self._feed = feed
        self._interval = interval
        self._closes = closes
        self._progress = progress
        self.fault: str | None = None
        """Why the last poll failed; None if it succeeded."""
        self.polled_at: datetime | None = None
        """When this process last polled successfully."""

    async def step(self, now: datetime) -> bool:
        """Poll if a poll is due, then close what can be closed. Returns whether anything was done."""
        async with self._store.read() as connection:
            due = rules.poll_due(await closing_state.load(connection), now, self._interval, self._closes)
        polled = due and await self.poll(now)
        closed = [*await self.close(now), *await self.close_periods(now)]
        return bool(closed) or polled

    async def poll(self, now: datetime) -> bool:
        """Poll the feed and store its papers, all or none of them. Returns whether that worked.

        An error is logged when it first appears and again when it is over, not at every poll between.
        """
        if await self._must_wait(now):
            return False
        try:
            found, origin = await self._fetch(now)
        except FeedError as error:
            await self._failed(error, now)
            return False
        async with self._store.write() as connection:
            new = await paper_queries.keep(connection, found)
            changes: dict[str, date | datetime | None] = {"polled_at": now, "attempted_at": now}
            changes |= {"retry_at": None, "failing_since": None}
            if origin is not None:
                changes |= {"origin": origin, "settled": origin - DAY}
            await closing_state.save(connection, **changes)
        if self.fault is not None:
            log.info("feed can be read again")
        self.fault, self.polled_at = None, now
        log.info("polled", extra={"papers": len(found.papers), "new": new})
        return True

    async def _fetch(self, now: datetime) -> tuple[Found, date | None]:
        """The papers to store and, on the very first start, the day of the first edition."""
        async with self._store.read() as connection:
            known = await closing_state.load(connection)
            newest = await edition_queries.latest_day(connection, Cadence.DAY)
        if known.origin is not None:
            return await self._feed.poll(rules.days_to_poll(known, newest, now), now=now, progress=self._progress), None
        origin = await self._feed.newest_day(rules.newest_finished(now, self._closes))
        if origin is None:
            raise FeedError("the feed lists no papers of a finished day yet")
        days = rules.days_to_poll(ClosingState(origin=origin, settled=origin), None, now)
        return await self._feed.poll(days, now=now, progress=self._progress), origin

    async def _failed(self, error: FeedError, now: datetime) -> None:
        if str(error) != self.fault:
            log.warning("feed cannot be read", extra={"reason": str(error)})
        self.fault = str(error)
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

    async def close(self, now: datetime) -> list[Published]:
        """Close the days that can be closed, in one transaction. Only the newest is delivered."""
        async with self._store.read() as connection:
            known = await closing_state.load(connection)
        if not self._may_close(known, now):
            return []
        async with self._store.write() as connection:
            known = await closing_state.load(connection, lock=True)  # another process may have closed them meanwhile
            assert known.settled is not None
            since = rules.settled_by(known.settled, now, self._closes)
            listed, held = await self._candidates(connection, since + DAY, now.astimezone(UTC).date())
            filled = await edition_queries.days(connection, Cadence.DAY, since=since)
            closed, settled = rules.close(known, listed, held, closes=self._closes, now=now, filled=filled)
            published = []
            for position, edition in enumerate(closed, start=1):
                deliver = position == len(closed) and rules.for_readers(known, edition.day, self._closes)
                published += await self._write(connection, edition, deliver=deliver)
            if settled != known.settled:
                await closing_state.save(connection, settled=settled)
        return self._announce(published)

    async def close_periods(self, now: datetime) -> list[Published]:
        """Close the weeks and months that are over, with current votes. Only the newest of each is delivered."""
        async with self._store.read() as connection:
            known = await closing_state.load(connection)
        published: list[Published] = []
        if known.origin is None or known.settled is None:
            return published
        for cadence in LONGER:
            name = f"settled_{cadence}"
            settled = rules.settled_by(known.settled, now, self._closes)
            over = list(periods_over(cadence, getattr(known, name) or known.origin - DAY, settled))
            for period in over:
                votes = await self._refresh(period, now) if period is over[-1] else True
                if not votes and not await self._is_too_late(period, now):
                    break  # retried, before the period closes with the votes that are stored
                deliver = period is over[-1] and rules.for_readers(known, period.last, self._closes)
                published += await self._close_period(period, now, complete=votes, deliver=deliver)
        return published

    async def _is_too_late(self, period: Period, now: datetime) -> bool:
        """Whether a period has waited long enough (rules.PATIENCE) for a feed that cannot be read."""
        async with self._store.read() as connection:
            known = await closing_state.load(connection)
        return rules.out_of_patience(known) and now >= closing_time(period.last, self._closes) + rules.PATIENCE

    async def _refresh(self, period: Period, now: datetime) -> bool:
        """Poll the days of a period's papers again for current votes. Returns whether that worked."""
        if self.fault is not None:
            return False
        async with self._store.read() as connection:
            ids = await edition_queries.papers_between(connection, period.first, period.last)
            days = sorted({paper.listed_on for paper in await paper_queries.by_ids(connection, ids)})
        try:
            found = await self._feed.poll(days, now=now, progress=self._progress)
        except FeedError as error:
            await self._failed(error, now)
            return False
        async with self._store.write() as connection:
            await paper_queries.keep(connection, found)
        return True

    async def _close_period(self, period: Period, now: datetime, *, complete: bool, deliver: bool) -> list[Published]:
        async with self._store.write() as connection:
            ids = await edition_queries.papers_between(connection, period.first, period.last)
            listed = await paper_queries.by_ids(connection, ids)
            held = await edition_queries.held(connection, ids, period.cadence)
            edition = compile_period(period, listed, held, now=now, complete=complete)
            changes: dict[str, Any] = {f"settled_{period.cadence}": period.last}
            await closing_state.save(connection, **changes)
            published = await self._write(connection, edition, deliver=deliver)
        return self._announce(published)

    def _may_close(self, known: ClosingState, now: datetime) -> bool:
        """Whether any day may be waiting for its edition; if not, a step needs no write transaction."""
        if known.settled is None or known.attempted_at is None:
            return False
        since = rules.settled_by(known.settled, now, self._closes)
        return closing_time(since + DAY, self._closes) <= min(known.attempted_at, now)

    async def close_early(self, now: datetime) -> list[Published]:
        """Close today's list as it stands and deliver it. Papers listed later go into the next edition."""
        published = await self.close(now)
        today = now.astimezone(UTC).date()
        async with self._store.write() as connection:
            known = await closing_state.load(connection, lock=True)
            if known.settled is None or known.origin is None or known.settled >= today:
                return published
            listed, held = await self._candidates(connection, today, today)
            if not any(paper.listed_on == today for paper in listed):
                return published  # a weekend day has no list of its own
            edition = rules.compile_edition(today, listed, held, origin=known.origin, now=now)
            early = await self._write(connection, edition, deliver=True)
            if early:
                await closing_state.save(connection, settled=today)
        return published + self._announce(early)

    async def back_fill(self, day: date, now: datetime, *, deliver: bool) -> list[Published]:
        """Publish a past day from the feed's list. Returns nothing if the day has an edition or an empty list.

        Without `deliver` the edition only goes to the archive. Raises FeedError.
        """
        found = await self._feed.poll([day], now=now, progress=self._progress)
        async with self._store.write() as connection:
            await closing_state.load(connection, lock=True)
            await paper_queries.keep(connection, found)
            listed, held = await self._candidates(connection, day, day)
            edition = rules.compile_edition(day, listed, held, origin=day, now=now)
            published = await self._write(connection, edition, deliver=deliver)
        return self._announce(published)

    async def _candidates(self, connection: AsyncConnection, first: date, last: date) -> tuple[list[Paper], set[str]]:
        """The papers that editions from `first` to `last` may hold, and the ids already in an edition."""
        listed = await paper_queries.listed(connection, first - WINDOW, last)
        return listed, await edition_queries.held(connection, [paper.id for paper in listed])

    async def _write(self, connection: AsyncConnection, edition: Edition, *, deliver: bool) -> list[Published]:
        """Store an edition and, with `deliver`, its deliveries. Returns nothing if it is empty or stored already."""
        edition_id = await edition_queries.add(connection, edition, for_readers=deliver) if edition.papers else None
        if edition_id is None:
            return []
        readers = 0
        if deliver:
            await subscriber_queries.resume_due(connection, now=edition.closed_at)
            readers = await audience.owe(connection, edition_id, edition.cadence, published_at=edition.closed_at)
        return [Published(edition, readers)]

    def _announce(self, published: list[Published]) -> list[Published]:
        """Log and alert about stored editions; called after the commit."""
        for each in published:
            edition = each.edition
            fields: dict[str, Any] = {
                "cadence": edition.cadence.value,
                "day": edition.day.isoformat(),
                "papers": len(edition.papers),
                "audience": each.audience,
                "complete": edition.complete,
            }
            if each.audience:
                self._alert("edition published", edition.closed_at, **fields)
            else:
                log.info("edition closed", extra=fields)
        return published

    async def next_step(self, now: datetime) -> datetime:
        """The time at which `step` next has something to do."""
        async with self._store.read() as connection:
            known = await closing_state.load(connection)
        if rules.poll_due(known, now, self._interval, self._closes):
            return now
        assert known.attempted_at is not None
        at = known.retry_at or known.attempted_at + self._interval
        closing = closing_time(rules.newest_finished(now, self._closes) + DAY, self._closes)
        return at if known.retry_at else min(at, closing)
