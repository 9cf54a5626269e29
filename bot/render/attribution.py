"""Picks the text about a paper: the model's, else the feed's sentence or the authors' words, and says whose it is.

Pure. How a style is laid out is in templates/styles.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from bot.channel import Said
from bot.model import Paper, Source, Style, Text
from bot.render.styles import FALLBACKS, MISSING

NOTHING_WRITTEN: Mapping[Style, Text] = MappingProxyType({})
WRITTEN_IN = "en"
"""The language of the feed's sentences and of abstracts at arXiv."""

_END = re.compile(r"[.!?…]['\")\]’”]*(?=\s+\S)|[。！？][」』”）]*")
"""Where a sentence may end: a mark followed by white space, so not inside a decimal or a URL."""

_ABBREVIATIONS = frozenset(
    """
    al approx app cf ch chap dept dr e.g ed eds eq eqs etc fig figs i.e inc jr ltd mr mrs ms no nos p pp prof
    ref refs resp sec sect sr st tab u.s viz vol vs w.r.t a.k.a i.i.d ph.d
    """.split()  # noqa: SIM905 — a list of words reads best as words
)


def say(paper: Paper, style: Style, texts: Mapping[Style, Text] = NOTHING_WRITTEN) -> Said:
    """The text about a paper in a style.

    `texts` are the model's in the reader's language. If the style's text is missing, the first of its `FALLBACKS` is
    used, and then the feed's sentence.
    """
    if style is Style.HEADLINE:
        return _headline(paper)
    if style is Style.ABSTRACT:
        return _said(style, Source.AUTHORS, abstract=_one_line(paper.abstract))
    for each in (style, *FALLBACKS[style]):
        if each in texts:
            return _written(texts[each], paper, instead=each is not style)
    return replace(_headline(paper), instead=True)


def sentence_ends(text: str) -> list[int]:
    """The indexes in `text` after which a new sentence may begin, in order; its own end is not among them."""
    return [found.end() for found in _END.finditer(text) if found.end() < len(text) and _ends(text, found)]


def first_sentence(text: str) -> str:
    """The first sentence of a text; all of it if it has only one."""
    line = _one_line(text)
    return line[: next(iter(sentence_ends(line)), len(line))]


def _written(text: Text, paper: Paper, *, instead: bool) -> Said:
    parts = {name: "" if said == MISSING else said for name, said in text.parts.items()}
    if text.style is Style.PLAIN:
        parts["abstract"] = _one_line(paper.abstract)
    return Said(text.style.value, Source.MODEL, MappingProxyType(parts), text.language, instead)


def _headline(paper: Paper) -> Said:
    if paper.sentence and paper.sentence.strip():
        return _said(Style.HEADLINE, Source.FEED, sentence=_one_line(paper.sentence))
    return _said(Style.HEADLINE, Source.AUTHORS, sentence=first_sentence(paper.abstract))


def _said(style: Style, source: Source, **parts: str) -> Said:
    return Said(style.value, source, MappingProxyType(parts), WRITTEN_IN)


def _one_line(text: str) -> str:
    """A text without the hard line breaks of abstracts."""
    return " ".join(text.split())


def _ends(text: str, mark: re.Match[str]) -> bool:
    if mark[0][0] in "。！？":
        return True
    following = text[mark.end() :].lstrip()[:1]
    if mark[0][0] != ".":
        return not following.islower()
    word = text[: mark.start()].rsplit(maxsplit=1)[-1:] or [""]
    last = word[0].lstrip("([{'\"“‘").lower()
    if last in _ABBREVIATIONS or re.fullmatch(r"[^\W\d]", last):  # "e.g. this", "J. Doe"
        return False
    return not following.islower()
