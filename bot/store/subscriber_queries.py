"""Subscribers: their status, preferences and suppression."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model import Address, Preferences, Reason, State, Status, Subscriber
from bot.rules.schedule import Rhythm
from bot.store import pending_deliveries
from bot.store.preference_columns import preferences as preferences_of
from bot.store.preference_columns import shaping_values, timing_values
from bot.store.schema import announcements, choices, deliveries, reason_columns, subscribers, suppression_list
from bot.store.upsert import insert

AGAIN_ACTIVE = {"status": Status.ACTIVE.value, "reason": None, "reason_code": None, "paused_until": None}
"""The columns of a subscriber whose pause is over."""


async def add(
    connection: AsyncConnection,
    address: Address,
    preferences: Preferences,
    *,
    now: datetime,
    set_up_by: str | None = None,
) -> int | None:
    """Subscribe an address. Returns its id, or None for a known address, which is not changed.

    `set_up_by` is the recipient id of the person who subscribed a shared place.
    """
    subscriber_id: int | None = await connection.scalar(
        insert(connection, subscribers)
        .values(
            channel=address.channel,
            recipient=address.recipient,
            account=address.account,
            status=Status.ACTIVE.value,
            choice_id=await choose(connection, preferences),
            created_at=now,
            set_up_by=set_up_by,
            **timing_values(preferences),
        )
        .on_conflict_do_nothing()
        .returning(subscribers.c.id)
    )
    return subscriber_id


async def get(connection: AsyncConnection, address: Address, *, lock: bool = False) -> Subscriber | None:
    """The subscriber with this address; with `lock` nobody else changes them before this transaction ends."""
    return await _one(connection, _at(address), lock=lock)


async def numbered(connection: AsyncConnection, subscriber_id: int, *, lock: bool = False) -> Subscriber | None:
    """The subscriber with this id; with `lock` nobody else changes them before this transaction ends."""
    return await _one(connection, subscribers.c.id == subscriber_id, lock=lock)


async def _one(connection: AsyncConnection, theirs: ColumnElement[bool], *, lock: bool) -> Subscriber | None:
    if lock:
        # Before the join and not in it: a row that was waited for is only held against the choices of before.
        await connection.execute(select(subscribers.c.id).where(theirs).with_for_update())
    row = (await connection.execute(selected().where(theirs))).one_or_none()
    return None if row is None else subscriber(row)


def _at(address: Address) -> ColumnElement[bool]:
    return and_(subscribers.c.channel == address.channel, subscribers.c.recipient == address.recipient)


def selected() -> Select[Any]:
    """Subscribers joined with their choices: what `subscriber` reads."""
    return select(subscribers, *(column for column in choices.c if column.name != "id")).join(
        choices, choices.c.id == subscribers.c.choice_id
    )


async def set_status(
    connection: AsyncConnection, subscriber_id: int, status: Status, code: Reason | None = None, text: str | None = None
) -> None:
    """Change a subscriber's status, with a reason unless they are active; `text` is the service's own reason."""
    reason = {"reason": None, "reason_code": None} if code is None else reason_columns(code, text)
    await connection.execute(
        update(subscribers)
        .where(subscribers.c.id == subscriber_id)
        .values(status=status.value, paused_until=None, left_at=None, **reason)
    )


async def move(connection: AsyncConnection, subscriber_id: int, recipient: str) -> None:
    """Store a subscriber's new recipient id. If another subscription has it already, this one ends."""
    other = subscribers.alias()
    theirs = and_(other.c.channel == subscribers.c.channel, other.c.recipient == recipient, other.c.id != subscriber_id)
    moved = await connection.execute(
        update(subscribers)
        .where(subscribers.c.id == subscriber_id, ~select(other.c.id).where(theirs).exists())
        .values(recipient=recipient)
    )
    if not moved.rowcount:
        await set_status(connection, subscriber_id, Status.GONE, Reason.MERGED)


