"""Papers: stored by id, refreshed with every poll, found by day or id."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, case, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model import Found, Media, MediaKind, Paper
from bot.store import search
from bot.store.schema import papers
from bot.store.upsert import insert

BATCH = 200  # ids in one statement
FIELDS = tuple(each.name for each in fields(Paper))
"""The fields of a paper; each has a column of its name."""

# A paper keeps the words it first came with, so that an edition reads the same in every rendering; missing words may
# still be added. Votes, comments and links follow the feed.
WORDS = ("title", "abstract", "authors", "published")
LATE_WORDS = ("sentence", "organisation")
LISTING = ("listed_on", "listed_at", "position")

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
    # Lists may be read in any order, days late; the newest listing that stands counts (docs/feed.md, "Papers").
    older = and_(papers.c.listed, papers.c.listed_at > new.listed_at)
    refreshed |= {name: case((older, papers.c[name]), else_=new[name]) for name in LISTING}
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


async def ids_between(connection: AsyncConnection, first: date, last: date, limit: int) -> list[str]:
    """The ids of the papers whose list day is from `first` to `last`, those with most votes first."""
    query = select(papers.c.id).where(papers.c.listed_on.between(first, last))
    votes = func.coalesce(papers.c.votes, 0)
    return list(await connection.scalars(query.order_by(votes.desc(), papers.c.id).limit(limit)))


async def first_day(connection: AsyncConnection) -> date | None:
    """The first list day of which there are papers; None if there are none."""
    day: date | None = await connection.scalar(select(func.min(papers.c.listed_on)))
    return day


async def by_ids(connection: AsyncConnection, ids: Sequence[str]) -> list[Paper]:
    """The papers with these ids, in the order of `ids`; unknown ones are left out."""
    found: dict[str, Paper] = {}
    for batch in _batches(ids):
        for paper in await _all(connection, select(papers).where(papers.c.id.in_(batch))):
            found[paper.id] = paper
    return [found[paper_id] for paper_id in ids if paper_id in found]


def from_row(row: Row[Any]) -> Paper:
    """The paper in a row of `papers`."""
    values = {name: getattr(row, name) for name in FIELDS}
    lists = {"authors": tuple(row.authors), "keywords": tuple(row.keywords)}
    media = tuple(Media(MediaKind(kind), url) for kind, url in row.media)
    return Paper(**values | lists | {"media": media})


def _reworded(before: Row[Any], paper: Paper) -> bool:
    return (before.organisation is None and paper.organisation is not None) or before.keywords != list(paper.keywords)


def _voted(before: Row[Any], paper: Paper) -> bool:
    return (before.votes, before.listed_on) != (paper.votes, paper.listed_on)


def _row(paper: Paper) -> dict[str, object]:
    values = {name: getattr(paper, name) for name in FIELDS}
    return values | {"media": [[file.kind.value, file.url] for file in paper.media], "listed": True}


async def _all(connection: AsyncConnection, query: Select[Any]) -> list[Paper]:
    return [from_row(row) for row in await connection.execute(query)]


def _batches(ids: Sequence[str]) -> Iterable[Sequence[str]]:
    return (ids[start : start + BATCH] for start in range(0, len(ids), BATCH))
