"""Keywords of papers as readers of a language know them: tables below templates/keywords/, one per language."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache

from bot.render import folder
from bot.render.catalogue import DEFAULT
from bot.rules.keyword_weights import fold


def keyword_name(folded: str, written: str, language: str) -> str:
    """The word for a keyword in a language, which may be an abbreviation (`LLM`); else the keyword as `written`."""
    return _names(language).get(folded, written)


def keyword_in(language: str, written: str) -> str:
    """A keyword of the feed as readers of a language know it; as it is `written` where there is no word for it."""
    folded = fold(written)
    return keyword_name(aliases().get(folded, folded), written, language)


@cache
def aliases() -> Mapping[str, str]:
    """Other ways to write a keyword, folded, and the folded keyword that each counts as."""
    return {
        fold(other): fold(keyword)
        for keyword, others in _lines(DEFAULT)
        for other in others.split(", ")
        if fold(other) != fold(keyword)
    }


@cache
def _names(language: str) -> Mapping[str, str]:
    if language == DEFAULT:
        return {}
    return {aliases().get(fold(keyword), fold(keyword)): name for keyword, name in _lines(language)}


def _lines(language: str) -> Iterator[tuple[str, str]]:
    """The lines `keyword = words` of a language's table; nothing where it has none."""
    path = folder() / "keywords" / f"{language}.txt"
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else ():
        keyword, equals, words = line.partition(" = ")
        if equals and not line.startswith("#"):
            yield keyword.strip(), words.strip()
