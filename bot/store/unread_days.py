"""List days that the feed did not give although it gave others (bot.rules.closing.UnreadDay)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.rules.closing import UnreadDay
from bot.store.schema import unread_days
from bot.store.upsert import insert


@dataclass(frozen=True, slots=True)
class Changed:
    """The changes that a poll made: days that could not be read for the first time, and days that could again."""

    failing: Mapping[date, str]
    well: Collection[date]


async def load(connection: AsyncConnection) -> dict[date, UnreadDay]:
    """All unread days, the oldest first."""
    rows = await connection.execute(select(unread_days).order_by(unread_days.c.day))
    return {row["day"]: UnreadDay(**row) for row in rows.mappings()}


async def note(
    connection: AsyncConnection,
    asked: Iterable[date],
    failed: Mapping[date, str],
    *,
    settled: date | None,
    now: datetime,
) -> Changed:
    """Note which of the days that a poll asked for it got, and which it did not.

    A day that can be read again is forgotten, unless closing went on without it (`settled`): then it waits, with its
    `read_at`, for an edition of its own.
    """
    known = await load(connection)
    well = [day for day in asked if day not in failed and day in known and known[day].read_at is None]
    late = [day for day in well if settled is not None and day <= settled]
    await forget(connection, [day for day in well if day not in late])
    if late:
        await connection.execute(update(unread_days).where(unread_days.c.day.in_(late)).values(read_at=now))
    failing = {day: why for day, why in failed.items() if day not in known or known[day].read_at is None}
    if failing:
        statement = insert(connection, unread_days)
        await connection.execute(
            statement.on_conflict_do_update(
                index_elements=["day"],
                set_={"tried_at": statement.excluded.tried_at, "reason": statement.excluded.reason},
            ),
            [{"day": day, "failing_since": now, "tried_at": now, "reason": why} for day, why in failing.items()],
        )
    return Changed({day: why for day, why in failing.items() if day not in known}, well)


async def forget(connection: AsyncConnection, days: Collection[date]) -> None:
    """Forget days: they have been read, and their editions are written."""
    if days:
        await connection.execute(delete(unread_days).where(unread_days.c.day.in_(days)))


async def mark_told(connection: AsyncConnection, days: Collection[date]) -> None:
    """Note that the operator has been told of these days."""
    await connection.execute(update(unread_days).where(unread_days.c.day.in_(days)).values(told=True))
