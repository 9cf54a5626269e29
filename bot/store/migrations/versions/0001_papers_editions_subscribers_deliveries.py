"""The first schema: papers, editions, subscribers, deliveries."""

import sqlalchemy as sa
from alembic import op

from bot.store.schema import Code, Key, Utc

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make every table."""
    op.create_table(
        "channels",
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("waits_until", Utc(), nullable=True),
        sa.Column("waits_for", sa.Text(), nullable=True),
        sa.Column("halted_at", Utc(), nullable=True),
        sa.Column("halted_for", sa.Text(), nullable=True),
        sa.Column("probe_at", Utc(), nullable=True),
        sa.PrimaryKeyConstraint("channel", name="pk_channels"),
    )
    op.create_table(
        "choices",
        sa.Column("id", Key, nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("style", sa.String(), nullable=False),
        sa.Column("papers", sa.Integer(), nullable=False),
        sa.Column("min_votes", sa.Integer(), nullable=False),
        sa.Column("topics", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_choices"),
        sa.UniqueConstraint(
            "language",
            "style",
            "papers",
            "min_votes",
            "topics",
            name="uq_choices_language_style_papers_min_votes_topics",
        ),
    )
    op.create_table(
        "editions",
        sa.Column("id", Key, nullable=False),
        sa.Column("cadence", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("closed_at", Utc(), nullable=False),
        sa.Column("complete", sa.Boolean(), nullable=False),
        sa.Column("audience", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_editions"),
        sa.UniqueConstraint("cadence", "day", name="uq_editions_cadence_day"),
    )
    op.create_table(
        "facts",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_facts"),
    )
    op.create_table(
        "memory",
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("channel", "key", name="pk_memory"),
    )
    op.create_table(
        "papers",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("abstract", sa.Text(), nullable=False),
        sa.Column("sentence", sa.Text(), nullable=True),
        sa.Column("authors", sa.JSON(), nullable=False),
        sa.Column("organisation", sa.Text(), nullable=True),
        sa.Column("keywords", sa.JSON(), nullable=False),
        sa.Column("published", sa.Date(), nullable=True),
        sa.Column("listed_on", sa.Date(), nullable=False),
        sa.Column("listed_at", Utc(), nullable=False),
        sa.Column("listed", sa.Boolean(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("votes", sa.Integer(), nullable=True),
        sa.Column("comments", sa.Integer(), nullable=True),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("stars", sa.Integer(), nullable=True),
        sa.Column("project", sa.Text(), nullable=True),
        sa.Column("thumbnail", sa.Text(), nullable=True),
        sa.Column("media", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_papers"),
    )
    op.create_index("ix_papers_listed_on", "papers", ["listed_on"])

    op.create_table(
        "edition_papers",
        sa.Column("edition_id", Key, nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("paper_id", sa.String(), nullable=False),
        sa.Column("votes", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["edition_id"], ["editions.id"], name="fk_edition_papers_edition_id_editions", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["paper_id"], ["papers.id"], name="fk_edition_papers_paper_id_papers"),
        sa.PrimaryKeyConstraint("edition_id", "rank", name="pk_edition_papers"),
    )
    op.create_index("ix_edition_papers_paper_id", "edition_papers", ["paper_id"])

    op.create_table(
        "subscribers",
        sa.Column("id", Key, nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("recipient", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("choice_id", Key, nullable=False),
        sa.Column("hour", sa.Integer(), nullable=False),
        sa.Column("weekdays", sa.Integer(), nullable=False),
        sa.Column("timezone", sa.String(), nullable=False),
        sa.Column("cadence", sa.String(), nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.CheckConstraint("hour >= 0 and hour < 1440", name="ck_subscribers_hour"),
        sa.CheckConstraint("weekdays > 0 and weekdays < 128", name="ck_subscribers_weekdays"),
        sa.ForeignKeyConstraint(["choice_id"], ["choices.id"], name="fk_subscribers_choice_id_choices"),
        sa.PrimaryKeyConstraint("id", name="pk_subscribers"),
        sa.UniqueConstraint("channel", "recipient", name="uq_subscribers_channel_recipient"),
    )
    op.create_index("ix_subscribers_audience", "subscribers", ["status", "cadence", "timezone", "hour", "weekdays"])

    op.create_table(
        "terms",
        sa.Column("term", Code, nullable=False),
        sa.Column("paper_id", sa.String(), nullable=False),
        sa.Column("weight", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["paper_id"], ["papers.id"], name="fk_terms_paper_id_papers", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("term", "paper_id", name="pk_terms"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_terms_paper_id", "terms", ["paper_id"])

    op.create_table(
        "deliveries",
        sa.Column("id", Key, nullable=False),
        sa.Column("edition_id", Key, nullable=False),
        sa.Column("subscriber_id", Key, nullable=True),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("choice_id", Key, nullable=True),
        sa.Column("due_at", Utc(), nullable=False),
        sa.Column("next_at", Utc(), nullable=False),
        sa.Column("expires_at", Utc(), nullable=False),
        sa.Column("owner", sa.String(), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("repeats", sa.Integer(), server_default="0", nullable=False),
        sa.Column("receipt", sa.Text(), nullable=True),
        sa.Column("ended_at", Utc(), nullable=True),
        sa.ForeignKeyConstraint(["choice_id"], ["choices.id"], name="fk_deliveries_choice_id_choices"),
        sa.ForeignKeyConstraint(["edition_id"], ["editions.id"], name="fk_deliveries_edition_id_editions"),
        sa.ForeignKeyConstraint(
            ["subscriber_id"],
            ["subscribers.id"],
            name="fk_deliveries_subscriber_id_subscribers",
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_deliveries"),
        sa.UniqueConstraint("edition_id", "subscriber_id", name="uq_deliveries_edition_id_subscriber_id"),
    )
    op.create_index(
        "ix_deliveries_owed",
        "deliveries",
        ["channel", "next_at"],
        sqlite_where=sa.text("state = 'owed'"),
        postgresql_where=sa.text("state = 'owed'"),
    )
    op.create_index(
        "ix_deliveries_sending",
        "deliveries",
        ["channel", "owner"],
        sqlite_where=sa.text("state = 'sending'"),
        postgresql_where=sa.text("state = 'sending'"),
    )
    op.create_index("ix_deliveries_subscriber_id", "deliveries", ["subscriber_id"])
