"""Which readers were sent an edition's recording."""

import sqlalchemy as sa
from alembic import op

from bot.store.schema import Key, Utc

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    """Create the table of sent recordings, noted before a recording is sent."""
    op.create_table(
        "sent_recordings",
        sa.Column("edition_id", Key, sa.ForeignKey("editions.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("subscriber_id", Key, sa.ForeignKey("subscribers.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("noted_at", Utc(), nullable=False),
    )
