"""An edition's audience: deliveries are created at publication by INSERT … SELECT; no row passes through Python."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timedelta

from sqlalchemy import (
    Column,
    ColumnElement,
    Integer,
    MetaData,
    String,
    Table,
    and_,
    case,
    func,
    insert,
    literal,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model import Cadence, Reason, State, Status
from bot.rules.schedule import Lateness, Rhythm, Window, announced, window
from bot.store import edition_queries as stored
from bot.store.accounts import through
from bot.store.pending_deliveries import TAKEN_BACK, reopen
from bot.store.schema import RHYTHM, Utc, deliveries, editions, reason_columns, subscribers
from bot.store.subscriber_queries import AGAIN_ACTIVE
from bot.store.upsert import insert as upsert

FARTHEST = timedelta(days=8)
"""Time after publication by which an edition is due to everybody: each reader has at least one day a week."""
COLUMNS = ["edition_id", "subscriber_id", "channel", "state", "due_at", "next_at", "expires_at"]

slots = Table(
    "slots",
    MetaData(),
    Column("timezone", String, primary_key=True),
    Column("hour", Integer, primary_key=True),
    Column("weekdays", Integer, primary_key=True),
    Column("due_at", Utc, nullable=False),
    Column("expires_at", Utc, nullable=False),
    prefixes=["TEMPORARY"],
    sqlite_with_rowid=False,
)
"""When an edition is due, by reader's rhythm; exists while an edition is being published."""


async def owe(
    connection: AsyncConnection,
    edition_id: int,
    cadence: Cadence,
    *,
    published_at: datetime,
    late: Lateness | None = None,
) -> int:
    """Create the deliveries of an edition to every active subscriber of its cadence, each due at their own hour.

    `late` says how late the edition was published, if it was. Older editions that these readers are still owed are
    superseded. Returns the size of the audience.
    """
    await lock_readers(connection)
    await _wake(connection, cadence, published_at)
    theirs = and_(subscribers.c.status == Status.ACTIVE, subscribers.c.cadence == cadence)
    rhythms = await _rhythms(connection, theirs)
    await _supersede(connection, edition_id, cadence, published_at)
    windows = {each: window(each, published_at, late) for each in rhythms}
    audience = await _owe_slots(connection, edition_id, theirs, windows) if windows else 0
    await stored.count_audience(connection, edition_id, audience)
    return audience


async def announce(connection: AsyncConnection, edition_id: int, channel: str | None, *, at: datetime) -> int:
    """Create the deliveries of an announcement to every active subscriber, or to those of one channel.

    Each is due when the reader may next be disturbed, whatever their cadence. The caller has called `lock_readers`, and
    resumed those whose pause is over. Returns the size of the audience.
    """
    everybody = reached_by(channel, at)
    windows = {each: announced(each, at) for each in await _rhythms(connection, everybody)}
    audience = await _owe_slots(connection, edition_id, everybody, windows) if windows else 0
    await stored.count_audience(connection, edition_id, audience)
    return audience


def reached_by(channel: str | None, now: datetime) -> ColumnElement[bool]:
    """The condition for subscribers who get an announcement, on one channel or (None) on all."""
    over = and_(subscribers.c.status == Status.PAUSED, subscribers.c.paused_until <= now)
    active = or_(subscribers.c.status == Status.ACTIVE, over)
    return active if channel is None else and_(active, subscribers.c.channel == channel)


async def lock_readers(connection: AsyncConnection) -> None:
    """Keep everybody from subscribing or changing their hour until this transaction, which publishes, ends.

    The counterpart of `lock_editions`.
    """
    await _gate(connection, "pg_advisory_xact_lock")


async def lock_editions(connection: AsyncConnection) -> None:
    """Keep editions from being published until this transaction, which changes an audience, ends.

    Taken by all code that subscribes somebody or changes their rhythm. It has to be the transaction's first step, to
    avoid deadlocks. SQLite has one writer at a time anyway.
    """
    await _gate(connection, "pg_advisory_xact_lock_shared")


async def _gate(connection: AsyncConnection, lock: str) -> None:
    if connection.dialect.name == "postgresql":
        await connection.execute(text(f"select {lock}(hashtext('morning-papers editions'))"))


async def _rhythms(connection: AsyncConnection, theirs: ColumnElement[bool]) -> list[Rhythm]:
    """The distinct rhythms of the subscribers that match."""
    return [Rhythm(*group) for group in await connection.execute(select(*RHYTHM).where(theirs).distinct())]


