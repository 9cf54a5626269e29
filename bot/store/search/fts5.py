"""The search index in SQLite: a table of FTS5 (https://sqlite.org/fts5.html), ranked by bm25.

Its tokeniser `ascii` takes every character beyond ASCII as part of a word, so that our terms stay as they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.search.query import Phrase, Place, Query
from bot.store.search.terms import FIELDS

COLUMNS = {
    Place.ANYWHERE: "",
    Place.AUTHOR: "authors : ",
    Place.ORGANISATION: "organisation : ",
    Place.KEYWORD: "keywords : ",
}
WEIGHTS = "8, 4, 2, 2, 1, 1"
"""Of the fields, in their order."""
PUT = text(
    f"insert into search_words (rowid, {', '.join(FIELDS)}) values (:number, {', '.join(f':{f}' for f in FIELDS)})"  # noqa: S608 - names from above
)
FROM = "from search_words join search_documents d on d.number = search_words.rowid where search_words match :words"
ALONE = "from search_words where search_words match :words"
"""The same where no other table is needed."""
HAVING = f"select search_words.rowid {ALONE} order by search_words.rowid desc limit :most"
"""The numbers of the newest matches."""
SCORE = f"bm25(search_words, {WEIGHTS})"


def expression(query: Query) -> str:
    """A query in the language of FTS5."""
    wanted = " AND ".join(map(_phrase, query.wanted))
    return "".join([f"({wanted})", *(f" NOT {_phrase(each)}" for each in query.unwanted)])


def _phrase(phrase: Phrase) -> str:
    return f'{COLUMNS[phrase.place]}"{" ".join(phrase.terms)}"{" *" if phrase.begins else ""}'


def counting(years: str) -> str:
    """The statement that counts matches; `years` is a condition on `d`, or nothing."""
    return f"select count(*) {FROM}{years}" if years else f"select count(*) {ALONE}"


def ranking(years: str) -> str:
    """The statement that ranks all matches, the best first."""
    return _ranked(f"{FROM}{years}" if years else ALONE)


def ranking_some(years: str) -> str:
    """The statement that ranks the `:most` most voted matches alone."""
    voted = f"select d.number {FROM}{years} order by d.votes desc, d.number desc limit :most"
    # The plus keeps SQLite from asking FTS5 again for each of those rows.
    ranked = _ranked(f"{ALONE} and +search_words.rowid in (select number from voted)")  # noqa: S608 - ours
    return f"with voted as materialized ({voted}) {ranked}"


def ordering(years: str, order: str) -> str:
    """The statement that lists all matches in an order of `d`'s columns."""
    return f"select d.paper_id {FROM}{years} order by {order} limit :limit offset :after"


def _ranked(source: str) -> str:
    """The statement that ranks rows: of equal ones the newer, and only those wanted are looked up."""
    ranked = f"select search_words.rowid as number, {SCORE} as score {source} order by score, number desc"
    return (
        f"select d.paper_id from ({ranked} limit :limit offset :after) ranked "  # noqa: S608 - ours
        "join search_documents d on d.number = ranked.number order by ranked.score, ranked.number desc"
    )


async def put(connection: AsyncConnection, found: Mapping[int, Mapping[str, Sequence[str]]]) -> None:
    """Index the fields of documents, in place of what was indexed of them."""
    rows = [{"number": number, **{name: " ".join(each[name]) for name in FIELDS}} for number, each in found.items()]
    await connection.execute(text("delete from search_words where rowid = :number"), rows)
    await connection.execute(PUT, rows)


async def clear(connection: AsyncConnection) -> None:
    """Empty the index."""
    await connection.execute(text("delete from search_words"))
