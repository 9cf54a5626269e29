"""Bars that show papers' votes beside each other, in eighths of a character. Pure."""

from __future__ import annotations

from collections.abc import Iterable

WIDTH = 8
"""Columns of the longest bar."""
_EIGHTHS = " ▏▎▍▌▋▊▉█"


def vote_bars(votes: Iterable[int | None]) -> list[str]:
    """A bar for each number of votes, the longest for the most; empty where the feed counts none."""
    counted = list(votes)
    most = max((each for each in counted if each is not None), default=0)
    return ["" if each is None else _bar(each, most) for each in counted]


def _bar(votes: int, most: int) -> str:
    eighths = round(8 * WIDTH * max(votes, 0) / most) if most > 0 else 0
    if votes > 0:
        eighths = max(eighths, 1)  # one vote is not none
    whole, rest = divmod(eighths, 8)
    return "█" * whole + _EIGHTHS[rest].strip()
