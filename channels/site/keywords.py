"""Hot topics: the keywords that an edition's papers share. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from bot.runtime.text import one_line

MAX_TOPICS = 5
"""Hot topics shown."""
MAX_ACRONYM = 4
"""Letters up to which a word in capitals is an acronym: IS (inception score) is not "is"."""

Words = tuple[str, ...]


def hot_topics(papers: Iterable[Sequence[str]]) -> list[str]:
    """The keywords that several papers share, the most shared first. `papers` holds each paper's keywords.

    A keyword is shared by whole words: "attention" is in "linear attention", and "RL" is not in "URL".
    """
    written: dict[Words, str] = {}
    counts: Counter[Words] = Counter()
    for keywords in papers:
        for keyword in map(one_line, keywords):
            if words := _words(keyword):
                written.setdefault(words, keyword)
        counts.update({phrase for keyword in keywords for phrase in _phrases(_words(one_line(keyword)))})
    shared = [words for words in written if counts[words] > 1]
    shared.sort(key=lambda words: -counts[words])  # stable: among equals the higher-ranked paper's comes first
    return [written[words] for words in shared[:MAX_TOPICS]]


def _phrases(words: Words) -> Iterator[Words]:
    """All runs of words in a keyword."""
    for start in range(len(words)):
        for end in range(start, len(words)):
            yield words[start : end + 1]


def _words(keyword: str) -> Words:
    spaced = "".join(letter if letter.isalnum() or letter == "+" else " " for letter in keyword)
    return tuple(map(_folded, spaced.split()))


def _folded(word: str) -> str:
    return word if word.isupper() and len(word) <= MAX_ACRONYM else word.casefold()
