"""Who missed what: looked for with every delivery, so that the next message can name it."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Index what expired, by reader; it is little."""
    op.create_index(
        "ix_deliveries_expired",
        "deliveries",
        ["subscriber_id"],
        sqlite_where=sa.text("state = 'expired'"),
        postgresql_where=sa.text("state = 'expired'"),
    )
