"""Unread days: list days that the feed did not give although it gave others."""

import sqlalchemy as sa
from alembic import op

from bot.store.schema import Utc

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "unread_days",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("failing_since", Utc(), nullable=False),
        sa.Column("tried_at", Utc(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("read_at", Utc(), nullable=True),
        sa.Column("told", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.PrimaryKeyConstraint("day", name="pk_unread_days"),
    )
