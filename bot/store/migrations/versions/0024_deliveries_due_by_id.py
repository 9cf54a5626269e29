"""An index that tells apart what is owed at one moment, so that a sender can go on where it was, on PostgreSQL.

Rows that were sent stay in the index until vacuum removes them, which it cannot while any snapshot is held. In a
database with deliveries it was built before, beside those who write (`bot.store.server_upgrade`).
"""

from alembic import op

from bot.store.schema import in_state

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    """Make the new index in place of the old one. SQLite keeps its own, which ends with the id anyway."""
    if op.get_bind().dialect.name == "postgresql":
        op.create_index(
            "ix_deliveries_due", "deliveries", ["channel", "next_at", "id"], if_not_exists=True, **in_state("owed")
        )
        op.drop_index("ix_deliveries_owed", "deliveries")
