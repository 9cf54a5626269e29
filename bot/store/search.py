"""Full-text search over stored papers, with an index of our own that works the same on SQLite and PostgreSQL.

A term is a word of a script with spaces, or a pair of neighbouring characters of one without (Chinese, Japanese,
Korean), so that a two-character word is found inside a longer one. A query finds the papers that have all its
terms; the last word, which may still be being typed, also finds longer ones.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import pairwise

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model import Paper
from bot.store.schema import papers, terms
from bot.store.upsert import insert

LONGEST_TERM = 40
MOST_TERMS = 12
"""Terms of a query that are used."""
WEIGHTS = {"title": 8, "keywords": 4, "organisation": 2, "authors": 2, "abstract": 1}

HANGUL = r"\u1100-\u11ff\u3130-\u318f\ua960-\ua97f\uac00-\ud7ff"
KANA = r"\u3040-\u30ff\u31f0-\u31ff"
HAN = r"\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
CJK = HANGUL + KANA + HAN
RUNS = re.compile(rf"[{CJK}]+|[^\W_{CJK}]+")
IN_CJK = re.compile(rf"[{CJK}]")
LAST = "\U0010ffff"


def words(text: str) -> Iterator[str]:
    """The terms of a text, in order, with repetitions."""
    for run in RUNS.findall(unicodedata.normalize("NFKC", text).casefold()):
        if not IN_CJK.match(run):
            yield run[:LONGEST_TERM]
        elif len(run) == 1:
            yield run
        else:
            yield from (first + second for first, second in pairwise(run))


def weigh(paper: Paper) -> dict[str, int]:
    """A paper's terms, each with the sum of the weights of the fields it occurs in."""
    fields = {
        "title": paper.title,
        "keywords": " ".join(paper.keywords),
        "organisation": paper.organisation or "",
        "authors": " ".join(paper.authors),
        "abstract": paper.abstract,
    }
    weights: dict[str, int] = {}
    for field, text in fields.items():
        for term in set(words(text)):
            weights[term] = weights.get(term, 0) + WEIGHTS[field]
    return weights


async def index(connection: AsyncConnection, found: Sequence[Paper]) -> None:
    """Add papers, or their new terms, to the index."""
    rows = [
        {"term": term, "paper_id": paper.id, "weight": weight}
        for paper in found
        for term, weight in weigh(paper).items()
    ]
    if rows:
        statement = insert(connection, terms)
        more = {"weight": statement.excluded.weight}
        await connection.execute(statement.on_conflict_do_update(index_elements=["term", "paper_id"], set_=more), rows)


async def search(connection: AsyncConnection, query: str, limit: int) -> list[str]:
    """The ids of the papers that have every word of `query`, best first, then newest."""
    wanted = list(dict.fromkeys(words(query)))[:MOST_TERMS]
    if not wanted:
        return []
    matches: list[ColumnElement[bool]] = [terms.c.term == term for term in wanted]
    if not IN_CJK.match(wanted[-1]) or len(wanted[-1]) == 1:
        # Not BETWEEN: PostgreSQL takes no COLLATE inside it.
        matches[-1] = and_(terms.c.term >= wanted[-1], terms.c.term <= wanted[-1] + LAST)
    has_all = [terms.c.paper_id.in_(select(terms.c.paper_id).where(match)) for match in matches]
    ranked = (
        select(terms.c.paper_id)
        .join(papers, papers.c.id == terms.c.paper_id)
        .where(or_(*matches), *has_all)
        .group_by(terms.c.paper_id, papers.c.listed_on)
        .order_by(func.sum(terms.c.weight).desc(), papers.c.listed_on.desc(), terms.c.paper_id)
        .limit(limit)
    )
    return list(await connection.scalars(ranked))
