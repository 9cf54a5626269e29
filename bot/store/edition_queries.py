"""Editions: stored once when they close, and read back unchanged."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model import Cadence, Edition, Ranked
from bot.store import paper_queries as stored
from bot.store.schema import deliveries, edition_papers, editions, papers
from bot.store.upsert import insert


async def held(connection: AsyncConnection, ids: Sequence[str], cadence: Cadence = Cadence.DAY) -> set[str]:
    """Which of these papers an earlier edition of a cadence holds: no paper comes twice within one cadence."""
    query = (
        select(edition_papers.c.paper_id)
        .join(editions, editions.c.id == edition_papers.c.edition_id)
        .where(editions.c.cadence == cadence, edition_papers.c.paper_id.in_(ids))
    )
    return set(await connection.scalars(query))


async def papers_between(connection: AsyncConnection, first: date, last: date) -> list[str]:
    """The ids of the papers that the day editions from `first` to `last` hold."""
    query = (
        select(edition_papers.c.paper_id)
        .join(editions, editions.c.id == edition_papers.c.edition_id)
        .where(editions.c.cadence == Cadence.DAY, editions.c.day.between(first, last))
        .distinct()
    )
    return list(await connection.scalars(query))


async def add(connection: AsyncConnection, edition: Edition, *, for_readers: bool = True) -> int | None:
    """Store an edition, without an audience yet. Returns its id, or None where that period has one already.

    One that is not `for_readers` was closed so late that it goes to the archive only.
    """
    edition_id = await connection.scalar(
        insert(connection, editions)
        .values(
            cadence=edition.cadence.value,
            day=edition.day,
            closed_at=edition.closed_at,
            complete=edition.complete,
            for_readers=for_readers,
            audience=0,
        )
        .on_conflict_do_nothing()
        .returning(editions.c.id)
    )
    if edition_id is None:
        return None
    await connection.execute(
        edition_papers.insert(),
        [
            {"edition_id": edition_id, "rank": ranked.rank, "paper_id": ranked.paper.id, "votes": ranked.votes}
            for ranked in edition.papers
        ],
    )
    return int(edition_id)


async def count_audience(connection: AsyncConnection, edition_id: int, more: int) -> None:
    """Add to an edition's audience, and reopen it if it was finished."""
    await connection.execute(
        update(editions).where(editions.c.id == edition_id).values(audience=editions.c.audience + more, ended_at=None)
    )


async def get(connection: AsyncConnection, edition_id: int) -> Edition:
    """The edition with this id; not for announcements."""
    return await _load(
        connection, (await connection.execute(select(editions).where(editions.c.id == edition_id))).one()
    )


async def of_day(connection: AsyncConnection, cadence: Cadence, day: date) -> Edition | None:
    """The edition of the period that ends on `day`."""
    query = select(editions).where(editions.c.cadence == cadence, editions.c.day == day)
    row = (await connection.execute(query)).one_or_none()
    return None if row is None else await _load(connection, row)


async def latest(connection: AsyncConnection, cadence: Cadence) -> Edition | None:
    """The newest closed edition."""
    query = select(editions).where(editions.c.cadence == cadence).order_by(editions.c.day.desc()).limit(1)
    row = (await connection.execute(query)).one_or_none()
    return None if row is None else await _load(connection, row)


async def latest_id(connection: AsyncConnection, cadence: Cadence) -> int | None:
    """The newest closed edition's id."""
    query = select(editions.c.id).where(editions.c.cadence == cadence).order_by(editions.c.day.desc()).limit(1)
    edition_id: int | None = await connection.scalar(query)
    return edition_id


async def days(connection: AsyncConnection, cadence: Cadence, *, since: date) -> list[date]:
    """The days after `since` that have an edition."""
    return list(
        await connection.scalars(select(editions.c.day).where(editions.c.cadence == cadence, editions.c.day > since))
    )


async def closed_since(connection: AsyncConnection, since: datetime) -> Sequence[int]:
    """The ids of the editions that closed since then.

    Queries of deliveries take them as values: joined with editions, PostgreSQL would look at every partition.
    """
    return (await connection.scalars(select(editions.c.id).where(editions.c.closed_at >= since))).all()


async def with_deliveries(connection: AsyncConnection, *wanted: ColumnElement[bool]) -> Sequence[int]:
    """The ids of the editions that may still have deliveries, and are `wanted`, the newest first."""
    oldest = await connection.scalar(select(func.min(deliveries.c.edition_id)))
    if oldest is None:
        return []
    query = select(editions.c.id).where(editions.c.id >= oldest, *wanted).order_by(editions.c.id.desc())
    return (await connection.scalars(query)).all()


async def latest_day(connection: AsyncConnection, cadence: Cadence) -> date | None:
    """The newest closed edition's day."""
    day: date | None = await connection.scalar(select(func.max(editions.c.day)).where(editions.c.cadence == cadence))
    return day


async def _load(connection: AsyncConnection, row: Row[Any]) -> Edition:
    query = (
        select(papers, edition_papers.c.rank, edition_papers.c.votes.label("votes_then"))
        .join(edition_papers, edition_papers.c.paper_id == papers.c.id)
        .where(edition_papers.c.edition_id == row.id)
        .order_by(edition_papers.c.rank)
    )
    ranked = tuple(
        Ranked(paper.rank, stored.from_row(paper), paper.votes_then) for paper in await connection.execute(query)
    )
    return Edition(Cadence(row.cadence), row.day, row.closed_at, ranked, complete=row.complete, id=row.id)
