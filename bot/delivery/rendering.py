"""Composed messages, one per variant: rendered once for all readers who chose the same, and kept while needed."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any, TypeVar, cast

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.channel import Channel, Message, edition_line
from bot.model import NOTE, Delivery, Edition, Preferences, Style
from bot.render.announcement_page import announcement_page
from bot.render.edition_page import NO_TEXTS, Texts, barren_page, choose, edition_page, slug
from bot.render.fit import fit
from bot.render.styles import TEXT_FIELDS
from bot.render.words import words
from bot.rules.preferences import shaping
from bot.runtime.timing import Observe, Timed, timed, unobserved
from bot.store import Store, announcements, edition_queries, reader_history, text_queries

log = logging.getLogger(__name__)

PATIENCE = timedelta(minutes=10)
"""So long after closing a delivery waits for the words of its style."""
LOOK_AGAIN = timedelta(seconds=15)
BARREN = 5
"""After so many editions in a row of which a reader's filters left nothing, the reader is told, once."""
MESSAGES = 256
EDITIONS = 8
RENDER_SECONDS = 30.0
"""A rendering takes milliseconds; one that takes so long never ends."""

Key = tuple[object, ...]
T = TypeVar("T")


class Renderings:
    """The messages of one channel, both caches bounded."""

    def __init__(self, store: Store, channel: Channel, *, writes: bool = False, observe: Observe = unobserved) -> None:
        self._observe = observe
        self._store = store
        self._channel = channel
        self._writes = writes
        self._messages: OrderedDict[Key, asyncio.Task[Message | None]] = OrderedDict()
        self._editions: OrderedDict[int, asyncio.Task[Edition]] = OrderedDict()
        self._told: OrderedDict[Key, int] = OrderedDict()
        """How many texts there were when a slot's first reader was served: all of that slot read the same."""

    async def message(self, delivery: Delivery) -> Message | None:
        """The edition as the delivery's preferences want it, None where they leave nothing of it.

        A variant that the service refused is said in the plainest style. An announcement is the same for all who read
        one language.
        """
        if delivery.is_note:
            edition_id, language = delivery.edition_id, delivery.preferences.language
            return await self._shared((edition_id, NOTE, language), partial(self._compose_note, edition_id, language))
        wanted, edition_id = delivery.preferences, delivery.edition_id
        if delivery.fallen:
            wanted = replace(wanted, style=Style.HEADLINE)
        told = await self._texts_told(delivery) if wanted.style in TEXT_FIELDS else 0
        key = (edition_id, shaping(wanted), delivery.missed, told)
        return await self._shared(key, partial(self._compose, edition_id, wanted, delivery.missed))

    async def _shared(self, key: Key, work: Callable[[], Coroutine[Any, Any, Message | None]]) -> Message | None:
        """What `work` composes, once for all who ask with the same key."""
        task = self._messages.get(key)
        if task is None:
            # A task, so that many deliveries of one variant that start together wait for one rendering.
            task = self._messages[key] = asyncio.create_task(work())
            if len(self._messages) > MESSAGES:
                self._messages.popitem(last=False)
        self._messages.move_to_end(key)
        try:
            return await asyncio.shield(task)
        except Exception:
            self._messages.pop(key, None)
            raise

    async def slug(self, delivery: Delivery) -> str | None:
        """The name that a delivery's edition has in addresses; an announcement has none."""
        if delivery.is_note:
            return None
        edition = await self._edition(delivery.edition_id)
        return slug(edition.cadence, edition.day)

    async def waits(self, connection: AsyncConnection, delivery: Delivery, now: datetime) -> datetime | None:
        """When to look again at a delivery whose words are still being written; None where it need not wait for them.

        An edition is never late because of a model: ten minutes after closing there is something else to say.
        """
        wanted = delivery.preferences
        if not self._writes or wanted.style not in TEXT_FIELDS or delivery.fallen or delivery.is_note:
            return None
        edition = await self._edition(delivery.edition_id)
        deadline = edition.closed_at + PATIENCE
        if now >= deadline:
            return None
        ids = [ranked.paper.id for ranked in choose(edition.papers, wanted)]
        if not await text_queries.unwritten(connection, ids, wanted.language, wanted.style):
            return None
        return min(deadline, now + LOOK_AGAIN)

    async def _texts_told(self, delivery: Delivery) -> int:
        """How many texts there are to choose from: looked up once for all readers of a slot."""
        key = (delivery.edition_id, delivery.preferences.language, delivery.due_at)
        if key not in self._told:
            async with self._store.read() as connection:
                self._told[key] = await text_queries.count(
                    connection, delivery.edition_id, delivery.preferences.language
                )
            if len(self._told) > MESSAGES:
                self._told.popitem(last=False)
        return self._told[key]

    async def hint(self, delivery: Delivery) -> Message | None:
        """A line for a reader whose filters leave nothing of this edition, if they left nothing of several before."""
        async with self._store.read() as connection:
            before = await reader_history.barren(connection, delivery.subscriber_id, delivery.edition_id)
        if before + 1 != BARREN:
            return None
        page = barren_page(BARREN, delivery.preferences, delivery.due_at)
        return fit(page, self._channel.compose, self._channel.limits).message

    async def _compose(self, edition_id: int, wanted: Preferences, missed: Sequence[date]) -> Message | None:
        """Compose off the event loop, so that a template that takes for ever holds nobody else up."""
        edition = await self._edition(edition_id)
        said = await written_about(self._store, [each.paper.id for each in edition.papers], wanted)
        wants = {"language": wanted.language, "style": wanted.style.value}
        return await self._bounded(partial(compose, edition, wanted, self._channel, missed, said), wants)

    async def _compose_note(self, edition_id: int, language: str) -> Message:
        async with self._store.read() as connection:
            text, day = await announcements.made(connection, edition_id)
        return await self._bounded(partial(compose_note, text, day, language, self._channel), {"language": language})

    async def _bounded(self, work: Callable[[], T], wants: Mapping[str, str]) -> T:
        """Do `work` aside, for so long; what goes wrong is logged with what was wanted."""
        try:
            with timed(self._observe, Timed.RENDER, self._channel.name):
                async with asyncio.timeout(RENDER_SECONDS):
                    return await _aside(work)
        except Exception:
            log.exception("page cannot be composed", extra={"channel": self._channel.name, **wants})
            raise

    async def _edition(self, edition_id: int) -> Edition:
        task = self._editions.get(edition_id)
        if task is None:
            task = self._editions[edition_id] = asyncio.create_task(self._load(edition_id))
            if len(self._editions) > EDITIONS:
                self._editions.popitem(last=False)
        try:
            return await asyncio.shield(task)
        except Exception:
            self._editions.pop(edition_id, None)
            raise

    async def _load(self, edition_id: int) -> Edition:
        async with self._store.read() as connection:
            return await edition_queries.get(connection, edition_id)


