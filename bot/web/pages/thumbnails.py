"""Thumbnails of papers, cached and served from here, so that a visitor's browser contacts no other server."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from bot.model import ARXIV_ID, Paper
from bot.runtime.http import Fetcher
from bot.runtime.recent import Recent
from bot.summaries.fulltext import figures
from bot.summaries.fulltext.figures import HUGGING_FACE, Size
from bot.summaries.fulltext.library import PAUSE

log = logging.getLogger(__name__)

MOST_WAITING = 300
"""Thumbnails that the queue holds."""
REMEMBERED = 5_000
"""Papers of which the time of the last attempt is kept."""
RETRY_AFTER = timedelta(hours=1)
"""Time between two attempts to fetch one thumbnail."""


class Thumbnails:
    """A file cache of thumbnails in `folder`. One that is missing is fetched in the background, for later visitors."""

    def __init__(
        self, folder: Path, *, hugging_face: Collection[str] = HUGGING_FACE, fetcher: Fetcher | None = None
    ) -> None:
        self._folder = folder
        self._hugging_face = hugging_face
        self._fetcher = fetcher or Fetcher(pause=PAUSE)
        self._waiting: asyncio.Queue[tuple[Paper, datetime]] = asyncio.Queue(MOST_WAITING)
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
            if len(made) < len(Size) and paper.thumbnail and not self._waiting.full() and self._may_ask(paper.id, now):
                self._waiting.put_nowait((paper, now))
        return frozenset(there)

    async def run(self) -> None:
        """Fetch queued thumbnails, for ever."""
        async with self._fetcher as fetcher:
            while True:
                paper, now = await self._waiting.get()
                try:
                    await figures.resized(paper, self._folder, now, fetcher=fetcher, hugging_face=self._hugging_face)
                except Exception:  # one failed thumbnail must not stop the others
                    log.exception("making a thumbnail failed, page goes without", extra={"paper": paper.id})

    def _may_ask(self, paper_id: str, now: datetime) -> bool:
        last = self._asked.get(paper_id)
        if last is not None and last <= now < last + RETRY_AFTER:
            return False
        self._asked.put(paper_id, now)
        return True
