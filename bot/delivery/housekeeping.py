"""The keeper goes its rounds: says when an edition has come to its end, when one is missing, and tidies up."""

from __future__ import annotations

import logging
from datetime import datetime, time, timedelta

from bot.delivery.alerts import Alert
from bot.model import NOTE, Cadence
from bot.rules.closing import closing_time, newest_finished
from bot.store import Store, closing_state, edition_queries, ended_editions, one_time_tokens, retention

log = logging.getLogger(__name__)

OVERDUE = timedelta(hours=2)
"""A weekday without an edition so long after its closing time is worth a notice."""


class Housekeeping:
    """One round is one `step`."""

    def __init__(self, store: Store, alert: Alert, *, closes: time) -> None:
        self._store = store
        self._alert = alert
        self._closes = closes

    async def step(self, now: datetime) -> bool:
        """Look at everything once; whether there was anything to do."""
        ended = await self._ends(now)
        missing = await self._missing(now)
        await self._drop_tickets(now)
        return await self._fold(now) or ended or missing

    async def _ends(self, now: datetime) -> bool:
        async with self._store.read() as connection:
            if not await ended_editions.is_any_over(connection, now):
                return False
        async with self._store.write() as connection:
            over = await ended_editions.ended(connection, now)
        for edition in over:
            if edition.audience:
                became = {state.value: count for state, count in sorted(edition.states.items())}
                event = "announcement ends" if edition.cadence == NOTE else "edition ends"
                self._alert(event, now, day=edition.day.isoformat(), became=became)
        return bool(over)

    async def _missing(self, now: datetime) -> bool:
        """Say once that a weekday has no edition; silence would look the same as a fault of ours."""
        day = newest_finished(now, self._closes)
        if day.weekday() >= 5 or now < closing_time(day, self._closes) + OVERDUE:
            return False
        async with self._store.read() as connection:
            known = await closing_state.load(connection)
            told = await ended_editions.last_day(connection, "missing")
            if known.origin is None or day < known.origin or (told is not None and told >= day):
                return False
            if await edition_queries.of_day(connection, Cadence.DAY, day) is not None:
                return False
        polled = known.polled_at is not None and known.polled_at >= closing_time(day, self._closes)
        event = "no papers listed" if polled else "feed out of reach"
        async with self._store.write() as connection:
            await ended_editions.done(connection, "missing", day)
        self._alert(event, now, level=logging.WARNING, day=day.isoformat())
        return True

    async def _drop_tickets(self, now: datetime) -> None:
        """Forget tickets that have expired: whoever confirmed nothing leaves nothing."""
        async with self._store.read() as connection:
            if not await one_time_tokens.any_old(connection, now):
                return
        async with self._store.write() as connection:
            await one_time_tokens.drop_old(connection, now)

    async def _fold(self, now: datetime) -> bool:
        """Once a day, fold what is too old to be kept row by row."""
        async with self._store.read() as connection:
            if await ended_editions.last_day(connection, "fold") == now.date():
                return False
        folded = await retention.fold(self._store, before=now - retention.KEEP)
        async with self._store.write() as connection:
            await ended_editions.done(connection, "fold", now.date())
        if folded:
            log.info("old deliveries folded into counts", extra={"rows": folded})
        return bool(folded)
