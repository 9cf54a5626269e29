"""Leases of texts, so that two writers never pay for the same one."""

import sqlalchemy as sa
from alembic import op

from bot.store.schema import Utc

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Create the table of leases, which is empty while nothing is written."""
    op.create_table(
        "text_leases",
        sa.Column("paper_id", sa.String(), sa.ForeignKey("papers.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("language", sa.String(), primary_key=True),
        sa.Column("style", sa.String(), primary_key=True),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("ends_at", Utc(), nullable=False),
    )
