"""Papers: stored by id, refreshed with every poll, found by day or id."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model import Found, Media, MediaKind, Paper
from bot.store import search
from bot.store.schema import papers
from bot.store.upsert import insert

BATCH = 200

# A paper keeps the words it first came with, so that an edition reads the same in every rendering; missing words may
# still be added. Votes, comments and links follow the feed.
WORDS = ("title", "abstract", "authors", "published")
LATE_WORDS = ("sentence", "organisation")

COMPARED = tuple(papers.c[name] for name in ("id", "organisation", "keywords", "votes", "listed_on"))
"""What the search index has of a paper that a poll may change."""


async def keep(connection: AsyncConnection, found: Found) -> int:
    """Store what a poll found. Returns the number of new papers.

    A paper that is missing from a list read to its end is no longer listed. An empty list is taken as a fault of the
    feed, and changes nothing.
    """
    ids = [paper.id for paper in found.papers]
    known: dict[str, Row[Any]] = {}
    for batch in _batches(ids):
        known |= {row.id: row for row in await connection.execute(select(*COMPARED).where(papers.c.id.in_(batch)))}
    statement = insert(connection, papers)
    new = statement.excluded
    refreshed: dict[str, ColumnElement[Any]] = {
        column.name: new[column.name] for column in papers.c if column.name not in {"id", *WORDS}
    }
    refreshed |= {name: func.coalesce(papers.c[name], new[name]) for name in LATE_WORDS}
    if found.papers:
        await connection.execute(
            statement.on_conflict_do_update(index_elements=["id"], set_=refreshed),
            [_row(paper) for paper in found.papers],
        )
    new_ids = set(ids) - known.keys()
    reworded = [each.id for each in found.papers if each.id in new_ids or _reworded(known[each.id], each)]
    await search.index(connection, list(dict.fromkeys(reworded)))
    voted = [each for each in found.papers if each.id in known and _voted(known[each.id], each)]
    await search.refresh(connection, [(each.id, each.votes, each.listed_on) for each in voted])
    for day in found.days & {paper.listed_on for paper in found.papers}:
        present = [paper.id for paper in found.papers if paper.listed_on == day]
        await connection.execute(
            update(papers)
            .where(papers.c.listed_on == day, papers.c.listed, papers.c.id.not_in(present))
            .values(listed=False)
        )
    return len(new_ids)


async def listed(connection: AsyncConnection, first: date, last: date) -> list[Paper]:
    """Papers still listed whose list day is from `first` to `last`, in no particular order."""
    return await _all(connection, select(papers).where(papers.c.listed, papers.c.listed_on.between(first, last)))


async def by_ids(connection: AsyncConnection, ids: Sequence[str]) -> list[Paper]:
    """The papers with these ids, in the order of `ids`; unknown ones are left out."""
    found: dict[str, Paper] = {}
    for batch in _batches(ids):
        for paper in await _all(connection, select(papers).where(papers.c.id.in_(batch))):
            found[paper.id] = paper
    return [found[paper_id] for paper_id in ids if paper_id in found]


def from_row(row: Row[Any]) -> Paper:
    """The paper in a row of `papers`."""
    return Paper(
        id=row.id,
        title=row.title,
        abstract=row.abstract,
        listed_on=row.listed_on,
        listed_at=row.listed_at,
        position=row.position,
        votes=row.votes,
        comments=row.comments,
        sentence=row.sentence,
        authors=tuple(row.authors),
        organisation=row.organisation,
        keywords=tuple(row.keywords),
        published=row.published,
        code=row.code,
        stars=row.stars,
        project=row.project,
        thumbnail=row.thumbnail,
        media=tuple(Media(MediaKind(kind), url) for kind, url in row.media),
    )


def _reworded(before: Row[Any], paper: Paper) -> bool:
    return (before.organisation is None and paper.organisation is not None) or before.keywords != list(paper.keywords)


def _voted(before: Row[Any], paper: Paper) -> bool:
    return (before.votes, before.listed_on) != (paper.votes, paper.listed_on)


def _row(paper: Paper) -> dict[str, object]:
    return {
        "id": paper.id,
        "title": paper.title,
        "abstract": paper.abstract,
        "sentence": paper.sentence,
        "authors": list(paper.authors),
        "organisation": paper.organisation,
        "keywords": list(paper.keywords),
        "published": paper.published,
        "listed_on": paper.listed_on,
        "listed_at": paper.listed_at,
        "listed": True,
        "position": paper.position,
        "votes": paper.votes,
        "comments": paper.comments,
        "code": paper.code,
        "stars": paper.stars,
        "project": paper.project,
        "thumbnail": paper.thumbnail,
        "media": [[file.kind.value, file.url] for file in paper.media],
    }


async def _all(connection: AsyncConnection, query: Select[Any]) -> list[Paper]:
    return [from_row(row) for row in await connection.execute(query)]


def _batches(ids: Sequence[str]) -> Iterable[Sequence[str]]:
    return (ids[start : start + BATCH] for start in range(0, len(ids), BATCH))
