"""Recordings that follow an edition: who wants them, who was sent one. Each is noted before it is sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, delete, exists, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.channel.preference import AUDIO
from bot.model import ON, Cadence, State, Status, Style
from bot.store.accounts import through
from bot.store.follow_up_tables import sent_recordings
from bot.store.schema import choices, deliveries, subscribers
from bot.store.subscriber_queries import extras
from bot.store.upsert import insert

MOST = 10_000
"""Readers that are looked at in one go."""


@dataclass(frozen=True, slots=True)
class Listener:
    """A reader who was sent an edition and wants its recording."""

    subscriber_id: int
    recipient: str
    language: str
    style: Style
    extras: Mapping[str, str]


async def waiting(connection: AsyncConnection, account: str, edition_id: int, *, since: datetime) -> Sequence[Listener]:
    """The listeners of an account who were sent an edition since an instant, and not its recording."""
    noted = exists().where(
        sent_recordings.c.edition_id == edition_id, sent_recordings.c.subscriber_id == deliveries.c.subscriber_id
    )
    query = (
        select(subscribers.c.id, subscribers.c.recipient, choices.c.language, choices.c.style, subscribers.c.extras)
        .join(deliveries, deliveries.c.subscriber_id == subscribers.c.id)
        .join(choices, choices.c.id == subscribers.c.choice_id)
        .where(
            through == account,
            *_listens(),
            deliveries.c.edition_id == edition_id,
            deliveries.c.state == State.SENT,
            deliveries.c.ended_at > since,
            ~noted,
        )
        .order_by(deliveries.c.ended_at)
        .limit(MOST)
    )
    rows = await connection.execute(query)
    return [Listener(row.id, row.recipient, row.language, Style(row.style), extras(row.extras)) for row in rows]


async def note(connection: AsyncConnection, edition_id: int, subscriber_id: int, now: datetime) -> bool:
    """Note that a reader is sent a recording. Returns False where that is noted already."""
    statement = insert(connection, sent_recordings).values(
        edition_id=edition_id, subscriber_id=subscriber_id, noted_at=now
    )
    done = await connection.execute(statement.on_conflict_do_nothing().returning(sent_recordings.c.edition_id))
    return done.first() is not None


async def take_back(connection: AsyncConnection, edition_id: int, subscriber_id: int) -> None:
    """Delete the note of a recording that was certainly not sent."""
    own = sent_recordings.c.edition_id == edition_id, sent_recordings.c.subscriber_id == subscriber_id
    await connection.execute(delete(sent_recordings).where(*own))


async def forget(connection: AsyncConnection, before: datetime) -> None:
    """Delete notes that are older than any recording would be sent for."""
    await connection.execute(delete(sent_recordings).where(sent_recordings.c.noted_at < before))


async def wanted(connection: AsyncConnection, cadence: Cadence) -> Sequence[tuple[str, Style]]:
    """The languages and styles that listeners of a cadence read, those with most of them first."""
    query = (
        select(choices.c.language, choices.c.style)
        .join(subscribers, subscribers.c.choice_id == choices.c.id)
        .where(subscribers.c.cadence == cadence.value, *_listens())
        .group_by(choices.c.language, choices.c.style)
        .order_by(func.count().desc(), choices.c.language, choices.c.style)
    )
    return [(row.language, Style(row.style)) for row in await connection.execute(query)]


def _listens() -> Sequence[ColumnElement[bool]]:
    """Active subscribers who switched recordings on; extras are JSON as `json.dumps` writes it."""
    switched_on = subscribers.c.extras.contains(f'"{AUDIO.name}": "{ON}"', autoescape=True)
    return [subscribers.c.status == Status.ACTIVE.value, switched_on]
