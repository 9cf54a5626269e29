"""A paper as Markdown, as its page at Hugging Face gives it: sections, and where its pictures are."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.summaries.fulltext.paper_html import MOST_FIGURES
from bot.summaries.fulltext.sections import LONGEST_CAPTION, DocumentError, Draft, Figure, Section, shortened

LONGEST_LINE = 100_000
"""Characters; a paragraph stands on one line."""

_HEADING = re.compile(r"(#{1,6})[ \t]+(.*)")
_FENCE = re.compile(r" {0,3}(?:```|~~~)")
_IMAGE = re.compile(r"!\[([^\[\]]{0,1000})\]\(\s*<?([^()<>\s]{1,2000})>?(?:\s[^()]{0,200})?\)")
_LINK = re.compile(r"\[([^\[\]]{0,1000})\]\([^()]{0,2000}\)")
_TAG = re.compile(r"</?[A-Za-z][^<>]{0,500}>|<!--[^<>]{0,2000}-->")
_WORDLESS = re.compile(r"(?:Refer to caption|\[?Uncaptioned image\]?)?", re.IGNORECASE)
_TITLED = frozenset({"introduction", "method", "results", "limitations", "conclusion"})


def read(body: bytes) -> tuple[Sequence[Section], Sequence[Figure]]:
    """The sections and pictures of a paper's page. Raises DocumentError where it is no paper.

    A page without a paper in it (title, abstract, comments, models) is told by its headings.
    """
    text = body.decode("utf-8", "replace")
    if text.lstrip()[:1] == "<":
        raise DocumentError("it is no Markdown")
    draft = Draft()
    figures: list[Figure] = []
    for line in _lines(text):
        if heading := _HEADING.match(line):
            draft.heading(len(heading[1]), _said(heading[2]).strip("#* "))
            continue
        for image in _IMAGE.finditer(line):
            if image[2].startswith("https://") and len(figures) < MOST_FIGURES:
                caption = "" if _WORDLESS.fullmatch(image[1].strip()) else shortened(image[1], LONGEST_CAPTION)
                figures.append(Figure(image[2], caption))
        draft.text(_said(line))
    sections = draft.sections()
    if not _TITLED & {section.kind for section in sections}:
        raise DocumentError("it has none of a paper's sections")
    return sections, tuple(figures)


def _said(line: str) -> str:
    return _TAG.sub("", _LINK.sub(r"\1", _IMAGE.sub("", line)))


def _lines(text: str) -> Sequence[str]:
    """The lines that are read: no front matter, no code, no rows of tables."""
    lines = [line[:LONGEST_LINE] for line in text.splitlines()]
    if lines[:1] == ["---"] and "---" in lines[1:]:
        lines = lines[lines.index("---", 1) + 1 :]
    kept, fenced = [], False
    for line in lines:
        if _FENCE.match(line):
            fenced = not fenced
        elif not fenced and not line.lstrip().startswith("|"):
            kept.append(line)
    return kept
