"""What is said about one paper where no model writes: the feed's own sentence, or the authors' words.

Pure. Which style says what is decided here; how it is laid out is the style's file in templates/styles.
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import assert_never

from bot.channel import Said
from bot.model import Paper, Source, Style

WRITTEN_IN = "en"
"""The language of the feed's sentences and of the abstracts at arXiv."""

_END = re.compile(r"[.!?…]['\")\]’”]*(?=\s+\S)|[。！？][」』”）]*")
"""Where a sentence may end: a mark with white space after it, which a decimal or a URL has not."""

_ABBREVIATIONS = frozenset(
    """
    al approx app cf ch chap dept dr e.g ed eds eq eqs etc fig figs i.e inc jr ltd mr mrs ms no nos p pp prof
    ref refs resp sec sect sr st tab u.s viz vol vs w.r.t a.k.a i.i.d ph.d
    """.split()  # noqa: SIM905 — a list of words reads best as words
)


def say(paper: Paper, style: Style) -> Said:
    """What `style` says about a paper, in the words of the feed or of the authors."""
    match style:
        case Style.HEADLINE:
            return _headline(paper)
        case Style.ABSTRACT:
            return _said(style, Source.AUTHORS, abstract=_one_line(paper.abstract))
        case _:
            assert_never(style)


def sentence_ends(text: str) -> list[int]:
    """The places in a text after which a new sentence may begin, in order; its own end is not among them."""
    return [found.end() for found in _END.finditer(text) if found.end() < len(text) and _ends(text, found)]


def first_sentence(text: str) -> str:
    """A text's first sentence; the whole text where it holds only one."""
    line = _one_line(text)
    return line[: next(iter(sentence_ends(line)), len(line))]


def _headline(paper: Paper) -> Said:
    if paper.sentence and paper.sentence.strip():
        return _said(Style.HEADLINE, Source.FEED, sentence=_one_line(paper.sentence))
    return _said(Style.HEADLINE, Source.AUTHORS, sentence=first_sentence(paper.abstract))


def _said(style: Style, source: Source, **parts: str) -> Said:
    return Said(style.value, source, MappingProxyType(parts), WRITTEN_IN)


def _one_line(text: str) -> str:
    """The same words without the hard line breaks that abstracts carry."""
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
