"""When a reader who unsubscribed or is gone was seen to have left, from which their row has a term."""

import sqlalchemy as sa
from alembic import op

from bot.store.schema import Utc

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Add the column; for those who left before, the term begins with the next housekeeping."""
    op.add_column("subscribers", sa.Column("left_at", Utc()))
