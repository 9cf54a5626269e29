"""Texts that a language model writes, and editions that go to the archive only."""

import sqlalchemy as sa
from alembic import op

from bot.store.schema import Utc

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Create the table of texts; add `for_readers` to editions."""
    op.add_column("editions", sa.Column("for_readers", sa.Boolean(), server_default=sa.true(), nullable=False))
    op.create_table(
        "texts",
        sa.Column("paper_id", sa.String(), sa.ForeignKey("papers.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("language", sa.String(), primary_key=True),
        sa.Column("style", sa.String(), primary_key=True),
        sa.Column("model", sa.String(), primary_key=True),
        sa.Column("prompt", sa.String(), primary_key=True),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("parts", sa.JSON(), nullable=False),
        sa.Column("faults", sa.JSON(), nullable=False),
        sa.Column("tokens", sa.Integer(), nullable=False),
        sa.Column("written_at", Utc(), nullable=False),
    )
    op.create_index("ix_texts_written_at", "texts", ["written_at"])
