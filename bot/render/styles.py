"""The styles that a language model writes: the parts of each, how long they may be, what stands in for them. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.model import Style


@dataclass(frozen=True, slots=True)
class Part:
    """One field of a style's schema: its name, and the least and most characters it may have.

    The bounds are for languages with spaces; Chinese, Japanese and Korean say the same in half the characters.
    `may_be_missing` parts may hold the schema's word for "not enough information" in place of a text.
    """

    name: str
    least: int
    most: int
    may_be_missing: bool = False


PARTS: Mapping[Style, Sequence[Part]] = {
    Style.HIGHLIGHTS: (
        Part("sentence", 40, 400),
        Part("problem", 30, 320),
        Part("proposal", 30, 320),
        Part("result", 30, 320),
    ),
    Style.PLAIN: (
        Part("input_output", 30, 500),
        Part("problem", 30, 500),
        Part("idea", 40, 700),
    ),
    Style.TRANSLATION: (
        Part("title", 4, 400),
        Part("abstract", 80, 6_000),
    ),
    Style.REVIEW: (
        Part("goal", 30, 500),
        Part("motivation", 30, 500),
        Part("contribution", 30, 500),
        Part("method", 60, 1_500),
        Part("results", 40, 1_000, may_be_missing=True),
        Part("limitations", 20, 800, may_be_missing=True),
        Part("conclusion", 30, 800),
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