async def change(connection: AsyncConnection, reader: Subscriber, wanted: Preferences, *, now: datetime) -> None:
    """Change a subscriber's preferences, and reschedule their pending deliveries to the new hour.

    With another cadence, what is owed of the old one is skipped.
    """
    await connection.execute(
        update(subscribers)
        .where(subscribers.c.id == reader.id)
        .values(choice_id=await choose(connection, wanted), **timing_values(wanted))
    )
    before, after = rhythm(reader.preferences), rhythm(wanted)
    if wanted.cadence is not reader.preferences.cadence:
        await pending_deliveries.end_cadence(connection, reader.id, now=now)
    if before != after:
        await pending_deliveries.move(connection, reader.id, after, now=now)


async def pause(connection: AsyncConnection, subscriber_id: int, *, until: datetime | None, now: datetime) -> None:
    """Pause delivery until then, or until resumed. An unsubscribed reader stays unsubscribed."""
    paused = await connection.execute(
        update(subscribers)
        .where(subscribers.c.id == subscriber_id, subscribers.c.status.in_([Status.ACTIVE, Status.PAUSED]))
        .values(status=Status.PAUSED.value, paused_until=until, **reason_columns(Reason.PAUSED, "paused by the reader"))
    )
    if paused.rowcount:
        await pending_deliveries.end(connection, subscriber_id, State.SKIPPED, Reason.PAUSED, now=now)


async def resume(connection: AsyncConnection, subscriber_id: int) -> None:
    """End a pause."""
    await set_status(connection, subscriber_id, Status.ACTIVE)


async def pause_barred(connection: AsyncConnection, subscriber_id: int, reason: str) -> None:
    """Pause an active chat in which we may not post, until `resume_barred`; `reason` is the service's."""
    text = Reason.NO_RIGHT.because(reason)
    await connection.execute(
        update(subscribers)
        .where(subscribers.c.id == subscriber_id, subscribers.c.status == Status.ACTIVE)
        .values(status=Status.PAUSED.value, paused_until=None, **reason_columns(Reason.NO_RIGHT, text))
    )


async def resume_barred(connection: AsyncConnection, address: Address) -> bool:
    """Resume a chat in which this account may post. Returns False if it was not paused for that: other pauses go on."""
    result = await connection.execute(
        update(subscribers)
        .where(_at(address), subscribers.c.status == Status.PAUSED, subscribers.c.reason_code == Reason.NO_RIGHT)
        .values(AGAIN_ACTIVE | {"account": address.account})
    )
    return result.rowcount > 0


async def resume_due(connection: AsyncConnection, *, now: datetime) -> None:
    """Resume all subscribers whose pause is over."""
    await connection.execute(
        update(subscribers)
        .where(subscribers.c.status == Status.PAUSED, subscribers.c.paused_until <= now)
        .values(AGAIN_ACTIVE)
    )


async def mark_gone(connection: AsyncConnection, subscriber_id: int, text: str, *, now: datetime) -> None:
    """End the subscription of an unreachable reader, and its pending deliveries; `text` says why."""
    await set_status(connection, subscriber_id, Status.GONE, Reason.UNREACHABLE, text)
    await pending_deliveries.end(connection, subscriber_id, State.GONE, Reason.UNREACHABLE, text, now=now)


async def unsubscribe(
    connection: AsyncConnection, subscriber_id: int, *, now: datetime, reason: Reason = Reason.UNSUBSCRIBED
) -> None:
    """Unsubscribe, and end pending deliveries; preferences are kept."""
    await set_status(connection, subscriber_id, Status.UNSUBSCRIBED, reason)
    await pending_deliveries.end(connection, subscriber_id, State.SKIPPED, reason, now=now)


