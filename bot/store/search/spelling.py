"""Spelling suggestions for words that are in no paper: terms that share most of their trigrams."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import SequenceMatcher

from sqlalchemy import func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.search.search_tables import search_trigrams
from bot.store.search.terms import IN_CJK
from bot.store.upsert import insert

SHORTEST, LONGEST = 4, 30
"""Letters of a word that may be corrected, or be a correction."""
BATCH = 400
"""Terms that are looked up at once."""
MOST_CANDIDATES = 40  # terms that are compared
NEAREST = 0.7
"""How like its correction a word must be, from 0 to 1."""


async def learn(connection: AsyncConnection, found: Iterable[str]) -> None:
    """Add terms to those that a misspelt word may be corrected to."""
    words = sorted({term for term in found if _may_be_misspelt(term)})
    for start in range(0, len(words), BATCH):
        batch = words[start : start + BATCH]
        firsts = [(f"^{term[:2]}", term) for term in batch]
        query = select(search_trigrams.c.term).where(
            tuple_(search_trigrams.c.trigram, search_trigrams.c.term).in_(firsts)
        )
        known = set(await connection.scalars(query))
        rows = [{"trigram": each, "term": term} for term in batch if term not in known for each in _trigrams(term)]
        if rows:
            await connection.execute(insert(connection, search_trigrams).on_conflict_do_nothing(), rows)


async def nearest(connection: AsyncConnection, term: str) -> str | None:
    """The known term that is most like a misspelt one, None where none is."""
    if not _may_be_misspelt(term):
        return None
    shared = func.count()
    query = (
        select(search_trigrams.c.term)
        .where(search_trigrams.c.trigram.in_(_trigrams(term)))
        .group_by(search_trigrams.c.term)
        .order_by(shared.desc(), search_trigrams.c.term)
        .limit(MOST_CANDIDATES)
    )
    likeness = {each: SequenceMatcher(None, term, each).ratio() for each in await connection.scalars(query)}
    best = max(likeness, key=lambda each: (likeness[each], each), default=None)
    return best if best is not None and best != term and likeness[best] >= NEAREST else None


def _may_be_misspelt(term: str) -> bool:
    return SHORTEST <= len(term) <= LONGEST and term.isalpha() and not IN_CJK.match(term)


def _trigrams(term: str) -> list[str]:
    framed = f"^{term}$"
    return sorted({framed[at : at + 3] for at in range(len(framed) - 2)})
