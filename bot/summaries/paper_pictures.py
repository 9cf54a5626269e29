"""Fetches the thumbnail and a figure of each paper of an edition, under the file names that pages use."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from pathlib import Path

from bot.model import Paper
from bot.runtime.http import Fetcher
from bot.summaries.fulltext import figures
from bot.summaries.fulltext.figures import ARXIV, HUGGING_FACE
from bot.summaries.fulltext.library import FullTextLibrary


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
        shown = [] if text is None else text.figures
        large = await figures.get(
            paper, shown, folder, now, fetcher=texts.fetcher, arxiv=arxiv, hugging_face=hugging_face
        )
        for use, picture in (("thumb", small), ("fig", large)):
            if picture is not None:
                found[f"{paper.id}.{use}{picture.path.suffix}"] = picture.path
    return found
