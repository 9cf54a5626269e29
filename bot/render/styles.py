"""Schemas of the styles that a language model writes: their fields, lengths and fallbacks. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from bot.model import Style


@dataclass(frozen=True, slots=True)
class TextField:
    """One field of a style's schema: its name, and how many characters it may have (`least` to `most`).

    The limits are for languages with spaces; Chinese, Japanese and Korean need half the characters. A field that
    `may_be_missing` may be `MISSING`. Without an `essential` one the text says nothing.
    """

    name: str
    least: int
    most: int
    may_be_missing: bool = False
    essential: bool = False


TEXT_FIELDS: Mapping[Style, Sequence[TextField]] = {
    Style.HIGHLIGHTS: (
        TextField("sentence", 40, 400, essential=True),
        TextField("problem", 30, 320),
        TextField("proposal", 30, 320),
        TextField("result", 30, 320),
    ),
    Style.PLAIN: (
        TextField("input_output", 30, 500),
        TextField("problem", 30, 500),
        TextField("idea", 40, 700, essential=True),
    ),
    Style.TRANSLATION: (TextField("title", 4, 400), TextField("abstract", 80, 6_000, essential=True)),
    Style.REVIEW: (
        TextField("goal", 30, 500),
        TextField("motivation", 30, 500),
        TextField("contribution", 30, 500, essential=True),
        TextField("method", 60, 1_500, essential=True),
        TextField("results", 40, 1_000, may_be_missing=True),
        TextField("limitations", 20, 800, may_be_missing=True),
        TextField("conclusion", 30, 800),
    ),
}
"""The fields of each style that needs a model, in the order in which they are shown."""

SHOWN_IN: Mapping[Style, Style] = {Style.BRIEF: Style.HIGHLIGHTS}
"""Styles that show part of another style's text where there is one, and ask for none of their own."""

MISSING = "-"
"""The model's answer for a field that the source says nothing about; catalogues translate it."""


def is_enough(style: Style, parts: Collection[str]) -> bool:
    """Whether a text with only these parts is worth showing: all that are essential, and at least half of all."""
    fields = TEXT_FIELDS[style]
    return 2 * len(parts) >= len(fields) and all(each.name in parts for each in fields if each.essential)


FALLBACKS: Mapping[Style, Sequence[Style]] = {
    Style.HIGHLIGHTS: (Style.PLAIN, Style.REVIEW, Style.TRANSLATION),
    Style.PLAIN: (Style.HIGHLIGHTS, Style.REVIEW, Style.TRANSLATION),
    Style.TRANSLATION: (Style.HIGHLIGHTS, Style.PLAIN, Style.REVIEW),
    Style.REVIEW: (Style.HIGHLIGHTS, Style.PLAIN, Style.TRANSLATION),
}
"""The styles that replace one whose text is missing, in the same language: the first that exists."""

FROM_FULL_TEXT = frozenset({Style.REVIEW})
"""Styles written from the full text of a paper if it is available, otherwise from its abstract."""
