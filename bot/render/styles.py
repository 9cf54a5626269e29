"""The styles that a language model writes: the parts of each, how long they may be, what stands in for them. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.model import Style


@dataclass(frozen=True, slots=True)
class TextField:
    """One field of a style's schema: its name, and the least and most characters it may have.

    The bounds are for languages with spaces; Chinese, Japanese and Korean say the same in half the characters.
    `may_be_missing` parts may hold the schema's word for "not enough information" in place of a text.
    """

    name: str
    least: int
    most: int
    may_be_missing: bool = False


TEXT_FIELDS: Mapping[Style, Sequence[TextField]] = {
    Style.HIGHLIGHTS: (
        TextField("sentence", 40, 400),
        TextField("problem", 30, 320),
        TextField("proposal", 30, 320),
        TextField("result", 30, 320),
    ),
    Style.PLAIN: (
        TextField("input_output", 30, 500),
        TextField("problem", 30, 500),
        TextField("idea", 40, 700),
    ),
    Style.TRANSLATION: (
        TextField("title", 4, 400),
        TextField("abstract", 80, 6_000),
    ),
    Style.REVIEW: (
        TextField("goal", 30, 500),
        TextField("motivation", 30, 500),
        TextField("contribution", 30, 500),
        TextField("method", 60, 1_500),
        TextField("results", 40, 1_000, may_be_missing=True),
        TextField("limitations", 20, 800, may_be_missing=True),
        TextField("conclusion", 30, 800),
    ),
}
"""The parts of each style that needs a model, in the order in which they are said."""

MISSING = "-"
"""What the model answers for a part that the source says nothing about; we have a word for it in every language."""

STAND_INS: Mapping[Style, Sequence[Style]] = {
    Style.HIGHLIGHTS: (Style.PLAIN, Style.REVIEW, Style.TRANSLATION),
    Style.PLAIN: (Style.HIGHLIGHTS, Style.REVIEW, Style.TRANSLATION),
    Style.TRANSLATION: (Style.HIGHLIGHTS, Style.PLAIN, Style.REVIEW),
    Style.REVIEW: (Style.HIGHLIGHTS, Style.PLAIN, Style.TRANSLATION),
}
"""What is said in a style's place, in the same language, where its text is missing: the first that is there."""

FROM_FULL_TEXT = frozenset({Style.REVIEW})
"""Styles that are written from the whole paper where it can be had, not from its abstract alone."""
