"""Subscriptions of shared places: who set them up, and the channel's own preferences."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add `extras` and `set_up_by` to subscribers."""
    op.add_column("subscribers", sa.Column("extras", sa.String(), nullable=False, server_default="{}"))
    op.add_column("subscribers", sa.Column("set_up_by", sa.String()))
