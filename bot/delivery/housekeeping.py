"""Housekeeping: reports finished or missing editions and long outages of listening, tidies the database and files."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection
from datetime import datetime, time, timedelta

from bot.delivery.alerts import Alert
from bot.delivery.listening import tell_long_outages
from bot.model import NOTE, Cadence
from bot.rules.closing import closing_time, newest_finished
from bot.store import (
    Store,
    closing_state,
    edition_queries,
    ended_editions,
    former_readers,
    one_time_tokens,
    opinions,
    partitions,
    retention,
    unread_days,
)

log = logging.getLogger(__name__)

OVERDUE = timedelta(hours=2)
"""Time after closing time at which a weekday without an edition is worth an alert."""
AGAIN = timedelta(hours=1)
"""Time until partitions that another transaction held, such as a backup's, are tried again."""


class Housekeeping:
    """Safe to run as often as you like: each `step` does what is due."""

    def __init__(
        self,
        store: Store,
        alert: Alert,
        *,
        closes: time,
        channels: Collection[str] = (),
        keep: timedelta = former_readers.KEEP,
        may_expire: Callable[[], bool] = lambda: True,
        drop_files: Callable[[datetime], int] = lambda _: 0,
    ) -> None:
        """While `may_expire` says no, because clocks differ, nothing is folded or deleted.

        `drop_files` deletes old pictures and recordings, and returns how many; it may block.
        Long outages are told of the `channels`, by name, that are configured.
        """
        self._may_expire = may_expire
        self._store = store
        self._alert = alert
        self._closes = closes
        self._channels = channels
        self._keep = keep
        self._drop_files = drop_files
        self._held_until: datetime | None = None

    async def step(self, now: datetime) -> bool:
        """Do everything that is due at `now`. Returns whether there was anything to do."""
        ended = await self._report_finished(now)
        missing = await self._report_missing(now)
        await tell_long_outages(self._store, self._alert, self._channels, now)
        if not self._may_expire():
            return ended or missing
        await self._drop_expired_tokens(now)
        return await self._fold(now) or ended or missing

    async def _report_finished(self, now: datetime) -> bool:
        async with self._store.read() as connection:
            if not await ended_editions.any_finished(connection, now):
                return False
        async with self._store.write() as connection:
            finished = await ended_editions.mark_finished(connection, now)
        for edition in finished:
            if edition.audience:
                counts = {state.value: count for state, count in sorted(edition.states.items())}
                event = "announcement finished" if edition.cadence == NOTE else "edition finished"
                self._alert(event, now, day=edition.day.isoformat(), deliveries=counts)
        return bool(finished)

    async def _report_missing(self, now: datetime) -> bool:
        """Alert once when a weekday has no edition: silence would look like a fault of ours."""
        day = newest_finished(now, self._closes)
        if day.weekday() >= 5 or now < closing_time(day, self._closes) + OVERDUE:
            return False
        async with self._store.read() as connection:
            state = await closing_state.load(connection)
            reported = await ended_editions.last_day(connection, "missing")
            if state.origin is None or day < state.origin or (reported is not None and reported >= day):
                return False
            if await edition_queries.of_day(connection, Cadence.DAY, day) is not None:
                return False
            if day in await unread_days.load(connection):
                return False  # the publisher tells of it when it is set aside
        polled = state.polled_at is not None and state.polled_at >= closing_time(day, self._closes)
        event = "no edition, the feed lists no papers" if polled else "no edition, the feed is unreachable"
        async with self._store.write() as connection:
            await ended_editions.done(connection, "missing", day)
        self._alert(event, now, level=logging.WARNING, day=day.isoformat())
        return True

    async def _drop_expired_tokens(self, now: datetime) -> None:
        """Delete expired one-time tokens: an address that was never confirmed leaves nothing behind."""
        async with self._store.read() as connection:
            if not await one_time_tokens.any_old(connection, now):
                return
        async with self._store.write() as connection:
            await one_time_tokens.drop_old(connection, now)

    async def _fold(self, now: datetime) -> bool:
        """Once a day, replace old deliveries by counts, erase readers who left long ago, delete old files.

        Partitions are made ahead first.
        """
        if self._held_until is not None and now < self._held_until:
            return False
        async with self._store.read() as connection:
            if await ended_editions.last_day(connection, "fold") == now.date():
                return False
        try:
            await partitions.make_ahead(self._store, now)
            folded = await retention.fold_old(self._store, before=retention.kept_from(now))
        except partitions.InUseError as error:
            log.warning("partitions cannot be changed now, trying again in an hour", extra={"error": str(error)})
            self._held_until = now + AGAIN
            return False
        erased = await former_readers.erase_former(self._store, now=now, keep=self._keep)
        dropped = await asyncio.to_thread(self._drop_files, now)
        async with self._store.write() as connection:
            await opinions.forget(connection, before=now - opinions.KEEP)
            await ended_editions.done(connection, "fold", now.date())
        if folded:
            log.info("old deliveries folded into counts", extra={"rows": folded})
        if erased:
            log.info("readers who left long ago erased", extra={"rows": erased})
        if dropped:
            log.info("old pictures and recordings deleted", extra={"files": dropped})
        return bool(folded or erased or dropped)
