"""Leases in the place of advisory locks, on PostgreSQL."""

import sqlalchemy as sa
from alembic import op

from bot.store.schema import Utc

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    """Create the table of leases, and delete the marks of advisory locks."""
    op.create_table(
        "leases",
        sa.Column("role", sa.String(), primary_key=True),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("process", sa.Text(), nullable=False),
        sa.Column("taken_at", Utc(), nullable=False),
        sa.Column("ends_at", Utc(), nullable=False),
        sa.Column("takeovers", sa.Integer(), nullable=False),
        sa.UniqueConstraint("role", "number"),
    )
    op.execute("delete from system_state where key like 'lock:%'")
