"""The search index in PostgreSQL: a tsvector beside each document, with a GIN index, ranked by ts_rank.

The vectors are made of our terms directly (https://www.postgresql.org/docs/current/datatype-textsearch.html), which
is what the configuration `simple` would do with them. Terms of authors and organisations are there a second time with
the name of their place in front; those of keywords have a label of their own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.search.query import Phrase, Place, Query
from bot.store.search.terms import FIELDS

LABELS = {"title": "A", "keywords": "B", "organisation": "C", "authors": "C", "abstract": "D", "texts": "D"}
PLACES = {"organisation": Place.ORGANISATION, "authors": Place.AUTHOR}
WEIGHTS = "'{0.125, 0.25, 0.5, 1}'"
"""Of the labels D to A."""
FROM = "from search_documents d where d.words @@ cast(:words as tsquery)"
HAVING = f"select d.number {FROM} order by d.number desc limit :most"
"""The numbers of the newest matches."""
PUT = text("update search_documents set words = cast(:words as tsvector) where number = :number")
BEST = f"order by ts_rank({WEIGHTS}, words, cast(:words as tsquery)) desc, number desc limit :limit offset :after"


def expression(query: Query) -> str:
    """A query in the language of tsquery."""
    return " & ".join([*map(_phrase, query.wanted), *(f"!({_phrase(each)})" for each in query.unwanted)])


def _phrase(phrase: Phrase) -> str:
    place = f"{phrase.place}:" if phrase.place in PLACES.values() else ""
    label = LABELS["keywords"] if phrase.place is Place.KEYWORD else ""
    *terms, last = (f"'{place}{term}'" for term in phrase.terms)
    ends = f"{'*' if phrase.begins else ''}{label}"
    found = [*(f"{term}:{label}" if label else term for term in terms), f"{last}:{ends}" if ends else last]
    return f"({' <-> '.join(found)})"


def counting(years: str) -> str:
    """The statement that counts matches; `years` is a condition on `d`, or nothing."""
    return f"select count(*) {FROM}{years}"


def ranking(years: str) -> str:
    """The statement that ranks all matches, the best first."""
    return f"select d.paper_id {FROM}{years} {BEST}"


def ranking_some(years: str) -> str:
    """The statement that ranks the `:most` most voted matches alone."""
    voted = f"select d.* {FROM}{years} order by d.votes desc, d.number desc limit :most"
    return f"select paper_id from ({voted}) voted {BEST}"  # noqa: S608 - ours


def ordering(years: str, order: str) -> str:
    """The statement that lists all matches in an order of `d`'s columns."""
    return f"select d.paper_id {FROM}{years} order by {order} limit :limit offset :after"


async def put(connection: AsyncConnection, found: Mapping[int, Mapping[str, Sequence[str]]]) -> None:
    """Index the fields of documents, in place of what was indexed of them."""
    await connection.execute(PUT, [{"number": number, "words": vector(each)} for number, each in found.items()])


def vector(fields: Mapping[str, Sequence[str]]) -> str:
    """The tsvector of a document, as it is written. A gap between two fields keeps phrases from spanning them."""
    positions: dict[str, list[str]] = {}
    position = 0
    for name in FIELDS:
        place = PLACES.get(name)
        for term in fields[name]:
            position += 1
            for each in (term,) if place is None else (term, f"{place}:{term}"):
                positions.setdefault(each, []).append(f"{position}{LABELS[name]}")
        position += 1
    return " ".join(f"'{term}':{','.join(places)}" for term, places in positions.items())


async def clear(connection: AsyncConnection) -> None:
    """Empty the index: the vectors go with their documents."""
