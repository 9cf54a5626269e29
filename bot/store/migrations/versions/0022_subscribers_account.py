"""The account that reaches a subscriber, where a channel has several."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    """Add the column, empty for all: existing subscribers belong to the channel's first account."""
    op.add_column("subscribers", sa.Column("account", sa.String()))
