"""The first schema: papers, editions, subscribers, deliveries."""

import sqlalchemy as sa
from alembic import op

from bot.store.schema import Code, Key, Utc, in_state

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "channels",
        sa.Column("channel", sa.String(), primary_key=True),
        sa.Column("waits_until", Utc()),
        sa.Column("waits_for", sa.Text()),
        sa.Column("halted_at", Utc()),
        sa.Column("halted_for", sa.Text()),
        sa.Column("probe_at", Utc()),
    )
    op.create_table(
        "choices",
        sa.Column("id", Key, primary_key=True),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("style", sa.String(), nullable=False),
        sa.Column("papers", sa.Integer(), nullable=False),
        sa.Column("min_votes", sa.Integer(), nullable=False),
        sa.Column("topics", sa.String(), nullable=False),
        sa.UniqueConstraint("language", "style", "papers", "min_votes", "topics"),
    )
    op.create_table(
        "editions",
        sa.Column("id", Key, primary_key=True),
        sa.Column("cadence", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("closed_at", Utc(), nullable=False),
        sa.Column("complete", sa.Boolean(), nullable=False),
        sa.Column("audience", sa.Integer(), nullable=False),
        sa.UniqueConstraint("cadence", "day"),
    )
    op.create_table(
        "facts",
        sa.Column("key", sa.String(), primary_key=True),
        sa.Column("value", sa.Text(), nullable=False),
    )
    op.create_table(
        "memory",
        sa.Column("channel", sa.String(), primary_key=True),
        sa.Column("key", sa.String(), primary_key=True),
        sa.Column("value", sa.Text(), nullable=False),
    )
    op.create_table(
        "papers",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("abstract", sa.Text(), nullable=False),
        sa.Column("sentence", sa.Text()),
        sa.Column("authors", sa.JSON(), nullable=False),
        sa.Column("organisation", sa.Text()),
        sa.Column("keywords", sa.JSON(), nullable=False),
        sa.Column("published", sa.Date()),
        sa.Column("listed_on", sa.Date(), nullable=False),
        sa.Column("listed_at", Utc(), nullable=False),
        sa.Column("listed", sa.Boolean(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("votes", sa.Integer()),
        sa.Column("comments", sa.Integer()),
        sa.Column("code", sa.Text()),
        sa.Column("stars", sa.Integer()),
        sa.Column("project", sa.Text()),
        sa.Column("thumbnail", sa.Text()),
        sa.Column("media", sa.JSON(), nullable=False),
    )
    op.create_index("ix_papers_listed_on", "papers", ["listed_on"])

    op.create_table(
        "edition_papers",
        sa.Column("edition_id", Key, sa.ForeignKey("editions.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("rank", sa.Integer(), primary_key=True),
        sa.Column("paper_id", sa.String(), sa.ForeignKey("papers.id"), nullable=False),
        sa.Column("votes", sa.Integer()),
    )
    op.create_index("ix_edition_papers_paper_id", "edition_papers", ["paper_id"])

    op.create_table(
        "subscribers",
        sa.Column("id", Key, primary_key=True),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("recipient", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("choice_id", Key, sa.ForeignKey("choices.id"), nullable=False),
        sa.Column("hour", sa.Integer(), nullable=False),
        sa.Column("weekdays", sa.Integer(), nullable=False),
        sa.Column("timezone", sa.String(), nullable=False),
        sa.Column("cadence", sa.String(), nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.CheckConstraint("hour >= 0 and hour < 1440", name="ck_subscribers_hour"),
        sa.CheckConstraint("weekdays > 0 and weekdays < 128", name="ck_subscribers_weekdays"),
        sa.UniqueConstraint("channel", "recipient"),
    )
    op.create_index("ix_subscribers_audience", "subscribers", ["status", "cadence", "timezone", "hour", "weekdays"])

    op.create_table(
        "terms",
        sa.Column("term", Code, primary_key=True),
        sa.Column("paper_id", sa.String(), sa.ForeignKey("papers.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("weight", sa.Integer(), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_terms_paper_id", "terms", ["paper_id"])

    op.create_table(
        "deliveries",
        sa.Column("id", Key, primary_key=True),
        sa.Column("edition_id", Key, sa.ForeignKey("editions.id"), nullable=False),
        sa.Column("subscriber_id", Key, sa.ForeignKey("subscribers.id", ondelete="SET NULL")),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("choice_id", Key, sa.ForeignKey("choices.id")),
        sa.Column("due_at", Utc(), nullable=False),
        sa.Column("next_at", Utc(), nullable=False),
        sa.Column("expires_at", Utc(), nullable=False),
        sa.Column("owner", sa.String()),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("repeats", sa.Integer(), server_default="0", nullable=False),
        sa.Column("receipt", sa.Text()),
        sa.Column("ended_at", Utc()),
        sa.UniqueConstraint("edition_id", "subscriber_id"),
    )
    op.create_index("ix_deliveries_owed", "deliveries", ["channel", "next_at"], **in_state("owed"))
    op.create_index("ix_deliveries_sending", "deliveries", ["channel", "owner"], **in_state("sending"))
    op.create_index("ix_deliveries_subscriber_id", "deliveries", ["subscriber_id"])
