"""Renderings: an edition composed for one choice on one channel, once for all readers who share it; cached."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any, TypeVar, cast

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.channel import AwaitsPictures, Channel, Message, Page, Playing, Recording, edition_line
from bot.model import NOTE, Cadence, Delivery, Edition, Preferences, Style
from bot.render.announcement_page import announcement_page
from bot.render.edition_page import NO_TEXTS, Texts, barren_page, choose, edition_page, slug, votes_counted_at
from bot.render.fit import fit, starts
from bot.render.styles import SHOWN_IN, TEXT_FIELDS
from bot.render.words import words
from bot.rules.preferences import shaping
from bot.runtime.recent import Recent
from bot.runtime.timing import Observe, Timed, ignore_timing, timed
from bot.store import Store, announcements, edition_queries, reader_history, text_queries

log = logging.getLogger(__name__)

PATIENCE = timedelta(minutes=10)
"""Time after closing for which a delivery waits for the texts of its style."""
LOOK_AGAIN = timedelta(seconds=15)
"""Time between two looks at whether those texts are there."""
NO_MATCH_HINT_AFTER = 5
"""Editions in a row without a match for a reader's filters after which the reader is told so, once."""
MESSAGES = 256
"""Messages in the cache."""
MOMENTS = 2_048
"""Moments of counting in the cache: one for each edition, language and time zone."""
SLOTS = 1_024
"""Preferences of one slot in the cache; they share messages."""
EDITIONS = 8
"""Editions in the cache."""
RENDER_SECONDS = 30.0
"""Seconds after which a rendering is given up; it normally takes milliseconds."""

FindRecording = Callable[[Cadence, date, str, Style], Awaitable[Recording | None]]
"""Finds an edition read aloud, in a language and, if it can be had, a style."""

Key = tuple[object, ...]
T = TypeVar("T")
K = TypeVar("K")


@dataclass(frozen=True, slots=True)
class Rendered:
    """The message to send for a delivery."""

    message: Message | None
    """None where the reader's filters leave nothing of the edition."""
    slug: str | None
    """The edition's name in URLs; an announcement has none."""
    is_hint: bool = False
    """Whether the message only says that the filters have left nothing of several editions in a row."""


