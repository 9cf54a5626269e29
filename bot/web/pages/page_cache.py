"""Page cache: pages ready to be sent, rendered again only when the data behind them has changed."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from weakref import WeakValueDictionary

FRESH = timedelta(seconds=60)
"""Time for which a page is served without a query of the database."""
LARGEST = 64 << 20
"""Bytes that the cache may hold."""
MOST = 500
"""Pages that the cache may hold, however small."""
COMPRESSION = 6
"""gzip level of packed pages, 1 to 9."""
HTML = "text/html"


@dataclass(frozen=True, slots=True)
class PageSource:
    """The source of a page. `facts` are all the data that `render` uses, or a digest of them, for comparing.

    They are cached with the page, and so should not be much larger than it.
    """

    facts: object
    render: Callable[[], str | bytes]
    media_type: str = HTML


@dataclass(frozen=True, slots=True)
class RenderedPage:
    """A page ready to be sent, plain and gzipped. Its entity tag is weak, since it stands for both."""

    body: bytes
    packed: bytes
    tag: str
    media_type: str
    modified: datetime | None = None
    """When it was rendered, if it is cached: its data has not changed since."""


@dataclass(slots=True)
class _Entry:
    facts: object
    page: RenderedPage
    until: datetime


@dataclass(slots=True, weakref_slot=True)
class _Loading:
    """One load, and those who wait for it."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    fault: Exception | None = None
    """Why it failed."""


Load = Callable[[], Awaitable[PageSource | None]]


class PageCache:
    """A cache of pages, limited by size and number; the least recently used page goes first."""

    def __init__(self, largest: int = LARGEST, most: int = MOST) -> None:
        self._largest = largest
        self._most = most
        self._entries: OrderedDict[Hashable, _Entry] = OrderedDict()
        self._loading: WeakValueDictionary[Hashable, _Loading] = WeakValueDictionary()
        self._size = 0
        self.renderings = 0
        """Pages rendered so far."""

    def fresh(self, key: Hashable, now: datetime) -> RenderedPage | None:
        """The page cached under `key`, if it may be served without a query."""
        entry = self._entries.get(key)
        if entry is None or not now < entry.until <= now + FRESH:  # the clock may have been set back
            return None
        self._entries.move_to_end(key)
        return entry.page

    async def get(self, key: Hashable, now: datetime, load: Load) -> RenderedPage | None:
        """The page under `key`, else the one that `load` gives, rendered in a thread; None if `load` gives None.

        Of requests for one key at the same moment, one loads and the others wait for it; if it fails, they all fail
        then, and do not try and wait one after the other. Raises what `load` raises.
        """
        page = self.fresh(key, now)
        if page is not None:
            return page
        loading = self._loading.setdefault(key, _Loading())
        async with loading.lock:
            if loading.fault is not None:
                raise loading.fault
            try:
                return self.fresh(key, now) or await self._load(key, now, load)
            except Exception as error:
                loading.fault = error
                self._loading.pop(key, None)  # later requests try again
                raise

    async def _load(self, key: Hashable, now: datetime, load: Load) -> RenderedPage | None:
        source = await load()
        if source is None:
            self._drop(key)
            return None
        entry = self._entries.get(key)
        if entry is not None and entry.facts == source.facts:
            entry.until = now + FRESH
            return entry.page
        self.renderings += 1
        page = await asyncio.to_thread(render, source, now)
        self._store(key, _Entry(source.facts, page, now + FRESH))
        return page

    def _store(self, key: Hashable, entry: _Entry) -> None:
        self._drop(key)
        self._entries[key] = entry
        self._size += _size(entry)
        while len(self._entries) > self._most or (self._size > self._largest and len(self._entries) > 1):
            self._drop(next(iter(self._entries)))

    def _drop(self, key: Hashable) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._size -= _size(entry)


def render(source: PageSource, now: datetime | None = None) -> RenderedPage:
    """Render a page, gzip it, make its entity tag, and (with `now`) date it."""
    made = source.render()
    body = made.encode("utf-8", "replace") if isinstance(made, str) else made
    return RenderedPage(
        body=body,
        packed=gzip.compress(body, COMPRESSION, mtime=0),
        tag=hashlib.sha256(body).hexdigest()[:32],
        media_type=source.media_type,
        modified=now,
    )


def _size(entry: _Entry) -> int:
    # The facts are papers in memory, about as large as the page.
    return 2 * len(entry.page.body) + len(entry.page.packed)
