"""Reads a typed search: words, "phrases", -unwanted, author:name, org:name, keyword:name, an arXiv id. Pure."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from enum import StrEnum

from bot.store.search.terms import IN_CJK, terms

MOST_PHRASES = 12
"""Words and phrases of a query that are used."""
LONGEST_PHRASE = 12
"""Terms of a phrase that are used."""
SHORTEST_BEGINNING = 2
"""Letters from which on the last word, which may still be being typed, also finds longer ones."""

QUOTES = str.maketrans(dict.fromkeys("“”„‟«»「」『』", '"') | dict.fromkeys("−–—", "-"))
PART = re.compile(
    r"""(?P<minus>-?)(?:(?P<place>author|org|keyword):\s*)?(?:"(?P<quoted>[^"]*)"?|(?P<word>[^\s"]+))""", re.IGNORECASE
)
PAPER = re.compile(r"(?:\S*/|arxiv:\s*)?(\d{4}\.\d{4,5})(?:v\d+)?(?:\.pdf)?/?(?:[?#]\S*)?", re.IGNORECASE | re.ASCII)


class Place(StrEnum):
    """The part of a paper that a phrase has to stand in."""

    ANYWHERE = ""
    AUTHOR = "author"
    ORGANISATION = "org"
    KEYWORD = "keyword"


@dataclass(frozen=True, slots=True)
class Phrase:
    """Terms that stand one behind the other; `begins`: the last of them may be longer."""

    terms: tuple[str, ...]
    place: Place = Place.ANYWHERE
    begins: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """A parsed query: terms that a paper must have, and terms that it must not have."""

    wanted: tuple[Phrase, ...] = field(default=())
    unwanted: tuple[Phrase, ...] = field(default=())


def parse(text: str) -> Query:
    """The query that was typed; one without `wanted` finds nothing."""
    wanted: dict[Phrase, None] = {}
    unwanted: dict[Phrase, None] = {}
    last: list[Phrase] = []
    for part in PART.finditer(unicodedata.normalize("NFKC", text).translate(QUOTES)):
        place = Place((part["place"] or "").lower())
        quoted = part["quoted"] is not None
        found = _together(part["quoted"], place) if quoted else _apart(part["word"], place)
        (unwanted if part["minus"] else wanted).update(dict.fromkeys(found))
        last = [] if quoted or part["minus"] else found[-1:]
        if len(wanted) + len(unwanted) >= MOST_PHRASES:
            break
    phrases = list(wanted)[:MOST_PHRASES]
    if last and phrases[-1:] == last and _may_go_on(last[0].terms[-1]):
        phrases[-1] = Phrase(last[0].terms, last[0].place, begins=True)
    return Query(tuple(phrases), tuple(unwanted)[:MOST_PHRASES])


def within(query: Query, topic: str) -> Query:
    """The same query among papers about a topic alone."""
    return Query((*query.wanted, *_together(topic, Place.ANYWHERE)), query.unwanted)


def paper_id(text: str) -> str | None:
    """The arXiv id, where the whole of a search is one, or a link to a paper."""
    found = PAPER.fullmatch(unicodedata.normalize("NFKC", text).strip())
    return found and found[1]


def _together(written: str, place: Place) -> list[Phrase]:
    found = tuple(terms(written))[:LONGEST_PHRASE]
    return [Phrase(found, place)] if found else []


def _apart(word: str, place: Place) -> list[Phrase]:
    """A word's phrases: `GPT-4.5` is one; pairs of Chinese, Japanese or Korean characters each stand for themselves."""
    found: list[Phrase] = []
    joined: list[str] = []
    for term in list(terms(word))[: MOST_PHRASES * 2]:
        if IN_CJK.match(term):
            found += [Phrase((term,), place)]
        else:
            joined.append(term)
    return [*([Phrase(tuple(joined[:LONGEST_PHRASE]), place)] if joined else []), *found]


def _may_go_on(term: str) -> bool:
    return len(term) == 1 if IN_CJK.match(term) else len(term) >= SHORTEST_BEGINNING