async def written_about(store: Store, paper_ids: Sequence[str], wanted: Preferences) -> Texts:
    """What a model has written about papers in a reader's language; nothing where their style needs none."""
    if wanted.style not in TEXT_FIELDS:
        return NO_TEXTS
    async with store.read() as connection:
        return await text_queries.of(connection, paper_ids, wanted.language)


def compose(
    edition: Edition,
    wanted: Preferences,
    channel: Channel,
    missed: Sequence[date] = (),
    said: Texts = NO_TEXTS,
) -> Message | None:
    """An edition as one reader wants it, fitted into the channel's limits; None where nothing is left to say."""
    page = edition_page(edition, wanted, missed=missed, texts=said)
    if not page.blocks:
        return None

    def follows(shown: int) -> str:
        return edition_line(edition.cadence, edition.day, shown, mine=True)

    return fit(page, channel.compose, channel.limits, follows).message


def compose_note(text: str, day: date, language: str, channel: Channel) -> Message:
    """An announcement made on a day, as whoever reads a language gets it. Raises FitError where it is too long."""
    return fit(announcement_page(text, words(language), day), channel.compose, channel.limits).message


async def _aside(work: Callable[[], T]) -> T:
    """Run `work` in a thread that, unlike those of asyncio's pool, cannot keep the program from stopping."""
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
        except Exception as raised:  # noqa: BLE001 - handed over to whoever waits
            error = raised
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, result, error)

    threading.Thread(target=run, name="compose", daemon=True).start()
    return await done