async def _wake(connection: AsyncConnection, cadence: Cadence, published_at: datetime) -> None:
    """Resume those whose pause is over by the time at which this edition is due to them."""
    place = (*RHYTHM, subscribers.c.paused_until)
    paused = and_(
        subscribers.c.status == Status.PAUSED,
        subscribers.c.cadence == cadence,
        subscribers.c.paused_until <= published_at + FARTHEST,
    )
    for row in (await connection.execute(select(*place).where(paused).distinct())).all():
        *rhythm, until = row
        if until <= window(Rhythm(*rhythm), published_at).due_at:
            same = and_(*(column == value for column, value in zip(place, row, strict=True)))
            await connection.execute(update(subscribers).where(paused, same).values(AGAIN_ACTIVE))


async def owe_one(connection: AsyncConnection, edition_id: int, subscriber_id: int, account: str, due: Window) -> None:
    """Create one subscriber's delivery of an edition by an account, or reopen one that was skipped by their own act."""
    query = select(deliveries.c.id).where(
        deliveries.c.edition_id == edition_id,
        deliveries.c.subscriber_id == subscriber_id,
        deliveries.c.state == State.SKIPPED,
        deliveries.c.reason_code.in_(TAKEN_BACK),
    )
    skipped = await connection.scalar(query)
    if skipped is not None:
        times = {"due_at": due.due_at, "expires_at": due.expires_at}
        await reopen(connection, skipped, edition_id, next_at=due.due_at, **times)
        return
    made = await connection.execute(
        upsert(connection, deliveries)
        .values(
            edition_id=edition_id,
            subscriber_id=subscriber_id,
            channel=account,
            state=State.OWED.value,
            due_at=due.due_at,
            next_at=due.due_at,
            expires_at=due.expires_at,
        )
        .on_conflict_do_nothing()
    )
    if made.rowcount:
        await stored.count_audience(connection, edition_id, 1)


async def _owe_slots(
    connection: AsyncConnection, edition_id: int, theirs: ColumnElement[bool], windows: Mapping[Rhythm, Window]
) -> int:
    """Create all deliveries with one statement, in the order of subscriber ids; returns how many.

    That order writes the indexes sequentially. A statement for each of a hundred rhythms took SQLite 15 s for a million
    readers, one statement 5 s, and 3 s when it scans subscribers instead of following their index (the hint).
    """
    await connection.run_sync(slots.create, checkfirst=False)
    await connection.execute(slots.insert(), [asdict(rhythm) | asdict(window) for rhythm, window in windows.items()])
    audience = (
        select(
            literal(edition_id).label("edition_id"),
            subscribers.c.id,
            through,
            literal(State.OWED.value),
            slots.c.due_at,
            slots.c.due_at,
            slots.c.expires_at,
        )
        .join(slots, and_(*(column == slots.c[column.name] for column in RHYTHM)))
        .where(theirs)
        .order_by(subscribers.c.id)
        .with_hint(subscribers, "NOT INDEXED", "sqlite")
    )
    statement = insert(deliveries).from_select(COLUMNS, audience)
    made = await connection.execute(statement, execution_options={"preserve_rowcount": True})
    await connection.run_sync(slots.drop, checkfirst=False)
    return made.rowcount


async def _supersede(connection: AsyncConnection, edition_id: int, cadence: Cadence, now: datetime) -> None:
    """Expire what the audience is still owed of older editions, before the new deliveries exist.

    COALESCE makes both databases use the small index on owed deliveries, not every row of every older edition, nearly
    all of them sent long ago (2.8 s for the 300,000 rows of one edition).
    """
    day = select(editions.c.day).where(editions.c.id == edition_id).scalar_subquery()
    older = select(editions.c.id).where(editions.c.cadence == cadence, editions.c.day < day)
    reader = select(subscribers.c.id).where(
        subscribers.c.id == deliveries.c.subscriber_id,
        subscribers.c.status == Status.ACTIVE,
        subscribers.c.cadence == cadence,
    )
    not_reached = deliveries.c.reason_code == Reason.NOT_REACHED
    # What a reader's mailbox answered is counted from one edition to the next.
    kept = {
        name: case((not_reached, deliveries.c[name]), else_=value)
        for name, value in reason_columns(Reason.SUPERSEDED).items()
    }
    await connection.execute(
        update(deliveries)
        .where(deliveries.c.state == State.OWED, func.coalesce(deliveries.c.edition_id, 0).in_(older), reader.exists())
        .values(state=State.EXPIRED.value, ended_at=now, **kept)
    )
