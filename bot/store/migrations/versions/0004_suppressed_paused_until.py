"""Pauses with an end, and the suppression list."""

import sqlalchemy as sa
from alembic import op

from bot.store.schema import Utc

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add `paused_until` to subscribers; create the suppression list."""
    op.create_table(
        "suppressed",
        sa.Column("channel", sa.String(), primary_key=True),
        sa.Column("digest", sa.String(), primary_key=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("since", Utc(), nullable=False),
    )
    op.add_column("subscribers", sa.Column("paused_until", Utc()))
