"""Texts that a language model writes; editions that nobody was meant to get."""

import sqlalchemy as sa
from alembic import op

from bot.store.schema import Utc

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Make the table of texts; know editions that went to the archive alone."""
    op.add_column("editions", sa.Column("for_readers", sa.Boolean(), server_default=sa.true(), nullable=False))
    op.create_table(
        "texts",
        sa.Column("paper_id", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("style", sa.String(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("prompt", sa.String(), nullable=False),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("parts", sa.JSON(), nullable=False),
        sa.Column("faults", sa.JSON(), nullable=False),
        sa.Column("tokens", sa.Integer(), nullable=False),
        sa.Column("written_at", Utc(), nullable=False),
        sa.ForeignKeyConstraint(["paper_id"], ["papers.id"], name="fk_texts_paper_id_papers", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("paper_id", "language", "style", "model", "prompt", name="pk_texts"),
    )
    op.create_index("ix_texts_written_at", "texts", ["written_at"])
