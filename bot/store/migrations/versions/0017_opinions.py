"""A second model's opinions of sentences, so that each sentence is asked about once."""

import sqlalchemy as sa
from alembic import op

from bot.store.schema import Utc

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Create the table of opinions, which stays empty where no second model is set up."""
    op.create_table(
        "opinions",
        sa.Column("sentence", sa.String(), primary_key=True),
        sa.Column("source", sa.String(), primary_key=True),
        sa.Column("model", sa.String(), primary_key=True),
        sa.Column("follows", sa.Boolean(), nullable=False),
        sa.Column("asked_at", Utc(), nullable=False, index=True),
    )
