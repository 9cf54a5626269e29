"""What delivery needs to survive: halts, refused variants, folded counts."""

import sqlalchemy as sa
from alembic import op

from bot.store.schema import Key, Utc

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add to channels, deliveries and editions; make variants and tallies."""
    op.create_table(
        "tallies",
        sa.Column("edition_id", Key, nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["edition_id"], ["editions.id"], name="fk_tallies_edition_id_editions", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("edition_id", "channel", "state", name="pk_tallies"),
    )
    op.create_table(
        "variants",
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("edition_id", Key, nullable=False),
        sa.Column("choice_id", Key, nullable=False),
        sa.Column("rejections", sa.Integer(), nullable=False),
        sa.Column("fallen", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["choice_id"], ["choices.id"], name="fk_variants_choice_id_choices"),
        sa.ForeignKeyConstraint(
            ["edition_id"], ["editions.id"], name="fk_variants_edition_id_editions", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("channel", "edition_id", "choice_id", name="pk_variants"),
    )
    op.add_column("channels", sa.Column("failures", sa.Integer(), server_default="0", nullable=False))
    op.add_column("channels", sa.Column("in_a_row", sa.Integer(), server_default="0", nullable=False))
    op.add_column("channels", sa.Column("judges", sa.Text(), server_default="", nullable=False))

    op.add_column("deliveries", sa.Column("rejections", sa.Integer(), server_default="0", nullable=False))
    op.create_index(
        "ix_deliveries_unknown",
        "deliveries",
        ["channel", "repeats"],
        sqlite_where=sa.text("state = 'unknown'"),
        postgresql_where=sa.text("state = 'unknown'"),
    )

    op.add_column("editions", sa.Column("ended_at", Utc(), nullable=True))
