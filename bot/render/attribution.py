"""What is said about one paper: a model's text where there is one, else the feed's own sentence, or the authors' words.

Pure. Which style says what is decided here; how it is laid out is the style's file in templates/styles.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from bot.channel import Said
from bot.model import Paper, Source, Style, Text
from bot.render.styles import MISSING, STAND_INS
from bot.runtime.text import first_sentence

NOTHING_WRITTEN: Mapping[Style, Text] = MappingProxyType({})
WRITTEN_IN = "en"
"""The language of the feed's sentences and of the abstracts at arXiv."""


def say(paper: Paper, style: Style, texts: Mapping[Style, Text] = NOTHING_WRITTEN) -> Said:
    """What `style` says about a paper. `texts` are those that a model wrote about it in the reader's language.

    Where the one that is asked for is missing, another stands in; where there is none, the feed's sentence.
    """
    if style is Style.HEADLINE:
        return _headline(paper)
    if style is Style.ABSTRACT:
        return _said(style, Source.AUTHORS, abstract=_one_line(paper.abstract))
    for each in (style, *STAND_INS[style]):
        if each in texts:
            return _written(texts[each], paper, instead=each is not style)
    return replace(_headline(paper), instead=True)


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
    """The same words without the hard line breaks that abstracts carry."""
    return " ".join(text.split())
