"""Closes and publishes editions from the papers that polls have stored.

Each step depends only on stored state and on *now*, so a process that was down catches up when it starts.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.delivery.alerts import Alert, log_alert
from bot.model import Cadence, Edition, Paper
from bot.publishing.poller import Feed, Poller, Progress
from bot.rules import closing as rules
from bot.rules.closing import DAY, WINDOW, ClosingState, UnreadDay, closing_time
from bot.rules.periods import LONGER, Period, compile_period, periods_over
from bot.store import Store, audience, closing_state, edition_queries, paper_queries, subscriber_queries, unread_days

log = logging.getLogger(__name__)


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
        self._closes = closes
        self.poller = Poller(store, feed, interval=interval, closes=closes, progress=progress)

    async def step(self, now: datetime) -> bool:
        """Poll if a poll is due, then close what can be closed. Returns whether anything was done."""
        polled = await self.poller.is_due(now) and await self.poller.poll(now)
        closed = [*await self.close(now), *await self.close_periods(now)]
        await self._tell_set_aside(now)
        return bool(closed) or polled

    async def close(self, now: datetime) -> list[Published]:
        """Close the days that can be closed, in one transaction. Only the newest is delivered, and no late one."""
        async with self._store.read() as connection:
            known = await closing_state.load(connection)
            unread = await unread_days.load(connection)
        if not self._may_close(known, unread.values(), now):
            return []
        async with self._store.write() as connection:
            known = await closing_state.load(connection, lock=True)  # another process may have closed them meanwhile
            assert known.settled is not None
            unread = await unread_days.load(connection)
            since = rules.settled_by(known.settled, now, self._closes)
            published = await self._close_late(connection, unread.values(), now)
            listed, held = await self._candidates(connection, since + DAY, now.astimezone(UTC).date())
            filled = await edition_queries.days(connection, Cadence.DAY, since=since)
            failing = {day: each for day, each in unread.items() if each.read_at is None}
            closed, settled = rules.close(
                known, listed, held, closes=self._closes, now=now, filled=filled, unread=failing
            )
            for position, edition in enumerate(closed, start=1):
                deliver = position == len(closed) and rules.for_readers(known, edition.day, self._closes)
                published += await self._write(connection, edition, deliver=deliver)
            if settled != known.settled:
                await closing_state.save(connection, settled=settled)
        return self._report(published)

    async def _close_late(
        self, connection: AsyncConnection, unread: Iterable[UnreadDay], now: datetime
    ) -> list[Published]:
        """Write the editions of days that could be read only after later ones had closed, for the archive alone."""
        late = [each.day for each in unread if each.read_at is not None]
        published = []
        for day in late:
            listed = await paper_queries.listed(connection, day, day)
            held = await edition_queries.held(connection, [paper.id for paper in listed])
            published += await self._write(connection, rules.late_edition(day, listed, held, now=now), deliver=False)
        await unread_days.forget(connection, late)
        return published

    async def _tell_set_aside(self, now: datetime) -> None:
        """Alert once about each day that closing has gone on without."""
        async with self._store.read() as connection:
            unread = await unread_days.load(connection)
        days = [each for each in unread.values() if not each.told and rules.set_aside(each, self._closes)]
        if not days:
            return
        async with self._store.write() as connection:
            await unread_days.mark_told(connection, [each.day for each in days])
        for each in days:
            event, day = "the list of a day cannot be read, closing goes on without it", each.day.isoformat()
            self._alert(event, now, level=logging.WARNING, day=day, reason=each.reason)

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
                published += await self._close_period(period, now, votes=votes, deliver=deliver)
        return published

    async def _is_too_late(self, period: Period, now: datetime) -> bool:
        """Whether a period has waited long enough (rules.PATIENCE) for days that cannot be read again."""
        async with self._store.read() as connection:
            known = await closing_state.load(connection)
        patient = now < closing_time(period.last, self._closes) + rules.PATIENCE
        return not patient and (self.poller.fault is None or rules.out_of_patience(known))

    async def _refresh(self, period: Period, now: datetime) -> bool:
        """Poll the days of a period's papers again for current votes. Returns whether that worked.

        Days that are known to be unreadable are left out.
        """
        async with self._store.read() as connection:
            ids = await edition_queries.papers_between(connection, period.first, period.last)
            days = {paper.listed_on for paper in await paper_queries.by_ids(connection, ids)}
            days -= (await unread_days.load(connection)).keys()
        return await self.poller.refresh(sorted(days), now)

    async def _close_period(self, period: Period, now: datetime, *, votes: bool, deliver: bool) -> list[Published]:
        """Write the edition of a period that is over."""
        async with self._store.write() as connection:
            edition = await self._compile_period(connection, period, now, votes=votes)
            changes: dict[str, Any] = {f"settled_{period.cadence}": period.last}
            await closing_state.save(connection, **changes)
            published = await self._write(connection, edition, deliver=deliver)
        return self._report(published)

    def _may_close(self, known: ClosingState, unread: Iterable[UnreadDay], now: datetime) -> bool:
        """Whether any day may be waiting for its edition; if not, a step needs no write transaction."""
        if known.settled is None or known.attempted_at is None:
            return False
        since = rules.settled_by(known.settled, now, self._closes)
        late = any(each.read_at is not None for each in unread)
        return late or closing_time(since + DAY, self._closes) <= min(known.attempted_at, now)

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
        return published + self._report(early)

    async def backfill(self, day: date, now: datetime, *, deliver: bool) -> list[Published]:
        """Publish a past day from the feed's list. Returns nothing if the day has an edition or an empty list.

        Without `deliver` the edition only goes to the archive. Raises FeedError.
        """
        await self.poller.read([day], now)
        return await self.publish_past(day, now, deliver=deliver)

    async def publish_past(self, day: date, now: datetime, *, deliver: bool) -> list[Published]:
        """Publish a past day from its stored papers. Returns nothing if it has an edition or no paper of its own."""
        async with self._store.write() as connection:
            await closing_state.load(connection, lock=True)
            listed, held = await self._candidates(connection, day, day)
            edition = rules.compile_edition(day, listed, held, origin=day, now=now)
            published = await self._write(connection, edition, deliver=deliver)
            await unread_days.forget(connection, [day])
        return self._report(published)

    async def publish_period(self, period: Period, now: datetime) -> list[Published]:
        """Publish a past week or month from its days' editions, for the archive alone, unless it has its edition."""
        async with self._store.write() as connection:
            if await edition_queries.of_day(connection, period.cadence, period.last) is not None:
                return []
            edition = await self._compile_period(connection, period, now, votes=True)
            published = await self._write(connection, edition, deliver=False)
        return self._report(published)

    async def _compile_period(
        self, connection: AsyncConnection, period: Period, now: datetime, *, votes: bool
    ) -> Edition:
        """The edition of a period, from those of its days; without `votes`, or one of its days, it is incomplete."""
        unread = await unread_days.load(connection)
        complete = votes and not any(period.first <= day <= period.last for day in unread)
        ids = await edition_queries.papers_between(connection, period.first, period.last)
        listed = await paper_queries.by_ids(connection, ids)
        held = await edition_queries.held(connection, ids, period.cadence)
        return compile_period(period, listed, held, now=now, complete=complete)

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
            late = rules.lateness(edition, self._closes)
            readers = await audience.owe(
                connection, edition_id, edition.cadence, published_at=edition.closed_at, late=late
            )
        return [Published(edition, readers)]

    def _report(self, published: list[Published]) -> list[Published]:
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
