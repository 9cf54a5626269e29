"""The search index becomes the database's own: FTS5 in SQLite, tsvector in PostgreSQL. It is filled afterwards.

Other processes must not be running: they would add to the index that was (see bot.store.upgrade).
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TSVECTOR

from bot.store.schema import Code, Key

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Make the tables, and drop the index of our own."""
    op.drop_table("terms")
    op.create_table(
        "search_documents",
        sa.Column("number", Key, nullable=False, autoincrement=False),
        sa.Column("paper_id", sa.String(), nullable=False),
        sa.Column("votes", sa.Integer(), nullable=False),
        sa.Column("listed_on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(
            ["paper_id"], ["papers.id"], name="fk_search_documents_paper_id_papers", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("number", name="pk_search_documents"),
    )
    op.create_table(
        "search_trigrams",
        sa.Column("trigram", Code, nullable=False),
        sa.Column("term", Code, nullable=False),
        sa.PrimaryKeyConstraint("trigram", "term", name="pk_search_trigrams"),
        sqlite_with_rowid=False,
    )
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "create virtual table search_words using fts5"
            "(title, keywords, organisation, authors, abstract, texts, tokenize='ascii')"
        )
    else:
        op.add_column("search_documents", sa.Column("words", TSVECTOR()))
        op.create_index("ix_search_documents_words", "search_documents", ["words"], postgresql_using="gin")
