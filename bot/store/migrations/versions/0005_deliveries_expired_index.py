"""Who missed what: looked for with every delivery, so that the next message can name it."""

from alembic import op

from bot.store.schema import in_state

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Index what expired, by reader; it is little."""
    op.create_index("ix_deliveries_expired", "deliveries", ["subscriber_id"], **in_state("expired"))
