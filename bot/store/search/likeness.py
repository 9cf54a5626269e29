"""Papers that share a paper's most telling terms: those that it has and few others have."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model import Paper
from bot.store.search.index import engine, number_of
from bot.store.search.query import Phrase, Query
from bot.store.search.search_tables import search_documents
from bot.store.search.terms import IN_CJK, terms

TOP_TERMS = 12
"""Terms of a paper that others are compared by."""
CANDIDATES = 24
"""Terms of a paper of which it is counted how many other papers have them."""
MOST_WITH_TERM = 400
"""Papers with one term that are compared, the newest."""
LONGEST_TEXT = 4_000
"""Characters of an abstract that are read."""
LEAST_SHARED = 2
"""Top terms that a related paper shares at least: one alone is chance."""
WEIGHTS = {"title": 4, "keywords": 3, "abstract": 1}
"""How much a term counts by where it stands, once for each time in the abstract."""
COMMON = 0.4
"""Share of all papers from which on a term tells nothing."""


async def related(connection: AsyncConnection, paper: Paper, limit: int) -> list[str]:
    """The ids of the papers most like a paper, the likest first.

    Likeness is the sum of the rarities of the top terms that both have, the same on both databases. The work is
    bounded: CANDIDATES terms are counted, and of TOP_TERMS terms at most MOST_WITH_TERM papers each are read.
    """
    weights = _weights(paper)
    candidates = sorted(weights, key=lambda term: (-weights[term], term))[:CANDIDATES]
    if not candidates:
        return []
    counts, total = await _counts(connection, candidates)
    rarity = {term: math.log(total / count) for term, count in counts.items() if 1 < count <= max(2, total * COMMON)}
    top = sorted(rarity, key=lambda term: (-weights[term] * rarity[term], term))[:TOP_TERMS]
    likeness: Counter[int] = Counter()
    shared: Counter[int] = Counter()
    for term in top:
        for number in await _having(connection, term):
            likeness[number] += rarity[term]  # type: ignore[assignment] # a Counter adds any number
            shared[number] += 1
    own = number_of(paper.id)
    found = [number for number, count in shared.items() if count >= LEAST_SHARED and number != own]
    likest = sorted(found, key=lambda number: (-likeness[number], -number))[:limit]
    query = select(search_documents.c.number, search_documents.c.paper_id).where(search_documents.c.number.in_(likest))
    ids = {row.number: row.paper_id for row in await connection.execute(query)}
    return [ids[number] for number in likest if number in ids]


def _weights(paper: Paper) -> Mapping[str, int]:
    weights: Counter[str] = Counter()
    for place, written in (
        ("title", [paper.title]),
        ("keywords", paper.keywords),
        ("abstract", [paper.abstract[:LONGEST_TEXT]]),
    ):
        found = Counter(term for each in written for term in terms(each) if _tells(term))
        for term, times in found.items():
            weights[term] += WEIGHTS[place] * (times if place == "abstract" else 1)
    return weights


def _tells(term: str) -> bool:
    """Whether a term may say what a paper is about: numbers and single letters do not."""
    return (len(term) > 2 or bool(IN_CJK.match(term))) and not term.isdecimal()


async def _counts(connection: AsyncConnection, found: Sequence[str]) -> tuple[Mapping[str, int], int]:
    """How many papers have each of these terms, and how many papers there are.

    A statement for each term: PostgreSQL would compile one that counts them all, for seconds.
    """
    counting = text(engine(connection).counting(""))
    counts = {}
    for term in found:
        counts[term] = int(await connection.scalar(counting, {"words": _expression(connection, term)}) or 0)
    total = await connection.scalar(select(func.count()).select_from(search_documents))
    return counts, int(total or 0)


async def _having(connection: AsyncConnection, term: str) -> Sequence[int]:
    given = {"words": _expression(connection, term), "most": MOST_WITH_TERM}
    return [int(number) for number in await connection.scalars(text(engine(connection).HAVING), given)]


def _expression(connection: AsyncConnection, term: str) -> str:
    written: str = engine(connection).expression(Query((Phrase((term,)),)))
    return written
