"""Circuit breakers of channels, rejected renderings, and counts in place of old deliveries."""

import sqlalchemy as sa
from alembic import op

from bot.store.schema import Key, Utc, in_state

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create variants and tallies; add columns to channels, deliveries and editions."""
    op.create_table(
        "tallies",
        sa.Column("edition_id", Key, sa.ForeignKey("editions.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("channel", sa.String(), primary_key=True),
        sa.Column("state", sa.String(), primary_key=True),
        sa.Column("count", sa.Integer(), nullable=False),
    )
    op.create_table(
        "variants",
        sa.Column("channel", sa.String(), primary_key=True),
        sa.Column("edition_id", Key, sa.ForeignKey("editions.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("choice_id", Key, sa.ForeignKey("choices.id"), primary_key=True),
        sa.Column("rejections", sa.Integer(), nullable=False),
        sa.Column("fallen", sa.Boolean(), nullable=False),
    )
    op.add_column("channels", sa.Column("failures", sa.Integer(), server_default="0", nullable=False))
    op.add_column("channels", sa.Column("in_a_row", sa.Integer(), server_default="0", nullable=False))
    op.add_column("channels", sa.Column("judges", sa.Text(), server_default="", nullable=False))

    op.add_column("deliveries", sa.Column("rejections", sa.Integer(), server_default="0", nullable=False))
    op.create_index("ix_deliveries_unknown", "deliveries", ["channel", "repeats"], **in_state("unknown"))

    op.add_column("editions", sa.Column("ended_at", Utc()))
