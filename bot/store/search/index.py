"""Keeps the search index as the papers and their texts are: both databases' behind one function."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from types import ModuleType

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.schema import papers
from bot.store.search import fts5, spelling, tsvector
from bot.store.search.search_tables import search_documents, search_trigrams
from bot.store.search.terms import fields
from bot.store.text_tables import ACCEPTED, texts
from bot.store.upsert import insert

BATCH = 200
"""Papers in memory at a time."""
SPELT = ("title", "keywords", "organisation", "authors")
"""Fields whose terms misspelt words are corrected to."""


def engine(connection: AsyncConnection) -> ModuleType:
    """The module that knows this database's index."""
    return fts5 if connection.dialect.name == "sqlite" else tsvector


async def index(connection: AsyncConnection, paper_ids: Sequence[str]) -> None:
    """Index papers as they are stored, with the texts about them."""
    for start in range(0, len(paper_ids), BATCH):
        batch = paper_ids[start : start + BATCH]
        written = defaultdict(list)
        accepted = select(texts.c.paper_id, texts.c.parts).where(
            texts.c.paper_id.in_(batch), texts.c.verdict == ACCEPTED
        )
        for row in await connection.execute(accepted.order_by(texts.c.language, texts.c.style, texts.c.written_at)):
            written[row.paper_id].append(row.parts)
        stored = (await connection.execute(select(papers).where(papers.c.id.in_(batch)))).all()
        if not stored:
            continue
        await refresh(connection, [(row.id, row.votes, row.listed_on) for row in stored])
        found = {number_of(row.id): fields(row, written[row.id]) for row in stored}
        await engine(connection).put(connection, found)
        await spelling.learn(connection, (term for each in found.values() for name in SPELT for term in each[name]))


async def refresh(connection: AsyncConnection, changed: Sequence[tuple[str, int | None, object]]) -> None:
    """Take note of the votes and list days of papers: id, votes, day."""
    rows = [
        {"number": number_of(paper_id), "paper_id": paper_id, "votes": votes or 0, "listed_on": day}
        for paper_id, votes, day in changed
    ]
    if rows:
        statement = insert(connection, search_documents)
        newer = {"votes": statement.excluded.votes, "listed_on": statement.excluded.listed_on}
        await connection.execute(statement.on_conflict_do_update(index_elements=["number"], set_=newer), rows)


async def rebuild(connection: AsyncConnection) -> None:
    """Rebuild the whole index from what is stored."""
    await engine(connection).clear(connection)
    await connection.execute(delete(search_documents))
    await connection.execute(delete(search_trigrams))
    await index_missing(connection)


async def index_missing(connection: AsyncConnection) -> None:
    """Index the papers that the index lacks."""
    with_index = papers.outerjoin(search_documents, search_documents.c.paper_id == papers.c.id)
    missing = select(papers.c.id).select_from(with_index).where(search_documents.c.paper_id.is_(None))
    await index(connection, list(await connection.scalars(missing.order_by(papers.c.id))))


def number_of(paper_id: str) -> int:
    """A paper's number in the index: its arXiv id's month and number, which has four digits before 2015."""
    month, _, number = paper_id.partition(".")
    return int(month) * 100_000 + int(number)