class Renderings:
    """The renderings of one channel; both caches are bounded."""

    def __init__(
        self,
        store: Store,
        channel: Channel,
        *,
        writes: bool = False,
        observe: Observe = ignore_timing,
        find_recording: FindRecording | None = None,
    ) -> None:
        self._observe = observe
        self._store = store
        self._channel = channel
        self._writes = writes
        self._find_recording = find_recording
        self._recordings: Recent[Key, tuple[Recording | None]] = Recent(MESSAGES)
        """The recording, if any, that there was when a slot's first reader was served."""
        self._awaits_pictures = channel if isinstance(channel, AwaitsPictures) else None
        self._messages: Recent[Key, asyncio.Task[Message | None]] = Recent(MESSAGES)
        self._ready: Recent[Key, Rendered] = Recent(SLOTS)
        """What readers of a slot with the same preferences are sent, to look up one key in place of three."""
        self._editions: Recent[int, asyncio.Task[Edition]] = Recent(EDITIONS)
        self._moments: Recent[Key, str] = Recent(MOMENTS)
        self._text_counts: Recent[Key, int] = Recent(MESSAGES)
        """Texts that existed when a slot's first reader was served: all readers of a slot get the same."""

    async def render(self, delivery: Delivery) -> Rendered:
        """The message for a delivery. Raises what the template or the database raises."""
        if delivery.is_note:
            edition_id, language = delivery.edition_id, delivery.reader.preferences.language
            work = partial(self._compose_note, edition_id, language)
            return Rendered(await _once(self._messages, (edition_id, NOTE, language), work), None)
        key = (delivery.edition_id, delivery.reader.preferences, delivery.due_at, delivery.missed, delivery.fell_back)
        ready = self._ready.get(key)
        if ready is not None:
            return ready
        edition = await self.edition(delivery.edition_id)
        name = slug(edition.cadence, edition.day)
        message = await self._message(delivery)
        if message is not None:
            return self._ready.put(key, Rendered(message, name))
        return Rendered(await self._hint(delivery), name, is_hint=True)

    async def _message(self, delivery: Delivery) -> Message | None:
        """The edition as the delivery's preferences want it; as `headline` where the rendering fell back."""
        wanted, edition_id = delivery.reader.preferences, delivery.edition_id
        if delivery.fell_back:
            wanted = replace(wanted, style=Style.HEADLINE)
        texts = await self._text_count(delivery) if _shows_texts(wanted.style) else 0
        counted_at = await self._counted_at(edition_id, wanted)
        recording = await self._recording(delivery) if self._find_recording is not None else None
        key = (edition_id, shaping(wanted), counted_at, delivery.missed, texts, recording)
        return await _once(self._messages, key, partial(self._compose, edition_id, wanted, delivery.missed, recording))

    async def _counted_at(self, edition_id: int, wanted: Preferences) -> str:
        """When the edition's votes were counted, as a reader is told."""
        key = (edition_id, wanted.language, wanted.timezone)
        known = self._moments.get(key)
        return known or self._moments.put(key, votes_counted_at(await self.edition(edition_id), wanted))

    async def may_any_wait(self, deliveries: Sequence[Delivery], now: datetime) -> bool:
        """Whether any delivery may have to wait for texts or pictures, without asking for them."""
        if not self._writes and self._awaits_pictures is None:
            return False
        return any([await self._may_wait(each, now) for each in deliveries])

    async def _may_wait(self, delivery: Delivery, now: datetime) -> bool:
        """Whether a delivery may have to wait for texts or pictures, without asking for them."""
        if delivery.is_note or delivery.reader.preferences.style not in TEXT_FIELDS:
            return False
        if not (self._writes and not delivery.fell_back) and self._awaits_pictures is None:
            return False
        return now < (await self.edition(delivery.edition_id)).closed_at + PATIENCE

    async def texts_pending_until(
        self, connection: AsyncConnection, delivery: Delivery, now: datetime
    ) -> datetime | None:
        """When to look again at a delivery whose texts or pictures are still being made; None where it need not wait.

        Neither makes an edition late: ten minutes after closing it is delivered without them.
        """
        wanted, may_lack_texts = delivery.reader.preferences, self._writes and not delivery.fell_back
        if not await self._may_wait(delivery, now):
            return None
        edition = await self.edition(delivery.edition_id)
        deadline = edition.closed_at + PATIENCE
        if await self.lacks_pictures(delivery):
            return min(deadline, now + LOOK_AGAIN)
        ids = [ranked.paper.id for ranked in choose(edition.papers, wanted)]
        if may_lack_texts and await text_queries.unwritten(connection, ids, wanted.language, wanted.style):
            return min(deadline, now + LOOK_AGAIN)
        return None

    async def lacks_pictures(self, delivery: Delivery) -> bool:
        """Whether the delivery's page would show pictures that may still come."""
        if self._awaits_pictures is None:
            return False
        edition, wanted = await self.edition(delivery.edition_id), delivery.reader.preferences
        papers = [ranked.paper for ranked in choose(edition.papers, wanted)]
        lacks, name = self._awaits_pictures.lacks_pictures, slug(edition.cadence, edition.day)
        return await asyncio.to_thread(lacks, name, wanted.language, wanted.style, papers)

    async def _text_count(self, delivery: Delivery) -> int:
        """How many texts there are to choose from, looked up once for all readers of a slot."""
        key = (delivery.edition_id, delivery.reader.preferences.language, delivery.due_at)
        known = self._text_counts.get(key)
        if known is None:
            async with self._store.read() as connection:
                found = await text_queries.count(connection, delivery.edition_id, delivery.reader.preferences.language)
            known = self._text_counts.put(key, found)
        return known

    async def _hint(self, delivery: Delivery) -> Message | None:
        """A line for a reader whose filters leave nothing, if this edition completes a row of such editions."""
        async with self._store.read() as connection:
            before = await reader_history.no_match_in_a_row(connection, delivery.reader.id, delivery.edition_id)
        if before + 1 != NO_MATCH_HINT_AFTER:
            return None
        page = barren_page(NO_MATCH_HINT_AFTER, delivery.reader.preferences, delivery.due_at)
        return fit(page, self._channel.compose, self._channel.limits).message

    async def _recording(self, delivery: Delivery) -> Recording | None:
        """The edition read aloud for this reader, looked up once for all readers of a slot; None without one."""
        assert self._find_recording is not None
        wanted = delivery.reader.preferences
        key = (delivery.edition_id, wanted.language, wanted.style, delivery.due_at)
        known = self._recordings.get(key)
        if known is None:
            edition = await self.edition(delivery.edition_id)
            found = await self._find_recording(edition.cadence, edition.day, wanted.language, wanted.style)
            known = self._recordings.put(key, (found,))
        return known[0]

    async def _compose(
        self, edition_id: int, wanted: Preferences, missed: Sequence[date], recording: Recording | None
    ) -> Message | None:
        edition = await self.edition(edition_id)
        texts = await texts_for(self._store, [each.paper.id for each in edition.papers], wanted)
        fields = {"language": wanted.language, "style": wanted.style.value}
        work = partial(compose, edition, wanted, self._channel, missed, texts, recording=recording)
        return await self._bounded(work, fields)

    async def _compose_note(self, edition_id: int, language: str) -> Message:
        async with self._store.read() as connection:
            text, day = await announcements.made(connection, edition_id)
        return await self._bounded(partial(compose_note, text, day, language, self._channel), {"language": language})

    async def _bounded(self, work: Callable[[], T], fields: Mapping[str, str]) -> T:
        """Run `work` off the event loop, with a timeout; a failure is logged with `fields` and raised."""
        try:
            with timed(self._observe, Timed.RENDER, self._channel.name):
                async with asyncio.timeout(RENDER_SECONDS):
                    return await _in_thread(work)
        except Exception:
            log.exception(
                "rendering failed, its deliveries are retried", extra={"channel": self._channel.name, **fields}
            )
            raise

    async def edition(self, edition_id: int) -> Edition:
        """An edition, from the cache or the database."""
        return await _once(self._editions, edition_id, partial(self._load, edition_id))

    async def _load(self, edition_id: int) -> Edition:
        async with self._store.read() as connection:
            return await edition_queries.get(connection, edition_id)


