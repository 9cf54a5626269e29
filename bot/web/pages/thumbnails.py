"""Small pictures of papers, served from here, so that a visitor's browser asks nobody else for anything."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from bot.model import ARXIV_ID, Paper
from bot.runtime.http import Fetcher
from bot.summaries.fulltext import figures
from bot.summaries.fulltext.figures import HUGGING_FACE
from bot.summaries.fulltext.library import PAUSE

log = logging.getLogger(__name__)

MOST_WAITING = 300
REMEMBERED = 5_000
AGAIN = timedelta(hours=1)
"""A picture that could not be had is not asked for again before."""


class Pictures(Protocol):
    """What pages know of pictures."""

    def shown(self, papers: Sequence[Paper], now: datetime) -> frozenset[str]:
        """The ids of those papers whose picture is there."""
        ...


class NoThumbnails:
    """For pages without pictures."""

    def shown(self, papers: Sequence[Paper], now: datetime) -> frozenset[str]:  # noqa: ARG002 - there are none
        return frozenset()


class Thumbnails:
    """Keeps small pictures in `folder`. What a page wants and is not there is fetched for the next visitor."""

    def __init__(
        self, folder: Path, *, hugging_face: Collection[str] = HUGGING_FACE, fetcher: Fetcher | None = None
    ) -> None:
        self._folder = folder
        self._hugging_face = hugging_face
        self._fetcher = fetcher or Fetcher(pause=PAUSE)
        self._waiting: asyncio.Queue[tuple[Paper, datetime]] = asyncio.Queue(MOST_WAITING)
        self._asked: OrderedDict[str, datetime] = OrderedDict()

    def path(self, paper_id: str) -> Path | None:
        """Where a paper's small picture is; None where there is none."""
        if not (paper_id.isascii() and ARXIV_ID.fullmatch(paper_id)):
            return None
        path = self._folder / figures.small_name(paper_id)
        return path if path.is_file() else None

    def shown(self, papers: Sequence[Paper], now: datetime) -> frozenset[str]:
        """The ids of those papers whose picture is there; the others' are sent for."""
        there = set()
        for paper in papers:
            if self.path(paper.id) is not None:
                there.add(paper.id)
            elif paper.thumbnail and not self._waiting.full() and self._may_ask(paper.id, now):
                self._waiting.put_nowait((paper, now))
        return frozenset(there)

    async def run(self) -> None:
        """Fetch what is wanted, for ever."""
        async with self._fetcher as fetcher:
            while True:
                paper, now = await self._waiting.get()
                try:
                    await figures.small(paper, self._folder, now, fetcher=fetcher, hugging_face=self._hugging_face)
                except Exception:  # one picture that cannot be made costs no other
                    log.exception("no picture of a paper", extra={"paper": paper.id})

    def _may_ask(self, paper_id: str, now: datetime) -> bool:
        last = self._asked.get(paper_id)
        if last is not None and last <= now < last + AGAIN:
            return False
        self._asked[paper_id] = now
        self._asked.move_to_end(paper_id)
        if len(self._asked) > REMEMBERED:
            self._asked.popitem(last=False)
        return True
