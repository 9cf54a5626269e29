"""The archive of editions: lists by year, neighbours of an edition, editions that hold a paper."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import and_, extract, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model import Cadence
from bot.rules.periods import LONGER, period_of
from bot.store.schema import edition_papers, editions, papers

CADENCES = tuple(cadence.value for cadence in Cadence)
"""The archive holds no announcements, although they are stored as editions."""
SHORTER = {Cadence.WEEK: Cadence.DAY, Cadence.MONTH: Cadence.WEEK}
"""The cadence whose editions an edition is looked through by."""


@dataclass(frozen=True, slots=True)
class ArchiveEntry:
    """An edition in a list: its period, its number of papers, the title of the first."""

    cadence: Cadence
    day: date
    papers: int
    first_title: str = ""


async def neighbours(connection: AsyncConnection, cadence: Cadence, day: date) -> tuple[date | None, date | None]:
    """The days of the editions before and after `day` in a cadence, None where there is none."""
    days = select(func.max(editions.c.day)).where(editions.c.cadence == cadence, editions.c.day < day)
    later = select(func.min(editions.c.day)).where(editions.c.cadence == cadence, editions.c.day > day)
    return await connection.scalar(days), await connection.scalar(later)


async def around(connection: AsyncConnection, cadence: Cadence, day: date) -> list[tuple[Cadence, date]]:
    """The editions above and below one: the week and month of a day, the days of a week, the weeks of a month.

    Longer periods come first, then the earliest; `day` is the last of the edition's period.
    """
    conditions = [
        and_(editions.c.cadence == longer, editions.c.day == period_of(longer, day).last)
        for longer in LONGER[LONGER.index(cadence) + 1 if cadence in LONGER else 0 :]
    ]
    if cadence in SHORTER:
        first = period_of(cadence, day).first
        conditions.append(and_(editions.c.cadence == SHORTER[cadence], editions.c.day.between(first, day)))
    query = select(editions.c.cadence, editions.c.day).where(or_(*conditions))
    found = [(Cadence(cadence), day) for cadence, day in await connection.execute(query)]
    order = list(Cadence)
    return sorted(found, key=lambda each: (order.index(each[0]) <= order.index(cadence), order.index(each[0]), each[1]))


async def years(connection: AsyncConnection) -> list[int]:
    """The years from the newest edition back to the first."""
    bounds = select(func.min(editions.c.day), func.max(editions.c.day)).where(editions.c.cadence.in_(CADENCES))
    first, last = (await connection.execute(bounds)).one()
    return [] if last is None else list(range(last.year, first.year - 1, -1))


async def of_year(connection: AsyncConnection, year: int) -> list[ArchiveEntry]:
    """The editions whose period ends in a year, the newest first."""
    held, first = func.count(edition_papers.c.rank), edition_papers.alias("first")
    query = (
        select(editions.c.cadence, editions.c.day, held.label("papers"), func.max(papers.c.title).label("first_title"))
        .outerjoin(edition_papers, edition_papers.c.edition_id == editions.c.id)
        .outerjoin(first, and_(first.c.edition_id == editions.c.id, first.c.rank == 1))
        .outerjoin(papers, papers.c.id == first.c.paper_id)
        .where(extract("year", editions.c.day) == year, editions.c.cadence.in_(CADENCES))
        .group_by(editions.c.id, editions.c.cadence, editions.c.day)
        .order_by(editions.c.day.desc(), editions.c.cadence)
    )
    return [
        ArchiveEntry(Cadence(row.cadence), row.day, row.papers, row.first_title or "")
        for row in await connection.execute(query)
    ]


async def newest(connection: AsyncConnection, cadence: Cadence, limit: int) -> Sequence[int]:
    """The ids of the newest editions of a cadence, the newest first."""
    query = select(editions.c.id).where(editions.c.cadence == cadence).order_by(editions.c.day.desc()).limit(limit)
    return list(await connection.scalars(query))


async def holding(connection: AsyncConnection, paper_id: str) -> list[tuple[Cadence, date]]:
    """The editions that hold a paper, the earliest first."""
    query = (
        select(editions.c.cadence, editions.c.day)
        .join(edition_papers, edition_papers.c.edition_id == editions.c.id)
        .where(edition_papers.c.paper_id == paper_id)
        .order_by(editions.c.day, editions.c.cadence)
    )
    return [(Cadence(cadence), day) for cadence, day in await connection.execute(query)]


async def months(connection: AsyncConnection) -> dict[date, datetime | None]:
    """The first day of each month that has papers or editions, the newest first, and when its last edition closed."""
    found: dict[date, datetime | None] = {}
    for day in await connection.scalars(select(papers.c.listed_on).distinct()):
        found[day.replace(day=1)] = None
    closed = select(editions.c.day, editions.c.closed_at).where(editions.c.cadence.in_(CADENCES))
    for day, at in await connection.execute(closed):
        known = found.get(day.replace(day=1))
        found[day.replace(day=1)] = at if known is None else max(known, at)
    return dict(sorted(found.items(), reverse=True))


async def between(connection: AsyncConnection, first: date, last: date) -> list[tuple[Cadence, date, datetime]]:
    """The editions whose period ends from `first` to `last`, the earliest first, and when each closed."""
    query = (
        select(editions.c.cadence, editions.c.day, editions.c.closed_at)
        .where(editions.c.day.between(first, last), editions.c.cadence.in_(CADENCES))
        .order_by(editions.c.day, editions.c.cadence)
    )
    return [(Cadence(cadence), day, at) for cadence, day, at in await connection.execute(query)]


async def beside(connection: AsyncConnection, paper_id: str) -> tuple[tuple[str, str] | None, tuple[str, str] | None]:
    """The papers before and after one in the newest day edition that holds it, each by id and title."""
    held = (
        select(edition_papers.c.edition_id, edition_papers.c.rank)
        .join(editions, editions.c.id == edition_papers.c.edition_id)
        .where(edition_papers.c.paper_id == paper_id, editions.c.cadence == Cadence.DAY)
        .order_by(editions.c.day.desc())
        .limit(1)
    )
    own = (await connection.execute(held)).one_or_none()
    if own is None:
        return None, None
    query = (
        select(edition_papers.c.rank, papers.c.id, papers.c.title)
        .join(papers, papers.c.id == edition_papers.c.paper_id)
        .where(edition_papers.c.edition_id == own.edition_id, edition_papers.c.rank.in_((own.rank - 1, own.rank + 1)))
    )
    found = {row.rank: (row.id, row.title) for row in await connection.execute(query)}
    return found.get(own.rank - 1), found.get(own.rank + 1)
