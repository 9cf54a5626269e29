"""Announcements by operators: drafted, confirmed once, then delivered like an edition of their own kind."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model import NOTE
from bot.rules.schedule import Rhythm, announced
from bot.store import audience
from bot.store import subscriber_queries as readers
from bot.store.schema import RHYTHM, announcements, choices, editions, subscribers
from bot.store.upsert import insert

LASTS = timedelta(days=1)
"""Time for which a draft can be confirmed: it may be outdated later."""
KEY_BYTES = 10
"""Random bytes of a draft's key. Only its author gets the key, so a forged message confirms nothing."""


class Refusal(StrEnum):
    """Why an announcement cannot be made."""

    NOT_THERE = "not there"
    """Dropped, too old to be confirmed, or never written."""
    TODAY = "another was made today"
    NOBODY = "nobody would get it"


class RefusedError(Exception):
    """An announcement cannot be made; `why` names the rule that forbids it."""

    def __init__(self, why: Refusal) -> None:
        super().__init__(why.value)
        self.why = why


@dataclass(frozen=True, slots=True)
class AnnouncementReach:
    """The reach of an announcement: readers by channel, and when the first and the last delivery is due."""

    readers: Mapping[str, int]
    first: datetime
    last: datetime


@dataclass(frozen=True, slots=True)
class Announced:
    """An announcement that was made: the size of its audience, and whether it had been made before."""

    readers: int
    again: bool = False


async def prospect(connection: AsyncConnection, channel: str | None, *, now: datetime) -> AnnouncementReach:
    """The reach of an announcement confirmed at `now`. Raises RefusedError where none can be made."""
    if await _is_made(connection, now):
        raise RefusedError(Refusal.TODAY)
    groups = await connection.execute(
        select(subscribers.c.channel, func.count(), *RHYTHM)
        .where(audience.reached_by(channel, now))
        .group_by(subscribers.c.channel, *RHYTHM)
    )
    counted: Counter[str] = Counter()
    due = set()
    for name, count, *theirs in groups:
        counted[name] += count
        due.add(announced(Rhythm(*theirs), now).due_at)
    if not due:
        raise RefusedError(Refusal.NOBODY)
    return AnnouncementReach(dict(sorted(counted.items())), min(due), max(due))


async def languages(connection: AsyncConnection, *, now: datetime) -> Mapping[str, Sequence[str]]:
    """The languages of the readers who would get an announcement, by channel."""
    spoken = await connection.execute(
        select(subscribers.c.channel, choices.c.language)
        .join(choices, choices.c.id == subscribers.c.choice_id)
        .where(audience.reached_by(None, now))
        .distinct()
        .order_by(subscribers.c.channel, choices.c.language)
    )
    found: dict[str, list[str]] = {}
    for channel, language in spoken:
        found.setdefault(channel, []).append(language)
    return found


async def draft(connection: AsyncConnection, text: str, channel: str | None, author: str, *, now: datetime) -> str:
    """Store an announcement until it is confirmed; returns the key that confirms it. Deletes expired drafts."""
    await connection.execute(
        delete(announcements).where(announcements.c.edition_id.is_(None), announcements.c.written_at <= now - LASTS)
    )
    key = secrets.token_hex(KEY_BYTES)
    row = {"key": key, "text": text, "channel": channel, "author": author, "written_at": now}
    await connection.execute(announcements.insert().values(row))
    return key


async def drop(connection: AsyncConnection, key: str) -> bool:
    """Delete a draft. Returns False where there is none with this key."""
    its = announcements.c.key == key
    result = await connection.execute(delete(announcements).where(its, announcements.c.edition_id.is_(None)))
    return result.rowcount > 0


async def drop_drafts(connection: AsyncConnection) -> None:
    """Delete every draft."""
    await connection.execute(delete(announcements).where(announcements.c.edition_id.is_(None)))


async def is_confirmed(connection: AsyncConnection, key: str) -> bool:
    """Whether the announcement with this key has been made."""
    query = select(announcements.c.edition_id).where(announcements.c.key == key)
    return await connection.scalar(query) is not None


async def publish(connection: AsyncConnection, key: str, *, now: datetime) -> Announced:
    """Make an announcement: create a delivery for everybody it is for. A second call changes nothing.

    Has to be the transaction's first step (see `audience.lock_readers`). Raises RefusedError; the caller must then
    roll back.
    """
    await audience.lock_readers(connection)
    row = (await connection.execute(select(announcements).where(announcements.c.key == key))).one_or_none()
    if row is not None and row.edition_id is not None:
        made = select(editions.c.audience).where(editions.c.id == row.edition_id)
        return Announced((await connection.execute(made)).scalar_one(), again=True)
    if row is None or row.written_at <= now - LASTS:
        raise RefusedError(Refusal.NOT_THERE)
    edition_id = await connection.scalar(
        insert(connection, editions)
        .values(cadence=NOTE, day=now.astimezone(UTC).date(), closed_at=now, complete=True, audience=0)
        .on_conflict_do_nothing()
        .returning(editions.c.id)
    )
    if edition_id is None:
        raise RefusedError(Refusal.TODAY)
    await readers.resume_due(connection, now=now)
    owed = await audience.announce(connection, edition_id, row.channel, at=now)
    if not owed:
        raise RefusedError(Refusal.NOBODY)
    its = announcements.c.key == key
    await connection.execute(update(announcements).where(its).values(edition_id=edition_id))
    return Announced(owed)


async def made(connection: AsyncConnection, edition_id: int) -> tuple[str, date]:
    """An announcement's text, and the day on which it was made."""
    query = (
        select(announcements.c.text, editions.c.day)
        .join(editions, editions.c.id == announcements.c.edition_id)
        .where(editions.c.id == edition_id)
    )
    row = (await connection.execute(query)).one()
    return row.text, row.day


async def written_by(connection: AsyncConnection, author: str) -> Sequence[tuple[datetime, str]]:
    """When and what an operator has announced or drafted, the newest first."""
    query = select(announcements.c.written_at, announcements.c.text).where(announcements.c.author == author)
    rows = await connection.execute(query.order_by(announcements.c.written_at.desc()))
    return [(row.written_at, row.text) for row in rows]


async def _is_made(connection: AsyncConnection, now: datetime) -> bool:
    today = editions.c.day == now.astimezone(UTC).date()
    return await connection.scalar(select(editions.c.id).where(editions.c.cadence == NOTE, today)) is not None
