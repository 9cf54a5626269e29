"""Announcements by operators, drafts included."""

import sqlalchemy as sa
from alembic import op

from bot.store.schema import Key, Utc

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "announcements",
        sa.Column("key", sa.String(), primary_key=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("channel", sa.String()),
        sa.Column("author", sa.String()),
        sa.Column("written_at", Utc(), nullable=False),
        sa.Column("edition_id", Key, sa.ForeignKey("editions.id")),
        sa.UniqueConstraint("edition_id"),
    )
