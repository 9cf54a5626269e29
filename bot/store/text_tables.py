"""The tables of texts that a language model wrote, beside those of `bot.store.schema`."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, ForeignKey, Integer, String, Table

from bot.store.schema import DERIVED, Utc, metadata

ACCEPTED = "accepted"
"""The verdict of texts that readers are shown."""

texts = Table(
    "texts",
    metadata,
    Column("paper_id", ForeignKey("papers.id", ondelete="CASCADE"), primary_key=True),
    Column("language", String, primary_key=True),
    Column("style", String, primary_key=True),
    Column("model", String, primary_key=True),
    Column("prompt", String, primary_key=True),
    Column("verdict", String, nullable=False),
    Column("parts", JSON, nullable=False),
    Column("faults", JSON, nullable=False),
    Column("tokens", Integer, nullable=False),
    Column("written_at", Utc, nullable=False, index=True),
)
"""Texts of a language model about papers, accepted or not, so that a restart asks for none twice."""

text_leases = Table(
    "text_leases",
    metadata,
    Column("paper_id", ForeignKey("papers.id", ondelete="CASCADE"), primary_key=True),
    Column("language", String, primary_key=True),
    Column("style", String, primary_key=True),
    Column("owner", String, nullable=False),
    Column("ends_at", Utc, nullable=False),
)
"""Who is having a text written just now, and until when nobody else may."""

opinions = Table(
    "opinions",
    metadata,
    Column("sentence", String, primary_key=True),
    Column("source", String, primary_key=True),
    Column("model", String, primary_key=True),
    Column("follows", Boolean, nullable=False),
    Column("asked_at", Utc, nullable=False, index=True),
    info={DERIVED: True},
)
"""What a second model said of sentences held against a source; sentence and source are hashes."""

text_reports = Table(
    "text_reports",
    metadata,
    Column("paper_id", ForeignKey("papers.id", ondelete="CASCADE"), primary_key=True),
    Column("language", String, primary_key=True),
    Column("style", String, primary_key=True),
    Column("model", String, primary_key=True),
    Column("reports", Integer, nullable=False),
    Column("reported_at", Utc, nullable=False),
)
"""How often readers reported a text as wrong, and when last; by whom is not stored."""
