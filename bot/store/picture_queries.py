"""Queries for pictures of editions and sitemaps: topics of some days, and the number of papers of each day."""

from __future__ import annotations

from datetime import date

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.schema import papers


async def keywords_between(connection: AsyncConnection, first: date, last: date) -> list[list[str]]:
    """The keywords of each paper that is listed on a day from `first` to `last`."""
    query = select(papers.c.keywords).where(papers.c.listed, papers.c.listed_on.between(first, last))
    return [list(row.keywords) for row in await connection.execute(query)]


async def topics_since(connection: AsyncConnection, first: date) -> list[tuple[list[str], str | None]]:
    """The keywords and the organisation of each paper that is listed on a day from `first` on, the newest first."""
    query = (
        select(papers.c.keywords, papers.c.organisation)
        .where(papers.c.listed, papers.c.listed_on >= first)
        .order_by(papers.c.listed_on.desc())
    )
    return [(list(row.keywords), row.organisation) for row in await connection.execute(query)]


async def papers_a_day(connection: AsyncConnection, first: date, last: date) -> dict[date, int]:
    """How many papers are listed on each day from `first` to `last`; days without any are left out."""
    query = (
        select(papers.c.listed_on, func.count().label("papers"))
        .where(papers.c.listed, papers.c.listed_on.between(first, last))
        .group_by(papers.c.listed_on)
    )
    return {row.listed_on: row.papers for row in await connection.execute(query)}
