"""What a text is written from: the abstract, or as much of the whole paper as the model reads at once."""

from __future__ import annotations

from datetime import datetime

from bot.model import Paper, Style
from bot.render.styles import FROM_FULL_TEXT
from bot.summaries.fulltext.library import FullTextLibrary, excerpt

CHARACTERS_A_TOKEN = 3
"""Of English, cautiously; formulas take more tokens than words."""
SPARE = 0.6
"""The part of the model's window that the paper may fill; the rest is for the task and the answer."""


RESERVED = 3_300
"""Tokens that are left for the task and the answer, however small the window."""


def characters(window: int) -> int:
    """How many characters of a paper go into a context window of a given number of tokens."""
    return max(0, min(int(window * SPARE), window - RESERVED)) * CHARACTERS_A_TOKEN


class PromptSources:
    """Finds the source of each text: what it is written from."""

    def __init__(self, texts: FullTextLibrary) -> None:
        self._texts = texts

    async def __call__(self, paper: Paper, style: Style, now: datetime, window: int) -> str:
        """The source of a text about a paper in a style, for a context window of a given number of tokens.

        Never raises for what a server answered.
        """
        if style not in FROM_FULL_TEXT:
            return paper.abstract
        text = await self._texts.get(paper.id, now)
        room = characters(window) - len(paper.abstract)
        if text is None or room <= 0:
            return paper.abstract
        return f"Abstract: {paper.abstract}\n\n{excerpt(text, room)}"
