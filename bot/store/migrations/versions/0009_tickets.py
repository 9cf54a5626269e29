"""One-time tokens that are mailed as links, and browser sessions."""

import sqlalchemy as sa
from alembic import op

from bot.store.schema import Key, Utc

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "tickets",
        sa.Column("digest", sa.String(), primary_key=True),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("whose", sa.String(), nullable=False),
        sa.Column("subscriber_id", Key, sa.ForeignKey("subscribers.id", ondelete="CASCADE")),
        sa.Column("says", sa.Text(), nullable=False),
        sa.Column("made_at", Utc(), nullable=False),
        sa.Column("expires_at", Utc(), nullable=False),
        sa.Column("used_at", Utc()),
    )
    op.create_index("ix_tickets_whose_made_at", "tickets", ["whose", "made_at"])
    op.create_index("ix_tickets_expires_at", "tickets", ["expires_at"])
    op.create_index("ix_tickets_subscriber_id", "tickets", ["subscriber_id"])
