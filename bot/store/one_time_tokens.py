"""Tickets: leave to do one thing once, mailed to an address as a link; and the browsers that readers are known by.

A ticket is stored by a hash of its key, so that nobody who sees the database can use it. Whose it is stands there as
a hash too; the address of somebody who has not confirmed anything is in `payload` alone, and goes when the ticket does.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model import Address
from bot.store.schema import one_time_tokens
from bot.store.subscriber_queries import address_digest

KEY_LENGTH = 20
"""Of 36 letters: more than 100 bits."""
AN_HOUR = timedelta(hours=1)
"""A letter that was asked for by typing an address is sent at most once in so long, and its ticket kept at least."""
_LETTERS = "0123456789abcdefghijklmnopqrstuvwxyz"


class Purpose(StrEnum):
    """What a ticket lets its holder do. The value is what its link is signed for."""

    JOIN = "join"
    """Subscribe an address."""
    OPEN = "open"
    """Open the settings."""
    MOVE = "move"
    """Say at the old address that editions are to go to another."""
    ARRIVE = "arrive"
    """Say at the new address that it is one's own."""
    ERASE = "erase"
    """Erase everything, after having been asked."""
    RETURN = "return"
    """Subscribe again, on the page that says that one has left."""
    SESSION = "session"
    """Not used up: a browser that opened the settings is known by it."""


LASTS = {
    Purpose.JOIN: timedelta(hours=48),
    Purpose.OPEN: timedelta(minutes=30),
    Purpose.MOVE: timedelta(hours=24),
    Purpose.ARRIVE: timedelta(hours=24),
    Purpose.ERASE: timedelta(minutes=30),
    Purpose.RETURN: timedelta(hours=1),
    Purpose.SESSION: timedelta(days=30),
}


@dataclass(frozen=True, slots=True)
class OneTimeToken:
    """What a ticket says: plain data of its maker's; `subscriber_id` is None where nobody is subscribed yet."""

    purpose: Purpose
    payload: Mapping[str, str]
    subscriber_id: int | None


async def make(
    connection: AsyncConnection,
    purpose: Purpose,
    address: Address,
    *,
    now: datetime,
    subscriber_id: int | None = None,
    payload: Mapping[str, str] | None = None,
) -> str:
    """Make a ticket; its key, which is not kept anywhere."""
    key = "".join(secrets.choice(_LETTERS) for _ in range(KEY_LENGTH))
    await connection.execute(
        one_time_tokens.insert().values(
            digest=_digest(key),
            purpose=purpose.value,
            address_digest=address_digest(address),
            subscriber_id=subscriber_id,
            payload=json.dumps(dict(payload or {})),
            made_at=now,
            expires_at=now + LASTS[purpose],
        )
    )
    return key


async def make_once_an_hour(
    connection: AsyncConnection,
    purpose: Purpose,
    address: Address,
    *,
    among: Sequence[Purpose],
    now: datetime,
    subscriber_id: int | None = None,
    payload: Mapping[str, str] | None = None,
) -> str | None:
    """Make a ticket unless one for any of the purposes `among` was made for the address within the hour; its key.

    Of several who try at once one succeeds: on PostgreSQL they wait for each other, SQLite has one writer at a time.
    """
    if connection.dialect.name == "postgresql":
        name = f"morning-papers tickets {address_digest(address)}"
        await connection.execute(select(func.pg_advisory_xact_lock(func.hashtext(name))))
    last = await last_made(connection, address, among)
    if last is not None and last > now - AN_HOUR:
        return None
    return await make(connection, purpose, address, now=now, subscriber_id=subscriber_id, payload=payload)


async def look(connection: AsyncConnection, purpose: Purpose, key: str, now: datetime) -> OneTimeToken | None:
    """What a key is good for, None where it is for nothing (any more)."""
    query = select(one_time_tokens.c.payload, one_time_tokens.c.subscriber_id).where(*_good(purpose, key, now))
    row = (await connection.execute(query)).one_or_none()
    return None if row is None else OneTimeToken(purpose, json.loads(row.payload), row.subscriber_id)


async def use(connection: AsyncConnection, purpose: Purpose, key: str, now: datetime) -> OneTimeToken | None:
    """Use a ticket up, and what it said; of several who try at once one succeeds."""
    ticket = await look(connection, purpose, key, now)
    used = await connection.execute(
        update(one_time_tokens)
        .where(*_good(purpose, key, now))
        .values(used_at=now, payload="{}", expires_at=now + LASTS[purpose])
    )
    return ticket if used.rowcount else None


async def last_made(connection: AsyncConnection, address: Address, purposes: Sequence[Purpose]) -> datetime | None:
    """When the newest ticket was made for an address, used or not."""
    query = select(func.max(one_time_tokens.c.made_at)).where(
        one_time_tokens.c.address_digest == address_digest(address),
        one_time_tokens.c.purpose.in_([purpose.value for purpose in purposes]),
    )
    made: datetime | None = await connection.scalar(query)
    return made


async def end(connection: AsyncConnection, key: str) -> None:
    """Make a key good for nothing."""
    await connection.execute(delete(one_time_tokens).where(one_time_tokens.c.digest == _digest(key)))


async def end_all(connection: AsyncConnection, address: Address, subscriber_id: int | None = None) -> None:
    """Make everything good for nothing that was made for an address, or for a subscriber."""
    theirs = one_time_tokens.c.address_digest == address_digest(address)
    if subscriber_id is not None:
        theirs = or_(theirs, one_time_tokens.c.subscriber_id == subscriber_id)
    await connection.execute(delete(one_time_tokens).where(theirs))


async def any_old(connection: AsyncConnection, now: datetime) -> bool:
    """Whether any is there to be forgotten."""
    return await connection.scalar(select(one_time_tokens.c.digest).where(*_old(now)).limit(1)) is not None


async def drop_old(connection: AsyncConnection, now: datetime) -> int:
    """Forget what has expired, once an hour has passed since it was made; how many there were."""
    return (await connection.execute(delete(one_time_tokens).where(*_old(now)))).rowcount


async def drop_all(connection: AsyncConnection) -> None:
    """Forget all of them: in a restored copy those that were used since would be good again."""
    await connection.execute(delete(one_time_tokens))


def _old(now: datetime) -> list[ColumnElement[bool]]:
    return [one_time_tokens.c.expires_at <= now, one_time_tokens.c.made_at <= now - AN_HOUR]


def _good(purpose: Purpose, key: str, now: datetime) -> list[ColumnElement[bool]]:
    return [
        one_time_tokens.c.digest == _digest(key),
        one_time_tokens.c.purpose == purpose.value,
        one_time_tokens.c.used_at.is_(None),
        one_time_tokens.c.expires_at > now,
    ]


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
