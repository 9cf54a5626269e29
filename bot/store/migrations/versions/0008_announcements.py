"""Announcements: what operators say to their readers, from the draft on."""

import sqlalchemy as sa
from alembic import op

from bot.store.schema import Key, Utc

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "announcements",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("channel", sa.String(), nullable=True),
        sa.Column("author", sa.String(), nullable=True),
        sa.Column("written_at", Utc(), nullable=False),
        sa.Column("edition_id", Key, nullable=True),
        sa.ForeignKeyConstraint(["edition_id"], ["editions.id"], name="fk_announcements_edition_id_editions"),
        sa.PrimaryKeyConstraint("key", name="pk_announcements"),
        sa.UniqueConstraint("edition_id", name="uq_announcements_edition_id"),
    )
