"""Tokenizer of the search index: cuts text into words, and pairs of characters where a script has no spaces. Pure.

Both databases are given terms, never text, so that they find the same papers: a word of Chinese, Japanese or Korean
is found inside a longer one, and words that nearly every English sentence has are left out on both sides.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

LONGEST_TERM = 40
"""Characters of a term."""
MOST_TERMS = 16_000
"""Terms of one paper that are indexed; PostgreSQL counts positions up to 16,383."""
LARGEST = 300_000
"""Bytes of one paper's terms; a tsvector holds 1 MB with its positions."""
FIELDS = ("title", "keywords", "organisation", "authors", "abstract", "texts")
"""The parts of a paper that are indexed. `texts` are what a language model wrote, in every language."""

HANGUL = r"\u1100-\u11ff\u3130-\u318f\ua960-\ua97f\uac00-\ud7ff"
KANA = r"\u3040-\u30ff\u31f0-\u31ff"
HAN = r"\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
CJK = HANGUL + KANA + HAN
RUNS = re.compile(rf"[{CJK}]+|[^\W_{CJK}]+")
IN_CJK = re.compile(rf"[{CJK}]")
STOP_WORDS = frozenset(
    """
    a an and are as at be by for from has have in into is it its of on or our that the their these they this to was we
    were which with
    """.split()  # noqa: SIM905 - a list of words reads best as words
)


def terms(text: str) -> Iterator[str]:
    """The terms of a text, in order, with repetitions."""
    for run in RUNS.findall(unicodedata.normalize("NFKC", text).casefold()):
        if not IN_CJK.match(run):
            if run not in STOP_WORDS:
                yield run[:LONGEST_TERM]
        elif len(run) == 1:
            yield run
        else:
            yield from (first + second for first, second in pairwise(run))


def fields(row: Any, texts: Iterable[Mapping[str, str]]) -> Mapping[str, Sequence[str]]:
    """The terms of a row of `papers` and of the texts about it, by field, within the limits above."""
    written = {
        "title": row.title,
        "keywords": " ".join(row.keywords),
        "organisation": row.organisation or "",
        "authors": " ".join(row.authors),
        "abstract": row.abstract,
        "texts": " ".join(part for parts in texts for part in parts.values()),
    }
    found: dict[str, list[str]] = {}
    left, size = MOST_TERMS, LARGEST
    for field in FIELDS:
        kept = found[field] = []
        for term in terms(written[field]):
            left, size = left - 1, size - len(term.encode())
            if left < 0 or size < 0:
                break
            kept.append(term)
    return found
