"""Pictures of an edition's papers, fetched once, made small, and named as pages look for them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from bot.model import Paper, Style
from bot.texts import figures
from bot.texts.fulltext import FullTexts

ILLUSTRATED = frozenset({Style.HIGHLIGHTS})
"""Styles that are shown with pictures."""


async def collect(papers: Sequence[Paper], folder: Path, now: datetime) -> dict[str, Path]:
    """The thumbnail and a figure of each paper where they can be had, by the names that pages know them by.

    `folder` keeps them, and what was asked for and not there. Never raises for what a server answered.
    """
    found: dict[str, Path] = {}
    async with FullTexts(folder) as texts:
        for paper in papers:
            small = await figures.thumbnail(paper, folder, now, fetcher=texts.fetcher)
            text = await texts.get(paper.id, now)
            shown = [] if text is None else text.figures
            large = await figures.get(paper, shown, folder, now, fetcher=texts.fetcher)
            for use, picture in (("thumb", small), ("fig", large)):
                if picture is not None:
                    found[f"{paper.id}.{use}{picture.path.suffix}"] = picture.path
    return found
