"""Statistics for operators: readers by status, channel and language, and the latest edition of each kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model import NOTE, Cadence, Kind, State, Status
from bot.store import edition_report
from bot.store.accounts import through
from bot.store.schema import channels, choices, editions, subscribers


@dataclass(frozen=True, slots=True)
class ReaderCounts:
    """Readers by status, and active readers by account and language, the largest group first."""

    statuses: Mapping[Status, int]
    channels: Mapping[str, int]
    languages: Mapping[str, int]
    new: int
    """Readers who subscribed since the given instant and are still subscribed."""


@dataclass(frozen=True, slots=True)
class Latest:
    """The latest edition of a kind: the size of its audience, and its deliveries by state on all channels."""

    kind: Kind
    day: date
    audience: int
    states: Mapping[State, int]


async def census(connection: AsyncConnection, *, since: datetime) -> ReaderCounts:
    """Count the readers."""
    statuses = await _counts(connection, select(subscribers.c.status, func.count()).group_by(subscribers.c.status))
    here = subscribers.c.status.in_([Status.ACTIVE, Status.PAUSED])
    new = select(func.count()).select_from(subscribers).where(here, subscribers.c.created_at >= since)
    return ReaderCounts(
        {status: statuses[status] for status in Status if status in statuses},
        await active_by_account(connection),
        await active_by_language(connection),
        int(await connection.scalar(new) or 0),
    )


async def active_by_account(connection: AsyncConnection) -> dict[str, int]:
    """Active readers by the account that reaches them, such as a bot, the largest group first."""
    return await _active_by(connection, through)


async def active_by_language(connection: AsyncConnection) -> dict[str, int]:
    """Active readers by language, the largest group first."""
    return await _active_by(connection, choices.c.language)


async def _active_by(connection: AsyncConnection, column: ColumnElement[Any]) -> dict[str, int]:
    readers = select(column, func.count()).join_from(subscribers, choices, choices.c.id == subscribers.c.choice_id)
    return await _counts(connection, readers.where(subscribers.c.status == Status.ACTIVE).group_by(column))


async def latest(connection: AsyncConnection) -> Sequence[Latest]:
    """The latest edition of each kind that there is one of."""
    found = []
    kinds: list[Kind] = [*Cadence, NOTE]
    for kind in kinds:
        newest = select(editions).where(editions.c.cadence == kind).order_by(editions.c.day.desc()).limit(1)
        row = (await connection.execute(newest)).one_or_none()
        if row is not None:
            found.append(Latest(kind, row.day, row.audience, await edition_report.count_states(connection, row.id)))
    return found


async def known_accounts(connection: AsyncConnection) -> set[str]:
    """The channels, by account, that have readers or a stored state, configured here or not."""
    theirs = select(through).distinct()
    return {*await connection.scalars(theirs), *await connection.scalars(select(channels.c.channel))}


async def _counts(connection: AsyncConnection, query: Select[*tuple[Any, ...]]) -> dict[str, int]:
    rows = [(name, count) for name, count in await connection.execute(query)]
    return dict(sorted(rows, key=lambda row: (-row[1], row[0])))
