"""Tables and columns get the field's names; every row is kept.

Other processes must not be running: they would ask for tables by their old names (see bot.store.upgrade).
"""

import sqlalchemy as sa
from alembic import op

from bot.store.schema import Key, Utc

revision = "0010"
down_revision = "0009"

COLUMNS = {
    ("tickets", "one_time_tokens"): {
        "digest": "digest",
        "purpose": "purpose",
        "whose": "address_digest",
        "subscriber_id": "subscriber_id",
        "says": "payload",
        "made_at": "made_at",
        "expires_at": "expires_at",
        "used_at": "used_at",
    },
    ("variants", "renderings"): {
        "channel": "channel",
        "edition_id": "edition_id",
        "choice_id": "choice_id",
        "rejections": "rejections",
        "fallen": "fell_back",
    },
    ("tallies", "delivery_counts"): {
        "edition_id": "edition_id",
        "channel": "channel",
        "state": "state",
        "count": "count",
    },
    ("facts", "system_state"): {"key": "key", "value": "value"},
    ("memory", "channel_memory"): {"channel": "channel", "key": "key", "value": "value"},
    ("suppressed", "suppression_list"): {
        "channel": "channel",
        "digest": "digest",
        "reason": "reason",
        "since": "since",
    },
}
"""Old and new table, with old and new columns. No other table refers to these six."""


def upgrade() -> None:
    """Make the new tables, copy the rows, drop the old tables; SQLite cannot rename constraints in place."""
    _make_tables()
    for (old, new), columns in COLUMNS.items():
        theirs = ", ".join(f'"{name}"' for name in columns)
        ours = ", ".join(f'"{name}"' for name in columns.values())
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
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("address_digest", sa.String(), nullable=False),
        sa.Column("subscriber_id", Key, nullable=True),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("made_at", Utc(), nullable=False),
        sa.Column("expires_at", Utc(), nullable=False),
        sa.Column("used_at", Utc(), nullable=True),
        sa.ForeignKeyConstraint(
            ["subscriber_id"],
            ["subscribers.id"],
            name="fk_one_time_tokens_subscriber_id_subscribers",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("digest", name="pk_one_time_tokens"),
    )
    op.create_table(
        "renderings",
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("edition_id", Key, nullable=False),
        sa.Column("choice_id", Key, nullable=False),
        sa.Column("rejections", sa.Integer(), nullable=False),
        sa.Column("fell_back", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["choice_id"], ["choices.id"], name="fk_renderings_choice_id_choices"),
        sa.ForeignKeyConstraint(
            ["edition_id"], ["editions.id"], name="fk_renderings_edition_id_editions", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("channel", "edition_id", "choice_id", name="pk_renderings"),
    )
    op.create_table(
        "delivery_counts",
        sa.Column("edition_id", Key, nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["edition_id"], ["editions.id"], name="fk_delivery_counts_edition_id_editions", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("edition_id", "channel", "state", name="pk_delivery_counts"),
    )
    op.create_table(
        "system_state",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_system_state"),
    )
    op.create_table(
        "channel_memory",
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("channel", "key", name="pk_channel_memory"),
    )
    op.create_table(
        "suppression_list",
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("since", Utc(), nullable=False),
        sa.PrimaryKeyConstraint("channel", "digest", name="pk_suppression_list"),
    )
