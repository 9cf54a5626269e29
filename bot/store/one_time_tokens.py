"""One-time tokens, mailed as links (double opt-in, settings, moving, erasing), and the sessions of browsers.

Only a hash of a token's key is stored, so that seeing the database is not enough to use it. Its address is stored as a
hash too; an unconfirmed address is in `payload` only, and is deleted with the token.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model import Address
from bot.store.schema import one_time_tokens
from bot.store.subscriber_queries import address_digest

KEY_LENGTH = 20
"""Characters of a key, of 36 letters and digits: more than 100 bits."""
AN_HOUR = timedelta(hours=1)
"""Least time between two mails that typing the same address asks for, and for which a token is kept."""
AT_LEAST = timedelta(minutes=5)
"""Least time between two mails that the holder of a signed link asks for: they have the mailbox."""
_LETTERS = "0123456789abcdefghijklmnopqrstuvwxyz"


class Purpose(StrEnum):
    """The action that a token permits. The value is the purpose that its link is signed for."""

    JOIN = "join"
    """Subscribe an address."""
    OPEN = "open"
    """Open the settings."""
    MOVE = "move"
    """Confirm at the old address that editions are to go to another."""
    ARRIVE = "arrive"
    """Confirm at the new address that it is one's own."""
    ERASE = "erase"
    """Erase everything, after a confirmation."""
    RETURN = "return"
    """Subscribe again, on the page that confirms unsubscribing."""
    SESSION = "session"
    """A browser session: not used up."""


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
    """A valid token with its payload; `subscriber_id` is None where the address is not subscribed yet."""

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
    """Create a token for an address. Returns its key, which is not stored."""
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


async def make_unless_recent(
    connection: AsyncConnection,
    purpose: Purpose,
    address: Address,
    *,
    now: datetime,
    within: timedelta = AN_HOUR,
    subscriber_id: int | None = None,
    payload: Mapping[str, str] | None = None,
) -> str | None:
    """Create a token unless the address got one for this purpose within the hour that is still unused. Returns its key.

    One that was used shows that the mail arrived, so asking for another is no nuisance.
    Of several concurrent calls one succeeds: PostgreSQL serialises them with a lock, SQLite has one writer at a time.
    """
    if connection.dialect.name == "postgresql":
        name = f"morning-papers tickets {address_digest(address)}"
        await connection.execute(select(func.pg_advisory_xact_lock(func.hashtext(name))))
    last = await last_unused(connection, address, purpose)
    if last is not None and last > now - within:
        return None
    return await make(connection, purpose, address, now=now, subscriber_id=subscriber_id, payload=payload)


async def look(connection: AsyncConnection, purpose: Purpose, key: str, now: datetime) -> OneTimeToken | None:
    """The token of a key, None where it is unknown, used or expired."""
    query = select(one_time_tokens.c.payload, one_time_tokens.c.subscriber_id).where(*_good(purpose, key, now))
    row = (await connection.execute(query)).one_or_none()
    return None if row is None else OneTimeToken(purpose, json.loads(row.payload), row.subscriber_id)


async def use(connection: AsyncConnection, purpose: Purpose, key: str, now: datetime) -> OneTimeToken | None:
    """Use a token up and return it, else None; of several concurrent calls one succeeds."""
    token = await look(connection, purpose, key, now)
    used = await connection.execute(
        update(one_time_tokens)
        .where(*_good(purpose, key, now))
        .values(used_at=now, payload="{}", expires_at=now + LASTS[purpose])
    )
    return token if used.rowcount else None


async def remember_user(connection: AsyncConnection, purpose: Purpose, key: str, subscriber_id: int) -> None:
    """Note which subscriber used a token."""
    mine = one_time_tokens.c.digest == _digest(key), one_time_tokens.c.purpose == purpose.value
    await connection.execute(update(one_time_tokens).where(*mine).values(subscriber_id=subscriber_id))


async def used_by(connection: AsyncConnection, purpose: Purpose, key: str) -> int | None:
    """The subscriber who used a token, while that is remembered; None for any other token."""
    query = select(one_time_tokens.c.subscriber_id).where(
        one_time_tokens.c.digest == _digest(key),
        one_time_tokens.c.purpose == purpose.value,
        one_time_tokens.c.used_at.is_not(None),
    )
    number: int | None = await connection.scalar(query)
    return number


async def last_unused(connection: AsyncConnection, address: Address, purpose: Purpose) -> datetime | None:
    """When the newest token for an address was made that nobody has used."""
    query = select(func.max(one_time_tokens.c.made_at)).where(
        one_time_tokens.c.address_digest == address_digest(address),
        one_time_tokens.c.purpose == purpose.value,
        one_time_tokens.c.used_at.is_(None),
    )
    made: datetime | None = await connection.scalar(query)
    return made


async def end(connection: AsyncConnection, key: str) -> None:
    """Delete the token of a key."""
    await connection.execute(delete(one_time_tokens).where(one_time_tokens.c.digest == _digest(key)))


async def end_all(connection: AsyncConnection, address: Address, subscriber_id: int | None = None) -> None:
    """Delete every token of an address, or of a subscriber."""
    theirs = one_time_tokens.c.address_digest == address_digest(address)
    if subscriber_id is not None:
        theirs = or_(theirs, one_time_tokens.c.subscriber_id == subscriber_id)
    await connection.execute(delete(one_time_tokens).where(theirs))


async def any_old(connection: AsyncConnection, now: datetime) -> bool:
    """Whether `drop_old` would find anything."""
    return await connection.scalar(select(one_time_tokens.c.digest).where(*_old(now)).limit(1)) is not None


async def drop_old(connection: AsyncConnection, now: datetime) -> int:
    """Delete expired tokens that are at least an hour old. Returns how many there were."""
    return (await connection.execute(delete(one_time_tokens).where(*_old(now)))).rowcount


async def drop_all(connection: AsyncConnection) -> None:
    """Delete every token: in a restored backup, those used since would be valid again."""
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
