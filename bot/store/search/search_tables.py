"""The tables of the search index, beside those of `bot.store.schema`."""

from __future__ import annotations

from sqlalchemy import Column, Date, ForeignKey, Integer, Table

from bot.store.schema import DERIVED, Code, Key, metadata

search_documents = Table(
    "search_documents",
    metadata,
    Column("number", Key, primary_key=True, autoincrement=False),
    Column("paper_id", ForeignKey("papers.id", ondelete="CASCADE"), nullable=False),
    Column("votes", Integer, nullable=False),
    Column("listed_on", Date, nullable=False),
    info={DERIVED: True},
)
"""What the search index knows of each paper. Its words are in FTS5's table `search_words`, or here as a tsvector."""

search_trigrams = Table(
    "search_trigrams",
    metadata,
    Column("trigram", Code, primary_key=True),
    Column("term", Code, primary_key=True),
    sqlite_with_rowid=False,
    info={DERIVED: True},
)
"""The trigrams of terms that a misspelt word may be corrected to."""
