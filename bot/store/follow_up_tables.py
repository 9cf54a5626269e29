"""The tables of what comes after deliveries, beside those of `bot.store.schema`."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Table

from bot.store.schema import Utc, metadata

sent_recordings = Table(
    "sent_recordings",
    metadata,
    Column("edition_id", ForeignKey("editions.id", ondelete="CASCADE"), primary_key=True),
    Column("subscriber_id", ForeignKey("subscribers.id", ondelete="CASCADE"), primary_key=True),
    Column("noted_at", Utc, nullable=False),
)
"""Who was sent the recording of an edition, noted before it is sent."""

completed_pages = Table(
    "completed_pages",
    metadata,
    Column("edition_id", ForeignKey("editions.id", ondelete="CASCADE"), primary_key=True),
    Column("subscriber_id", ForeignKey("subscribers.id", ondelete="CASCADE"), primary_key=True),
    Column("noted_at", Utc, nullable=False),
)
"""Pages of sites that were written again, once the pictures that came late were there."""
