"""Pages as they are sent: rendered once, kept, and rendered anew only when what they say has changed."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from datetime import datetime, timedelta
from weakref import WeakValueDictionary

FRESH = timedelta(seconds=60)
"""So long a page is shown without a look at the database."""
LARGEST = 64 << 20
"""Bytes of all pages that are kept."""
MOST = 500
"""Pages that are kept, however small."""
COMPRESSION = 6
HTML = "text/html"


@dataclass(frozen=True, slots=True)
class PageSource:
    """What a page is made of: `facts` are all that `render` depends on, or a digest of that, and can be compared.

    They are kept with the page, and so should not be much larger than it.
    """

    facts: object
    render: Callable[[], str | bytes]
    media_type: str = HTML
    modified: datetime | None = None
    """When what it says last changed, where that is known."""


@dataclass(frozen=True, slots=True)
class RenderedPage:
    """A page, ready to be sent: as it is, and packed by gzip. The tag is weak, since it stands for both."""

    body: bytes
    packed: bytes
    tag: str
    media_type: str
    modified: datetime | None = None


@dataclass(slots=True)
class _Kept:
    facts: object
    page: RenderedPage
    until: datetime


Load = Callable[[], Awaitable[PageSource | None]]


class PageCache:
    """The pages that were asked for of late, within a size and a number; what was asked for longest ago goes first."""

    def __init__(self, largest: int = LARGEST, fresh: timedelta = FRESH, most: int = MOST) -> None:
        self._largest = largest
        self._most = most
        self._fresh = fresh
        self._kept: OrderedDict[Hashable, _Kept] = OrderedDict()
        self._turns: WeakValueDictionary[Hashable, asyncio.Lock] = WeakValueDictionary()
        self._size = 0
        self.renderings = 0
        """How often anything was rendered."""

    def fresh(self, key: Hashable, now: datetime) -> RenderedPage | None:
        """The page that is kept under `key`, if nothing can have changed since."""
        kept = self._kept.get(key)
        if kept is None or not now < kept.until <= now + self._fresh:  # the clock may have been set back
            return None
        self._kept.move_to_end(key)
        return kept.page

    async def get(self, key: Hashable, now: datetime, load: Load) -> RenderedPage | None:
        """The page under `key`, else what `load` gives, rendered off the event loop; None where that is None.

        However many ask at the same moment, one of them loads.
        """
        page = self.fresh(key, now)
        if page is not None:
            return page
        acquire = self._turns.setdefault(key, asyncio.Lock())
        async with acquire:
            page = self.fresh(key, now)
            if page is not None:
                return page
            sheet = await load()
            if sheet is None:
                self._drop(key)
                return None
            kept = self._kept.get(key)
            if kept is not None and kept.facts == sheet.facts:
                kept.until = now + self._fresh
                return kept.page
            self.renderings += 1
            page = await asyncio.to_thread(render, sheet)
            self._keep(key, _Kept(sheet.facts, page, now + self._fresh))
            return page

    def _keep(self, key: Hashable, kept: _Kept) -> None:
        self._drop(key)
        self._kept[key] = kept
        self._size += _size(kept)
        while len(self._kept) > self._most or (self._size > self._largest and len(self._kept) > 1):
            self._drop(next(iter(self._kept)))

    def _drop(self, key: Hashable) -> None:
        kept = self._kept.pop(key, None)
        if kept is not None:
            self._size -= _size(kept)


def render(sheet: PageSource) -> RenderedPage:
    """Render, pack and tag a page."""
    made = sheet.render()
    body = made.encode("utf-8", "replace") if isinstance(made, str) else made
    return RenderedPage(
        body=body,
        packed=gzip.compress(body, COMPRESSION, mtime=0),
        tag=hashlib.sha256(body).hexdigest()[:32],
        media_type=sheet.media_type,
        modified=sheet.modified,
    )


def _size(kept: _Kept) -> int:
    # The facts are papers in memory: about as large as what is said of them.
    return 2 * len(kept.page.body) + len(kept.page.packed)
