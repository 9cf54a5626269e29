"""Full-text search over stored papers, the same on SQLite and PostgreSQL."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from sqlalchemy import Date, TextClause, bindparam, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.schema import papers
from bot.store.search import spelling
from bot.store.search.index import engine, index, index_missing, rebuild, refresh
from bot.store.search.likeness import related
from bot.store.search.query import Query, paper_id, parse, within

MOST_RANKED = 5_000
"""Matches that are ranked, those with most votes."""

__all__ = [
    "Matches",
    "Order",
    "Search",
    "did_you_mean",
    "index",
    "index_missing",
    "paper_id",
    "rebuild",
    "refresh",
    "related",
    "search",
    "years",
]


class Order(StrEnum):
    """The order in which matches are listed."""

    BEST = "best"
    VOTES = "votes"
    DATE = "date"


ORDERS = {
    Order.VOTES: "d.votes desc, d.listed_on desc, d.paper_id",
    Order.DATE: "d.listed_on desc, d.votes desc, d.paper_id",
}


@dataclass(frozen=True, slots=True)
class Search:
    """A search: the typed query, the order of the matches, a year and a topic to stay within."""

    query: str
    order: Order = Order.BEST
    year: int | None = None
    topic: str = ""


@dataclass(frozen=True, slots=True)
class Matches:
    """The ids of the papers of one page, and how many there are in all."""

    ids: list[str]
    number: int


async def search(connection: AsyncConnection, asked: Search, limit: int, after: int = 0) -> Matches:
    """Find papers.

    Args:
        connection: A transaction.
        asked: What is searched for.
        limit: How many papers of those found are wanted.
        after: How many of them to leave out at the beginning.

    Returns:
        The papers, and the number found.
    """
    wanted = within(parse(asked.query), asked.topic) if asked.topic else parse(asked.query)
    number = await _count(connection, wanted, asked.year)
    if number <= after:
        return Matches([], number)
    dialect, years = engine(connection), _years(asked.year)
    if asked.order is not Order.BEST:
        statement = dialect.ordering(years, ORDERS[asked.order])
    elif number > MOST_RANKED:
        statement = dialect.ranking_some(years)
    else:
        statement = dialect.ranking(years)
    given = _given(dialect.expression(wanted), asked.year) | {"limit": limit, "after": after}
    if ":most" in statement:
        given |= {"most": MOST_RANKED}
    found = await connection.scalars(_prepared(statement, asked.year), given)
    return Matches(list(found), number)


async def years(connection: AsyncConnection) -> list[int]:
    """The years from which there are papers, from the newest to the first."""
    ends = (select(end(papers.c.listed_on)).scalar_subquery() for end in (func.min, func.max))
    first, last = (await connection.execute(select(*ends))).one()
    return [] if first is None else list(range(last.year, first.year - 1, -1))


async def did_you_mean(connection: AsyncConnection, typed: str) -> str | None:
    """The query that somebody may have meant who found nothing; None where there is none that finds something."""
    meant = typed
    for phrase in parse(typed).wanted:
        for term in phrase.terms:
            alone = Query((type(phrase)((term,), phrase.place, phrase.begins and term == phrase.terms[-1]),))
            if not await _count(connection, alone, None) and (better := await spelling.nearest(connection, term)):
                at = meant.casefold().find(term)
                meant = meant if at < 0 else meant[:at] + better + meant[at + len(term) :]
    if meant == typed or not await _count(connection, parse(meant), None):
        return None
    return meant


async def _count(connection: AsyncConnection, query: Query, year: int | None) -> int:
    if not query.wanted:
        return 0
    dialect = engine(connection)
    given = _given(dialect.expression(query), year)
    return int(await connection.scalar(_prepared(dialect.counting(_years(year)), year), given) or 0)


def _years(year: int | None) -> str:
    return "" if year is None else " and d.listed_on between :first and :last"


def _prepared(statement: str, year: int | None) -> TextClause:
    days = [] if year is None else [bindparam("first", type_=Date), bindparam("last", type_=Date)]
    return text(statement).bindparams(*days)


def _given(words: str, year: int | None) -> dict[str, object]:
    days = {} if year is None else {"first": date(year, 1, 1), "last": date(year, 12, 31)}
    return {"words": words, **days}
