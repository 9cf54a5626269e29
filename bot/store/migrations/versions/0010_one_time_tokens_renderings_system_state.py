"""Rename tables and columns to the names that the field uses; every row is kept.

Other processes must not be running: they would ask for tables by their old names (see bot.store.upgrade).
"""

import sqlalchemy as sa
from alembic import op

from bot.store.schema import Key, Utc

revision = "0010"
down_revision = "0009"

TABLES = {
    "tickets": "one_time_tokens",
    "variants": "renderings",
    "tallies": "delivery_counts",
    "facts": "system_state",
    "memory": "channel_memory",
    "suppressed": "suppression_list",
}
"""Old and new names of tables. No other table refers to these six."""
COLUMNS = {"address_digest": "whose", "payload": "says", "fell_back": "fallen"}
"""Old names of columns, by the new ones."""


def upgrade() -> None:
    """Create the new tables, copy the rows, drop the old tables; SQLite cannot rename constraints in place."""
    _make_tables()
    for old, new in TABLES.items():
        names = [each["name"] for each in sa.inspect(op.get_bind()).get_columns(new)]
        ours, theirs = (", ".join(f'"{name}"' for name in each) for each in (names, [COLUMNS.get(n, n) for n in names]))
        op.execute(f"insert into {new} ({ours}) select {theirs} from {old}")  # noqa: S608 - names from above
        op.drop_table(old)
    op.create_index("ix_one_time_tokens_address_digest_made_at", "one_time_tokens", ["address_digest", "made_at"])
    op.create_index("ix_one_time_tokens_expires_at", "one_time_tokens", ["expires_at"])
    op.create_index("ix_one_time_tokens_subscriber_id", "one_time_tokens", ["subscriber_id"])
    op.execute("alter table channels rename column judges to spam_domains")
    op.execute("alter table channels rename column in_a_row to rejected_in_a_row")


def _make_tables() -> None:
    op.create_table(
        "one_time_tokens",
        sa.Column("digest", sa.String(), primary_key=True),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("address_digest", sa.String(), nullable=False),
        sa.Column("subscriber_id", Key, sa.ForeignKey("subscribers.id", ondelete="CASCADE")),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("made_at", Utc(), nullable=False),
        sa.Column("expires_at", Utc(), nullable=False),
        sa.Column("used_at", Utc()),
    )
    op.create_table(
        "renderings",
        sa.Column("channel", sa.String(), primary_key=True),
        sa.Column("edition_id", Key, sa.ForeignKey("editions.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("choice_id", Key, sa.ForeignKey("choices.id"), primary_key=True),
        sa.Column("rejections", sa.Integer(), nullable=False),
        sa.Column("fell_back", sa.Boolean(), nullable=False),
    )
    op.create_table(
        "delivery_counts",
        sa.Column("edition_id", Key, sa.ForeignKey("editions.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("channel", sa.String(), primary_key=True),
        sa.Column("state", sa.String(), primary_key=True),
        sa.Column("count", sa.Integer(), nullable=False),
    )
    op.create_table(
        "system_state",
        sa.Column("key", sa.String(), primary_key=True),
        sa.Column("value", sa.Text(), nullable=False),
    )
    op.create_table(
        "channel_memory",
        sa.Column("channel", sa.String(), primary_key=True),
        sa.Column("key", sa.String(), primary_key=True),
        sa.Column("value", sa.Text(), nullable=False),
    )
    op.create_table(
        "suppression_list",
        sa.Column("channel", sa.String(), primary_key=True),
        sa.Column("digest", sa.String(), primary_key=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("since", Utc(), nullable=False),
    )
