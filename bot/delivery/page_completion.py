"""Writes pages that stay once more, when the pictures and the recording that they show have come late.

An edition waits ten minutes for its pictures and never for its recording. So a page that was delivered to a channel
with pages (`bot.channel.AwaitsPictures`) is written a second time, as it would be written by then: once nothing more is
to come, or LATEST after its delivery with what there is. That a page is complete is noted after it was written: killed
before, it is written again, and a page that is the same already is not touched.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from datetime import date, datetime, timedelta
from functools import partial

from bot.channel import AwaitsPictures, LoginError, Sent
from bot.delivery.attempt import Attempts
from bot.delivery.rendering import PATIENCE, Renderings
from bot.delivery.session import Session
from bot.model import Cadence, Delivery
from bot.rules.outcomes import NothingToSend
from bot.runtime.locks import Locks
from bot.runtime.locks.role_names import COMPLETE, role_of
from bot.store import Store, completed_pages, loaded_deliveries

log = logging.getLogger(__name__)

FRESH = timedelta(days=2)
"""Age up to which delivered pages are looked at; notes are kept a day longer."""
LATEST = timedelta(hours=3)
"""Time after its delivery for which a page's pictures and recording are waited for."""
REDRAWN = PATIENCE + timedelta(minutes=15)
"""Time after closing in which posters may be redrawn, because titles are still being translated."""
TRY_AGAIN = timedelta(minutes=10)
"""Time between two tries at a page that could not be written."""

AwaitsRecording = Callable[[Cadence, date, str], Awaitable[bool]]
"""Whether an edition is to be read aloud in a language, and is not yet."""


class PageCompleter:
    """Writes pages again on one channel."""

    def __init__(self, store: Store, session: Session, awaits_recording: AwaitsRecording) -> None:
        self._store = store
        self._session = session
        self._awaits_recording = awaits_recording
        self._failed_at: dict[int, datetime] = {}
        """When each page could not be written, by its delivery."""

    @property
    def role(self) -> str:
        """The lock under which they are written."""
        return role_of(COMPLETE, self._session.channel.name)

    async def step(self, now: datetime) -> bool:
        """Write the pages again that lack nothing more, or have waited long enough. Returns whether there were any."""
        return await self._complete(now, may_redraw=True)

    async def once(self, now: datetime) -> bool:
        """The same for a program that runs once: pictures that exist are not redrawn before its next run."""
        return await self._complete(now, may_redraw=False)

    async def _complete(self, now: datetime, *, may_redraw: bool) -> bool:
        channel = self._session.channel
        async with self._store.read() as connection:
            waiting = await completed_pages.waiting(connection, channel.name, since=now - FRESH)
            found = await loaded_deliveries.load(connection, [delivery_id for delivery_id, _ in waiting])
        sent_at = dict(waiting)
        self._failed_at = {delivery_id: at for delivery_id, at in self._failed_at.items() if delivery_id in sent_at}
        # Not those of the deliveries: these hold the texts that there were then, and the editions are few.
        renderings = Renderings(self._store, channel)
        written = 0
        for delivery in found:
            failed_at = self._failed_at.get(delivery.id)
            if failed_at is not None and failed_at <= now < failed_at + TRY_AGAIN:
                continue
            is_late = now >= sent_at[delivery.id] + LATEST
            if is_late or not await self._may_change(renderings, delivery, now, may_redraw=may_redraw):
                written += await self._write(renderings, delivery, now)
        if written:
            async with self._store.write() as connection:
                await completed_pages.forget(connection, now - FRESH - timedelta(days=1))
        return written > 0

    async def _may_change(self, renderings: Renderings, delivery: Delivery, now: datetime, *, may_redraw: bool) -> bool:
        """Whether a page would soon look different from how it would be written now."""
        edition = await renderings.edition(delivery.edition_id)
        if may_redraw and now < edition.closed_at + REDRAWN:
            return True
        language = delivery.reader.preferences.language
        return await renderings.lacks_pictures(delivery) or await self._awaits_recording(
            edition.cadence, edition.day, language
        )

    async def _write(self, renderings: Renderings, delivery: Delivery, now: datetime) -> bool:
        """Write a page and note that it is complete. Returns False where it could not be written."""
        name = self._session.channel.name
        try:
            channel = await self._session.open()
        except LoginError:
            return False  # the dispatcher tells the operator
        result = await Attempts(channel, renderings, self._session.rate_limiter).make(delivery)
        if not isinstance(result, Sent | NothingToSend):
            self._failed_at[delivery.id] = now
            reason = getattr(result, "reason", type(result).__name__)
            fields = {"channel": name, "subscriber": delivery.reader.id, "reason": reason}
            log.warning("page cannot be written again", extra=fields)
            return False
        async with self._store.write() as connection:
            await completed_pages.note(connection, delivery.edition_id, delivery.reader.id, now)
        return True


def page_completer(
    store: Store, locks: Locks, session: Session, awaits_recording: AwaitsRecording
) -> PageCompleter | None:
    """What writes a channel's pages again, with a store that writes under its lock alone; None without such pages."""
    if not isinstance(session.channel, AwaitsPictures):
        return None
    role = role_of(COMPLETE, session.channel.name)
    return PageCompleter(store.fenced(locks, partial(list, [role])), session, awaits_recording)
