"""Hot topics, the keywords that an edition's papers share; and the words that its readers know for keywords."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from bot.runtime.text import one_line

MAX_TOPICS = 5
"""Hot topics shown, once they are named: of several keywords that have one name, the page has it once."""
MAX_ACRONYM = 4
"""Letters up to which a word in capitals is an acronym: IS (inception score) is not "is"."""

NAMES_FILE = "names.json"
"""The words for an edition's keywords, as a file of `Kit.media`."""

NamesByLowerCase = Mapping[str, str]
"""Words that readers of a language know, by the keyword in small letters."""
NO_NAMES: NamesByLowerCase = MappingProxyType({})
Words = tuple[str, ...]


def hot_topics(papers: Iterable[Sequence[str]], names: NamesByLowerCase = NO_NAMES) -> list[str]:
    """All keywords that several papers share, the most shared first, in the words of `names` where it has one.

    `papers` holds each paper's keywords.

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
    return [names.get(written[words].casefold(), written[words]) for words in shared]


def read_names(paths: Iterable[Path | None]) -> dict[str, str]:
    """The words in these files, of two for a keyword the later one's; a damaged file has none."""
    found: dict[str, str] = {}
    for path in paths:
        try:
            read = {} if path is None else json.loads(path.read_bytes())
        except (OSError, ValueError):
            continue
        if isinstance(read, dict):
            found |= {keyword: name for keyword, name in read.items() if isinstance(name, str)}
    return found


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
