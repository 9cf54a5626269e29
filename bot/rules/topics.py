"""The topic filter: which papers a reader's topics let through. Pure.

Topics are typed like `diffusion, "world model", -video, author:Kaiming He, org:DeepMind`. A paper passes if it matches
at least one topic (or there is none), and no topic excluded by a minus. Words match whole: `RL` is not found inside
`world`. Scripts without spaces match anywhere, since nothing in them marks the end of a word.
"""

from __future__ import annotations

import re
import unicodedata
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from bot.model import Paper
from bot.runtime.text import printable

MOST_TOPICS = 30  # topics of one reader
LONGEST_TOPIC = 60
"""Characters of one topic."""
MOST_BYTES = 2_000
"""Bytes of all topics together, since a row of a PostgreSQL index must hold them."""
PREPARED = 1024
"""Papers whose words are cached."""

UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u3040-\u30ff\u3130-\u318f\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7ff\uf900-\ufaff]"
)
"""Thai, Lao, Burmese, Khmer, kana, Han; also Hangul, whose words carry particles."""
WORD = re.compile(r"[^\W_]+")
SEPARATORS = re.compile(r"[,;\n、，；]+")


class TopicsError(ValueError):
    """There are too many topics, or one is too long; `limit` is the limit exceeded."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"more than {limit}")
        self.limit = limit


class Where(StrEnum):
    """The part of a paper that a topic is matched against."""

    ANYWHERE = ""
    AUTHOR = "author"
    ORGANISATION = "org"
    KEYWORD = "keyword"


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic: a word or phrase, where it is matched, and whether it excludes papers."""

    phrase: str
    where: Where = Where.ANYWHERE
    unwanted: bool = False

    def __str__(self) -> str:
        place = f"{self.where}:" if self.where else ""
        return f"{'-' if self.unwanted else ''}{place}{self.phrase}"


def parse(written: str) -> tuple[str, ...]:
    """Parse typed topics into their stored form, in their order, without duplicates.

    Raises:
        TopicsError: There are too many, or one is too long.
    """
    found: dict[str, None] = {}
    for part in SEPARATORS.split(written):
        topic = topic_of(part)
        if topic is not None:
            if len(topic.phrase) > LONGEST_TOPIC:
                raise TopicsError(LONGEST_TOPIC)
            found[str(topic)] = None
    if len(found) > MOST_TOPICS or sum(len(topic.encode()) for topic in found) > MOST_BYTES:
        raise TopicsError(MOST_TOPICS)
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Place:
    """A part of a paper, prepared for matching: its words, and its text with single spaces between and around them."""

    words: frozenset[str]
    text: str


class TopicFilter:
    """A reader's topics, prepared for matching many papers."""

    def __init__(self, topics: Iterable[str]) -> None:
        parsed = [topic for topic in map(topic_of, topics) if topic is not None]
        self._wanted = [_Needle(topic) for topic in parsed if not topic.unwanted]
        self._unwanted = [_Needle(topic) for topic in parsed if topic.unwanted]

    def lets_through(self, paper: Paper) -> bool:
        """Whether a paper passes the filter."""
        places = _places(paper)
        for needle in self._unwanted:
            if needle.is_in(places):
                return False
        return not self._wanted or any(needle.is_in(places) for needle in self._wanted)


class _Needle:
    """A topic, prepared for matching."""

    __slots__ = ("_is_word", "_phrase", "_where")

    def __init__(self, topic: Topic) -> None:
        words = _words(topic.phrase)
        unspaced = UNSPACED.search(words) is not None
        self._where = topic.where
        self._is_word = not unspaced and " " not in words
        # In a script without spaces the phrase may be anywhere in a longer run.
        self._phrase = words if unspaced or self._is_word else f" {words} "

    def is_in(self, places: Mapping[Where, _Place]) -> bool:
        place = places[self._where]
        return self._phrase in (place.words if self._is_word else place.text)


_prepared: OrderedDict[str, tuple[Paper, Mapping[Where, _Place]]] = OrderedDict()
"""By id and identity: hashing whole papers would cost more than matching them."""


def _places(paper: Paper) -> Mapping[Where, _Place]:
    known = _prepared.get(paper.id)
    if known is None or known[0] is not paper:
        known = _prepared[paper.id] = (paper, _texts(paper))
        if len(_prepared) > PREPARED:
            _prepared.popitem(last=False)
    return known[1]


def _texts(paper: Paper) -> Mapping[Where, _Place]:
    keywords = " | ".join(paper.keywords)
    authors = " | ".join(paper.authors)
    organisation = paper.organisation or ""
    texts = {
        Where.AUTHOR: authors,
        Where.ORGANISATION: organisation,
        Where.KEYWORD: keywords,
        Where.ANYWHERE: f"{paper.title} | {paper.abstract} | {keywords} | {authors} | {organisation}",
    }
    words = {place: _words(text) for place, text in texts.items()}
    return {place: _Place(frozenset(text.split()), f" {text} ") for place, text in words.items()}


def _words(text: str) -> str:
    """Case-folded words between single spaces. A `|` between two texts is kept, so that no phrase spans them."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(re.findall(r"[^\W_]+|\|", folded))


def topic_of(written: str) -> Topic | None:
    """One topic as it is written; None where it has no word."""
    text = " ".join(printable(unicodedata.normalize("NFKC", written)).split())
    unwanted = text[:1] in {"-", "−", "–"}
    text = text.lstrip("-−–+ ")
    where = Where.ANYWHERE
    place, colon, rest = text.partition(":")
    if colon and place.casefold() in set(Where) - {""}:
        where, text = Where(place.casefold()), rest.strip()
    text = text.strip("\"'“”‘’«»「」 #")
    return Topic(text, where, unwanted) if WORD.search(text) else None


def matching(papers: Sequence[Paper], topics: Sequence[str]) -> list[Paper]:
    """The papers that pass a topic filter."""
    topic_filter = TopicFilter(topics)
    return [paper for paper in papers if topic_filter.lets_through(paper)]
