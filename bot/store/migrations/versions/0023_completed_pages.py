"""Which pages of sites were written again for late pictures and recordings."""

import sqlalchemy as sa
from alembic import op

from bot.store.schema import Key, Utc

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    """Create the table of pages that are complete."""
    op.create_table(
        "completed_pages",
        sa.Column("edition_id", Key, sa.ForeignKey("editions.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("subscriber_id", Key, sa.ForeignKey("subscribers.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("noted_at", Utc(), nullable=False),
    )
