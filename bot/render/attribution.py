"""Picks the text about a paper: the model's, else the feed's sentence or the authors' words, and says whose it is.

Pure. How a style is laid out is in templates/styles.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from bot.channel import Said
from bot.model import Paper, Source, Style, Text
from bot.render.author_highlights import author_highlights, leans, proposal_sentence
from bot.render.brief import half_sentence
from bot.render.styles import FALLBACKS, MISSING, SHOWN_IN, TEXT_FIELDS
from bot.runtime.text import first_sentence

NOTHING_WRITTEN: Mapping[Style, Text] = MappingProxyType({})
WRITTEN_IN = "en"
"""The language of the feed's sentences and of abstracts at arXiv."""


def say(paper: Paper, style: Style, texts: Mapping[Style, Text] = NOTHING_WRITTEN) -> Said:
    """The text about a paper in a style.

    `texts` are the model's in the reader's language. If the style's text is missing, the first of its `FALLBACKS` is
    used, then sentences of the authors' abstract, then the feed's sentence.
    """
    if style is Style.HEADLINE:
        return _headline(paper)
    if style is Style.BRIEF:
        return _brief(paper, texts)
    if style is Style.ABSTRACT:
        return _said(style, Source.AUTHORS, abstract=_one_line(paper.abstract))
    for each in (style, *FALLBACKS[style]):
        if each in texts:
            return _written(texts[each], paper, instead=each is not style)
    points = author_highlights(paper.abstract)
    if points:
        parts = {field.name: points.get(field.name, "") for field in TEXT_FIELDS[Style.HIGHLIGHTS]}
        return replace(_said(Style.HIGHLIGHTS, Source.AUTHORS, **parts), instead=style is not Style.HIGHLIGHTS)
    return replace(_headline(paper), instead=True)


def outcome(paper: Paper, said: Said) -> str:
    """What a paper's abstract says came of it; empty where `said` holds it or there is nothing.

    One sentence; two where the second says it and cannot be understood without the first.
    """
    result = author_highlights(paper.abstract).get("result", "")
    found = first_sentence(result)
    if leans(result[len(found) :].strip()):
        found = result
    return "" if found in " ".join(said.parts.values()) else found


def _written(text: Text, paper: Paper, *, instead: bool) -> Said:
    written = {field.name: text.parts.get(field.name, "") for field in TEXT_FIELDS[text.style]}
    unknown = frozenset(name for name, said in written.items() if said == MISSING)
    parts = {name: "" if name in unknown else said for name, said in written.items()}
    if text.style is Style.PLAIN:
        parts["abstract"] = _one_line(paper.abstract)
    return Said(text.style.value, Source.MODEL, MappingProxyType(parts), text.language, instead, unknown=unknown)


def _headline(paper: Paper) -> Said:
    if paper.sentence and paper.sentence.strip():
        return _said(Style.HEADLINE, Source.FEED, sentence=_one_line(paper.sentence))
    return _said(Style.HEADLINE, Source.AUTHORS, sentence=proposal_sentence(paper.abstract))


def _brief(paper: Paper, texts: Mapping[Style, Text]) -> Said:
    """Half of the sentence that a model wrote in the reader's language, else of the headline."""
    written = texts.get(SHOWN_IN[Style.BRIEF])
    whole = _headline(paper) if written is None else _written(written, paper, instead=False)
    parts = MappingProxyType({"sentence": half_sentence(whole.parts["sentence"])})
    return replace(whole, style=Style.BRIEF.value, parts=parts)


def _said(style: Style, source: Source, **parts: str) -> Said:
    return Said(style.value, source, MappingProxyType(parts), WRITTEN_IN)


def _one_line(text: str) -> str:
    """A text without the hard line breaks of abstracts."""
    return " ".join(text.split())