async def _once(cache: Recent[K, asyncio.Task[T]], key: K, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """What `work` returns, once for all who ask for the same key together; a failure is not cached."""
    task = cache.get(key)
    if task is None:
        task = cache.put(key, asyncio.create_task(work()))
    try:
        return task.result() if task.done() else await asyncio.shield(task)
    except Exception:
        cache.drop(key)
        raise


def _shows_texts(style: Style) -> bool:
    return style in TEXT_FIELDS or style in SHOWN_IN


async def texts_for(store: Store, paper_ids: Sequence[str], wanted: Preferences) -> Texts:
    """Load a model's texts about papers in a reader's language; none where the style needs no model."""
    if not _shows_texts(wanted.style):
        return NO_TEXTS
    async with store.read() as connection:
        return await text_queries.of(connection, paper_ids, wanted.language)


def compose(
    edition: Edition,
    wanted: Preferences,
    channel: Channel,
    missed: Sequence[date] = (),
    texts: Texts = NO_TEXTS,
    *,
    recording: Recording | None = None,
) -> Message | None:
    """An edition as one reader wants it, fitted into the channel's limits; None where the filters leave nothing.

    `missed` are the days of earlier editions that the message names as missed; `recording` is the edition read aloud.
    """
    page = with_recording(edition_page(edition, wanted, missed=missed, texts=texts), recording, channel)
    if not page.blocks:
        return None

    def next_page(shown: int) -> str:
        return edition_line(edition.cadence, edition.day, shown, mine=True)

    page = replace(page, paging=replace(page.paging, here=edition_line(edition.cadence, edition.day, mine=True)))
    fitted = fit(page, channel.compose, channel.limits, next_page)
    if fitted.shown == len(page.blocks):
        return fitted.message
    begun, is_all = starts(page, channel.compose, channel.limits, likely=fitted.shown)
    paging = replace(fitted.page.paging, pages=len(begun) if is_all else None)
    return channel.compose(replace(fitted.page, paging=paging))


def with_recording(page: Page, recording: Recording | None, channel: Channel) -> Page:
    """An edition's page with what leads to its recording: a button where the channel plays it, else a link."""
    if recording is None:
        return page
    if isinstance(channel, Playing):
        return replace(page, about=replace(page.about, listen=recording.line))
    return page if recording.link is None else replace(page, actions=[recording.link, *page.actions])


def compose_note(text: str, day: date, language: str, channel: Channel) -> Message:
    """An announcement made on a day, for readers of one language. Raises FitError where it is too long."""
    return fit(announcement_page(text, words(language), day), channel.compose, channel.limits).message


async def _in_thread(work: Callable[[], T]) -> T:
    """Run `work` in a daemon thread: unlike those of asyncio's pool it cannot keep the program from stopping."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: Exception | None) -> None:
        if done.done():
            return
        if error is None:
            done.set_result(cast("T", result))
        else:
            done.set_exception(error)

    def run() -> None:
        result, error = None, None
        try:
            result = work()
        except Exception as raised:  # noqa: BLE001 - handed over to the coroutine that waits
            error = raised
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, result, error)

    threading.Thread(target=run, name="compose", daemon=True).start()
    return await done
