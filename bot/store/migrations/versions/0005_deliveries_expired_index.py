"""An index of expired deliveries, in which each delivery looks for the editions that its reader missed."""

from alembic import op

from bot.store.schema import in_state

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Index expired deliveries by reader."""
    op.create_index("ix_deliveries_expired", "deliveries", ["subscriber_id"], **in_state("expired"))