async def forget(connection: AsyncConnection, subscriber_id: int, *, now: datetime) -> None:
    """Erase a subscriber. Their deliveries stay without their name, so that an edition's sums still hold.

    What they announced as an operator stays as well, and does not say any more who wrote it.
    """
    row = await connection.execute(
        select(subscribers.c.channel, subscribers.c.recipient).where(subscribers.c.id == subscriber_id)
    )
    for channel, recipient in row.all():
        theirs = announcements.c.author == str(Address(channel, recipient))
        await connection.execute(update(announcements).where(theirs).values(author=None))
    await pending_deliveries.end(connection, subscriber_id, State.SKIPPED, Reason.FORGOTTEN, now=now)
    # A receipt may name the reader, as a file's name does.
    await connection.execute(update(deliveries).where(deliveries.c.subscriber_id == subscriber_id).values(receipt=None))
    await connection.execute(delete(subscribers).where(subscribers.c.id == subscriber_id))


async def suppress(connection: AsyncConnection, address: Address, reason: Reason, *, now: datetime) -> None:
    """Put an address on the suppression list."""
    row = {"channel": address.channel, "digest": address_digest(address), "since": now, **reason_columns(reason)}
    await connection.execute(insert(connection, suppression_list).values(row).on_conflict_do_nothing())


async def is_suppressed(connection: AsyncConnection, address: Address) -> bool:
    """Whether an address is on the suppression list."""
    return await connection.scalar(select(suppression_list.c.since).where(_listed(address))) is not None


async def may_be_asked(connection: AsyncConnection, address: Address) -> bool:
    """Whether an address may be sent a mail that asks for confirmation, which is a reader's own wish.

    Not one whose reader complained or that an operator removed; one that merely left may come back.
    """
    query = select(suppression_list.c.reason_code).where(_listed(address))
    return await connection.scalar(query) in {None, Reason.UNSUBSCRIBED.value, Reason.UNREACHABLE.value}


async def unsuppress(connection: AsyncConnection, address: Address) -> None:
    """Take an address off the suppression list: its reader has asked for it."""
    await connection.execute(delete(suppression_list).where(_listed(address)))


def _listed(address: Address) -> ColumnElement[bool]:
    return and_(suppression_list.c.channel == address.channel, suppression_list.c.digest == address_digest(address))


async def count(connection: AsyncConnection) -> int:
    """The number of subscribers, whatever their status."""
    return int(await connection.scalar(select(func.count()).select_from(subscribers)) or 0)


async def choose(connection: AsyncConnection, wanted: Preferences) -> int:
    """The id of the row of `choices` for these preferences, inserted if it is missing."""
    values = shaping_values(wanted)
    await connection.execute(insert(connection, choices).values(**values).on_conflict_do_nothing())
    same = (choices.c[name] == value for name, value in values.items())
    return int((await connection.execute(select(choices.c.id).where(*same))).scalar_one())


def rhythm(wanted: Preferences) -> Rhythm:
    """The rhythm of a reader with these preferences."""
    return Rhythm(wanted.timezone, wanted.hour, wanted.weekdays)


def address_digest(address: Address) -> str:
    """The hash of an address, as the suppression list has it instead of the address."""
    return hashlib.sha256(str(address).casefold().encode()).hexdigest()


def subscriber(row: Row[*tuple[Any, ...]]) -> Subscriber:
    """The subscriber in a row of `selected`."""
    return Subscriber(
        id=row.id,
        address=Address(row.channel, row.recipient, row.account),
        status=Status(row.status),
        preferences=preferences_of(row),
        created_at=row.created_at,
        reason=row.reason,
        reason_code=None if row.reason_code is None else Reason(row.reason_code),
        paused_until=row.paused_until,
        extras=extras(row.extras),
        set_up_by=None if row.set_up_by is None else Address(row.channel, row.set_up_by),
    )


def extras(stored: str) -> Mapping[str, str]:
    """The values of a channel's own preferences, by name, from the JSON in their column."""
    loaded: dict[str, str] = json.loads(stored) if stored != "{}" else {}
    return loaded
