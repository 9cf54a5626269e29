"""Fetches the thumbnail and a figure of each paper of an edition, under the file names that pages use."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from bot.model import ILLUSTRATED, Paper
from bot.runtime.http import Fetcher
from bot.summaries.fulltext import figures
from bot.summaries.fulltext.figures import ARXIV, HUGGING_FACE
from bot.summaries.fulltext.library import FullTextLibrary
from bot.summaries.wanted import WantedTexts

log = logging.getLogger(__name__)

LOOK_AGAIN = timedelta(minutes=10)
"""Time between two tries at the pictures of one edition: a server may have been down, a figure come later."""


async def thumbnail_file(
    paper: Paper, now: datetime, *, folder: Path, fetcher: Fetcher, hugging_face: Collection[str] = HUGGING_FACE
) -> Path | None:
    """The file of a paper's thumbnail, fetched if it is not in `folder`; None where it cannot be had."""
    found = await figures.thumbnail(paper, folder, now, fetcher=fetcher, hugging_face=hugging_face)
    return None if found is None else found.path


async def collect(
    texts: FullTextLibrary,
    folder: Path,
    papers: Sequence[Paper],
    now: datetime,
    *,
    arxiv: Collection[str] = ARXIV,
    hugging_face: Collection[str] = HUGGING_FACE,
) -> dict[str, Path]:
    """The available pictures of `papers`, by the file names that pages use ("2511.00001.thumb.jpg", "….fig.png").

    `texts` knows the figures of a paper; `folder` caches pictures, and which are missing. Only the origins `arxiv` and
    `hugging_face` are asked. Never raises for a server's answer.
    """
    found: dict[str, Path] = {}
    for paper in papers:
        small = await figures.thumbnail(paper, folder, now, fetcher=texts.fetcher, hugging_face=hugging_face)
        text = await texts.get(paper.id, now)
        shown = None if text is None else text.figures
        large = await figures.get(
            paper, shown, folder, now, fetcher=texts.fetcher, arxiv=arxiv, hugging_face=hugging_face
        )
        for use, picture in (("thumb", small), ("fig", large)):
            if picture is not None:
                found[f"{paper.id}.{use}{picture.path.suffix}"] = picture.path
    return found


class PaperPictures:
    """Fetches the pictures of papers that readers are shown with some, for as long as their edition is new."""

    def __init__(
        self,
        wanted: WantedTexts,
        texts: FullTextLibrary,
        folder: Path,
        *,
        arxiv: Collection[str] = ARXIV,
        hugging_face: Collection[str] = HUGGING_FACE,
    ) -> None:
        """`texts` and `folder` are those of `collect`, and so are the origins that are asked."""
        self._wanted = wanted
        self._texts = texts
        self._folder = folder
        self._arxiv, self._hugging_face = arxiv, hugging_face
        self._tried: dict[str, datetime] = {}
        """When each paper that was shown last was tried last, by arXiv id."""

    async def step(self, now: datetime) -> bool:
        """Fetch what is missing and was not asked for a moment ago. Returns whether any picture came."""
        papers = await self._wanted.papers(ILLUSTRATED, now)
        self._tried = {paper.id: self._tried[paper.id] for paper in papers if paper.id in self._tried}
        found = 0
        for paper in papers:
            if self._was_tried(paper.id, now) or await asyncio.to_thread(figures.settled, paper, self._folder, now):
                continue
            self._tried[paper.id] = now
            origins = {"arxiv": self._arxiv, "hugging_face": self._hugging_face}
            found += len(await collect(self._texts, self._folder, [paper], now, **origins))
        if found:
            log.info("pictures of papers fetched", extra={"pictures": found})
        return found > 0

    def _was_tried(self, paper_id: str, now: datetime) -> bool:
        last = self._tried.get(paper_id)
        return last is not None and last <= now < last + LOOK_AGAIN
