"""Reports of wrong summaries, counted per text and model."""

import sqlalchemy as sa
from alembic import op

from bot.store.schema import Utc

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """Create the table of reports, which holds counts and nobody's address."""
    op.create_table(
        "text_reports",
        sa.Column("paper_id", sa.String(), sa.ForeignKey("papers.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("language", sa.String(), primary_key=True),
        sa.Column("style", sa.String(), primary_key=True),
        sa.Column("model", sa.String(), primary_key=True),
        sa.Column("reports", sa.Integer(), nullable=False),
        sa.Column("reported_at", Utc(), nullable=False),
    )
