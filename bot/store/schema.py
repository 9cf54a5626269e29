"""The tables, written once for SQLite and PostgreSQL. Their history is in migrations/."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ColumnElement,
    Date,
    DateTime,
    Dialect,
    ForeignKey,
    ForeignKeyConstraint,
    FromClause,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    false,
    literal_column,
    true,
)
from sqlalchemy import text as sql

from bot.model import Reason, State
from bot.store.preference_columns import columns, names

HEAD = max(each.name[:4] for each in (Path(__file__).parent / "migrations" / "versions").glob("0*.py"))
"""The newest migration: compared at start, so that Alembic is imported only when there is something to do."""


class Utc(TypeDecorator[datetime]):
    """An instant. SQLite drops UTC offsets silently, so every value goes in and comes out as aware UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant without a time zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - the base class's signature
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


Key = BigInteger().with_variant(Integer, "sqlite")
Code = String(collation="C").with_variant(String(), "sqlite")
"""Words compared byte by byte, as SQLite does by itself."""


def reason_columns(code: Reason, text: str | None = None) -> dict[str, str]:
    """Values of `reason` and `reason_code`; without a `text` of its own the code's is stored."""
    return {"reason": text or code.text, "reason_code": code.value}


def in_state(state: str) -> dict[str, Any]:
    """Options of an index on the deliveries in one state, for both databases."""
    condition = sql(f"state = '{state}'")
    return {"sqlite_where": condition, "postgresql_where": condition}


DERIVED = "derived"
"""Key in the `info` of tables that are made from others: a copy of the database rebuilds them."""

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

papers = Table(
    "papers",
    metadata,
    Column("id", String, primary_key=True),
    Column("title", Text, nullable=False),
    Column("abstract", Text, nullable=False),
    Column("sentence", Text),
    Column("authors", JSON, nullable=False),
    Column("organisation", Text),
    Column("keywords", JSON, nullable=False),
    Column("published", Date),
    Column("listed_on", Date, nullable=False, index=True),
    Column("listed_at", Utc, nullable=False),
    Column("listed", Boolean, nullable=False),
    Column("position", Integer, nullable=False),
    Column("votes", Integer),
    Column("comments", Integer),
    Column("code", Text),
    Column("stars", Integer),
    Column("project", Text),
    Column("thumbnail", Text),
    Column("media", JSON, nullable=False),
)

editions = Table(
    "editions",
    metadata,
    Column("id", Key, primary_key=True),
    Column("cadence", String, nullable=False),
    Column("day", Date, nullable=False),
    Column("closed_at", Utc, nullable=False),
    Column("complete", Boolean, nullable=False),
    Column("audience", Integer, nullable=False),
    Column("for_readers", Boolean, nullable=False, server_default=true()),
    Column("ended_at", Utc),
    UniqueConstraint("cadence", "day"),
)

edition_papers = Table(
    "edition_papers",
    metadata,
    Column("edition_id", ForeignKey("editions.id", ondelete="CASCADE"), primary_key=True),
    Column("rank", Integer, primary_key=True),
    Column("paper_id", ForeignKey("papers.id"), nullable=False, index=True),
    Column("votes", Integer),
)

choices = Table(
    "choices",
    metadata,
    Column("id", Key, primary_key=True),
    *columns(shaping=True),
    UniqueConstraint(*names(shaping=True)),
)
"""The preferences that decide what a message says, once for all who have the same."""

subscribers = Table(
    "subscribers",
    metadata,
    Column("id", Key, primary_key=True),
    Column("channel", String, nullable=False),
    Column("recipient", String, nullable=False),
    Column("status", String, nullable=False),
    Column("reason", Text),
    Column("reason_code", String),
    Column("choice_id", ForeignKey("choices.id"), nullable=False),
    *columns(shaping=False),
    Column("created_at", Utc, nullable=False),
    Column("paused_until", Utc),
    Column("left_at", Utc),
    Column("extras", String, nullable=False, server_default="{}"),
    *(Column(name, String) for name in ("set_up_by", "account")),
    UniqueConstraint("channel", "recipient"),
    CheckConstraint("hour >= 0 and hour < 1440", name="hour"),
    CheckConstraint("weekdays > 0 and weekdays < 128", name="weekdays"),
    Index("ix_subscribers_audience", "status", "cadence", "timezone", "hour", "weekdays"),
)

RHYTHM = (subscribers.c.timezone, subscribers.c.hour, subscribers.c.weekdays)
"""The columns that decide when an edition is due to a subscriber (`bot.rules.schedule.Rhythm`)."""

suppression_list = Table(
    "suppression_list",
    metadata,
    Column("channel", String, primary_key=True),
    Column("digest", String, primary_key=True),
    Column("reason", Text, nullable=False),
    Column("reason_code", String, nullable=False, server_default="other"),
    Column("since", Utc, nullable=False),
)
"""Addresses that must not be written to until they subscribe again themselves; hashed, since they asked for that."""

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", Key, primary_key=True),
    Column("edition_id", Key, nullable=False),
    Column("subscriber_id", ForeignKey("subscribers.id", ondelete="SET NULL")),
    Column("channel", String, nullable=False),
    Column("state", String, nullable=False),
    Column("reason", Text),
    Column("reason_code", String),
    Column("choice_id", Key),
    Column("due_at", Utc, nullable=False),
    Column("next_at", Utc, nullable=False),
    Column("expires_at", Utc, nullable=False),
    Column("owner", String),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("repeats", Integer, nullable=False, server_default="0"),
    Column("rejections", Integer, nullable=False, server_default="0"),
    Column("receipt", Text),
    Column("ended_at", Utc),
    # PostgreSQL checks for each row again that its edition exists: 4 of the 13 s that a million took. The edition
    # is written by the same transaction, the choice copied from a row that holds on to it, and nothing deletes either.
    ForeignKeyConstraint(["edition_id"], ["editions.id"]).ddl_if(dialect="sqlite"),
    ForeignKeyConstraint(["choice_id"], ["choices.id"]).ddl_if(dialect="sqlite"),
    UniqueConstraint("edition_id", "subscriber_id"),
    Index("ix_deliveries_subscriber_id", "subscriber_id"),
)
"""On PostgreSQL partitioned by `edition_id` (`bot.store.partitions`); each partition has the primary key by itself."""

