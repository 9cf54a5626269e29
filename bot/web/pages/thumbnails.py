"""Thumbnails of papers, cached and served from here, so that a visitor's browser contacts no other server."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path

from bot.model import ARXIV_ID, Paper
from bot.runtime.http import Fetcher
from bot.runtime.recent import Recent
from bot.summaries.fulltext import figures
from bot.summaries.fulltext.figures import HUGGING_FACE, Picture, Size
from bot.summaries.fulltext.library import PAUSE

log = logging.getLogger(__name__)

MOST_WAITING = 300
"""Thumbnails that the queue holds."""
REMEMBERED = 5_000
"""Papers of which the time of the last attempt is kept."""
RETRY_AFTER = timedelta(hours=1)
"""Time between two attempts to fetch one thumbnail."""
PATIENCE = 10.0
"""Seconds that a visitor waits for a thumbnail that is being fetched."""
MOST_VISITORS = 50
"""Visitors that wait so at the same time."""
AT_ONCE, LATER = 0, 1
"""Which thumbnails are fetched first: those that somebody waits for."""


@dataclass(frozen=True, slots=True, order=True)
class _Wanted:
    """A thumbnail in the queue: sorted by urgency, then in the order of asking."""

    when: int
    number: int
    paper: Paper = field(compare=False)
    now: datetime = field(compare=False)


class Thumbnails:
    """A file cache of thumbnails in `folder`. One that is missing is fetched in the background, for later visitors."""

    def __init__(
        self, folder: Path, *, hugging_face: Collection[str] = HUGGING_FACE, fetcher: Fetcher | None = None
    ) -> None:
        self._folder = folder
        self._hugging_face = hugging_face
        self._fetcher = fetcher or Fetcher(pause=PAUSE)
        self._waiting: asyncio.PriorityQueue[_Wanted] = asyncio.PriorityQueue(MOST_WAITING)
        self._wanted: dict[str, asyncio.Event] = {}
        """Set once a queued thumbnail was tried, by the paper's id."""
        self._visitors = 0
        self._numbers = count()
        self._asked: Recent[str, datetime] = Recent(REMEMBERED)

    def path(self, paper_id: str, size: Size = Size.SMALL) -> Path | None:
        """The file of a paper's thumbnail in a size, None if there is none."""
        if not (paper_id.isascii() and ARXIV_ID.fullmatch(paper_id)):
            return None
        path = self._folder / size.file_name(paper_id)
        return path if path.is_file() else None

    def shown(self, papers: Sequence[Paper], now: datetime) -> frozenset[str]:
        """The ids of those papers that have a thumbnail; the others' are queued to be fetched."""
        there = set()
        for paper in papers:
            made = [size for size in Size if self.path(paper.id, size) is not None]
            if Size.SMALL in made:
                there.add(paper.id)
            if len(made) < len(Size):
                self._queue(paper, now, LATER)
        return frozenset(there)

    def figure(self, paper_id: str, now: datetime) -> Picture | None:
        """A figure of a paper, if one is in the cache. Blocks."""
        return figures.kept(paper_id, self._folder, now)

    def may_be(self, paper_id: str, now: datetime) -> bool:
        """Whether it is worth waiting for a thumbnail that is missing: it is on its way, or can be asked for."""
        if not (paper_id.isascii() and ARXIV_ID.fullmatch(paper_id)) or self._visitors >= MOST_VISITORS:
            return False
        return paper_id in self._wanted or not self._was_asked(paper_id, now)

    async def fetched(self, paper: Paper, now: datetime) -> None:
        """Wait until a paper's thumbnail was fetched or cannot be had, for PATIENCE seconds at most."""
        self._queue(paper, now, AT_ONCE)
        tried = self._wanted.get(paper.id)
        if tried is None:
            return
        self._visitors += 1
        try:
            async with asyncio.timeout(PATIENCE):
                await tried.wait()
        except TimeoutError:
            log.info("thumbnail still missing, visitor goes without", extra={"paper": paper.id})
        finally:
            self._visitors -= 1

    def _queue(self, paper: Paper, now: datetime, when: int) -> None:
        """Have a thumbnail fetched, if the feed names one and it was not tried a moment ago."""
        if not paper.thumbnail or self._waiting.full() or self._was_asked(paper.id, now):
            return
        self._asked.put(paper.id, now)
        self._wanted.setdefault(paper.id, asyncio.Event())
        self._waiting.put_nowait(_Wanted(when, next(self._numbers), paper, now))

    async def run(self) -> None:
        """Fetch queued thumbnails, for ever."""
        async with self._fetcher as fetcher:
            while True:
                wanted = await self._waiting.get()
                paper, now = wanted.paper, wanted.now
                try:
                    await figures.resized(paper, self._folder, now, fetcher=fetcher, hugging_face=self._hugging_face)
                except Exception:  # one failed thumbnail must not stop the others
                    log.exception("making a thumbnail failed, page goes without", extra={"paper": paper.id})
                finally:
                    if tried := self._wanted.pop(paper.id, None):
                        tried.set()

    def _was_asked(self, paper_id: str, now: datetime) -> bool:
        last = self._asked.get(paper_id)
        return last is not None and last <= now < last + RETRY_AFTER
