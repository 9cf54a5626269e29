"""Subscriptions of places that many share: who set them up, and what only their channel can do."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add both to subscribers."""
    op.add_column("subscribers", sa.Column("extras", sa.String(), nullable=False, server_default="{}"))
    op.add_column("subscribers", sa.Column("set_up_by", sa.String()))