# Queries by time or owner look only for deliveries that are owed or in flight, so only those are indexed: the indexes
# stay as small as the work that is left, however many rows have been delivered.
_due = (deliveries.c.channel, deliveries.c.next_at)
Index("ix_deliveries_owed", *_due, **in_state("owed")).ddl_if(dialect="sqlite")
Index("ix_deliveries_due", *_due, deliveries.c.id, **in_state("owed")).ddl_if(dialect="postgresql")
Index("ix_deliveries_sending", deliveries.c.channel, deliveries.c.owner, **in_state("sending"))
Index("ix_deliveries_unknown", deliveries.c.channel, deliveries.c.repeats, **in_state("unknown"))

# Each delivery looks for the editions that its reader missed; few have any.
Index("ix_deliveries_expired", deliveries.c.subscriber_id, **in_state("expired"))


def is_in(state: State, table: FromClause = deliveries) -> ColumnElement[bool]:
    """The condition for deliveries in a state, written out, so that a plan with one of the indexes above can be kept.

    With a parameter in its place SQLite plans a statement again for each value.
    """
    return table.c.state == literal_column(f"'{state.value}'")


def delivery_columns(record: type) -> list[Column[Any]]:
    """The columns of deliveries, or of their editions, that have the names of a dataclass's fields."""
    named = [each.name for each in fields(record)]
    return [deliveries.c[name] if name in deliveries.c else editions.c[name] for name in named]


renderings = Table(
    "renderings",
    metadata,
    Column("channel", String, primary_key=True),
    Column("edition_id", ForeignKey("editions.id", ondelete="CASCADE"), primary_key=True),
    Column("choice_id", ForeignKey("choices.id"), primary_key=True),
    Column("rejections", Integer, nullable=False),
    Column("fell_back", Boolean, nullable=False),
)
"""Renderings that a service rejected; most never have a row."""

delivery_counts = Table(
    "delivery_counts",
    metadata,
    Column("edition_id", ForeignKey("editions.id", ondelete="CASCADE"), primary_key=True),
    Column("channel", String, primary_key=True),
    Column("state", String, primary_key=True),
    Column("count", Integer, nullable=False),
)
"""Counts of deliveries that are too old to be kept one by one."""

one_time_tokens = Table(
    "one_time_tokens",
    metadata,
    Column("digest", String, primary_key=True),
    Column("purpose", String, nullable=False),
    Column("address_digest", String, nullable=False),
    Column("subscriber_id", ForeignKey("subscribers.id", ondelete="CASCADE"), index=True),
    Column("payload", Text, nullable=False),
    Column("made_at", Utc, nullable=False),
    Column("expires_at", Utc, nullable=False, index=True),
    Column("used_at", Utc),
    Index("ix_one_time_tokens_address_digest_made_at", "address_digest", "made_at"),
)
"""One-time tokens mailed as links, and browser sessions; only hashes of the keys are stored."""

channels = Table(
    "channels",
    metadata,
    Column("channel", String, primary_key=True),
    Column("waits_until", Utc),
    Column("waits_for", Text),
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("halted_at", Utc),
    Column("halted_for", Text),
    Column("probe_at", Utc),
    Column("rejected_in_a_row", Integer, nullable=False, server_default="0"),
    Column("spam_domains", Text, nullable=False, server_default=""),
    Column("counts", Text, nullable=False, server_default=""),
)

announcements = Table(
    "announcements",
    metadata,
    Column("key", String, primary_key=True),
    Column("text", Text, nullable=False),
    Column("channel", String),
    Column("author", String),
    Column("written_at", Utc, nullable=False),
    Column("edition_id", ForeignKey("editions.id"), unique=True),
)
"""Announcements by operators, drafts until they have an edition. The key confirms a draft."""

unread_days = Table(
    "unread_days",
    metadata,
    Column("day", Date, primary_key=True),
    Column("failing_since", Utc, nullable=False),
    Column("tried_at", Utc, nullable=False),
    Column("reason", Text, nullable=False),
    Column("read_at", Utc),
    Column("told", Boolean, nullable=False, server_default=false()),
)
"""List days that the feed did not give although it gave others; gone once each has been read and closed."""

channel_memory = Table(
    "channel_memory",
    metadata,
    Column("channel", String, primary_key=True),
    Column("key", String, primary_key=True),
    Column("value", Text, nullable=False),
)

leases = Table(
    "leases",
    metadata,
    Column("role", String, primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("process", Text, nullable=False),
    Column("taken_at", Utc, nullable=False),
    Column("ends_at", Utc, nullable=False),
    Column("takeovers", Integer, nullable=False),
    UniqueConstraint("role", "number"),  # lets PostgreSQL tell a new number from a renewal: bot.runtime.locks
    info={DERIVED: True},
)
"""Who does what, on PostgreSQL (`bot.runtime.locks`). Empty on SQLite, where locks are files."""

system_state = Table(
    "system_state", metadata, Column("key", String, primary_key=True), Column("value", Text, nullable=False)
)
"""A key-value store; each key belongs to the module that writes it, such as `closing_state` or `signing_key`."""
