"""Partitions of deliveries on PostgreSQL: one for the editions of each week, made before it and dropped as a whole.

A partition holds a range of edition ids. When a week begins, the ids of editions go on at the beginning of the next
range, which has its partition by then. What has none, because nobody made it, goes into the default partition.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import ARRAY, BigInteger, ColumnElement, any_, bindparam, func, literal_column, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.schema import deliveries, editions

if TYPE_CHECKING:
    from bot.store.database import Store

WIDTH = 10_000
"""Edition ids of a partition. A week has some ten, and filling in the days of three years a thousand."""
AHEAD = 2
"""Partitions that are there: this week's and the next."""
STORAGE = (
    "fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02,"
    " autovacuum_vacuum_cost_delay = 0"
)
"""Each row changes twice within the hour: vacuum has to come early and be quick. Where new versions find room on their
page, the table ends a sixth smaller."""
LONGEST_WAIT = "500ms"
"""Time to wait for a lock on the whole table, behind which everybody else queues. Less than the second after which
PostgreSQL looks for deadlocks (`deadlock_timeout`): so it is this transaction that gives way, and no sender's."""
LOCK_NOT_AVAILABLE, DEADLOCK_DETECTED = "55P03", "40P01"

_PARTITIONS = text(r"""
    select relname as name, (regexp_match(bound, 'FROM \(''(\d+)''\)'))[1]::bigint as first,
        (regexp_match(bound, 'TO \(''(\d+)''\)'))[1]::bigint as end
    from pg_inherits join pg_class on pg_class.oid = inhrelid, pg_get_expr(relpartbound, pg_class.oid) as bound
    where inhparent = 'deliveries'::regclass and bound <> 'DEFAULT'
    order by 3
""")
_NEXT_ID = text("select last_value + is_called::int from editions_id_seq")


class InUseError(Exception):
    """Others hold the table of deliveries; later they may not."""


@dataclass(frozen=True, slots=True)
class Partition:
    """A partition, and the edition ids that it is for."""

    name: str
    first: int | None
    """None in the very first, which has all that came before."""
    end: int
    """One more than the last."""

    def holds(self, edition_id: int) -> bool:
        return (self.first is None or self.first <= edition_id) and edition_id < self.end


def in_editions() -> ColumnElement[bool]:
    """The condition for deliveries of the `editions` that a statement is given, for PostgreSQL.

    It is what lets a plan leave the other partitions out.
    """
    return deliveries.c.edition_id == any_(bindparam("editions", type_=ARRAY(BigInteger)))


def few(ids: ColumnElement[int]) -> ColumnElement[bool]:
    """A hint for PostgreSQL's planner, that a list of `ids` is short; every id meets the condition.

    The planner has no statistics of a list, and takes the default selectivity of BETWEEN, one row in two hundred. So it
    looks them up by their key. Left to its statistics of deliveries, which are from before the edition was published,
    it reads all of a partition to find a thousand rows.
    """
    return ids.between(literal_column("1"), literal_column("9223372036854775807"))


def week_of(at: datetime) -> datetime:
    """When the week of an instant began: Monday, midnight UTC."""
    day = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return day - timedelta(days=day.weekday())


async def make_ahead(store: Store, now: datetime) -> None:
    """Begin this week's partition, if that is still to be done, and have the next one ready.

    Raises InUseError; nothing is changed then. Does nothing on SQLite.
    """
    if store.path is not None:
        return
    async with changing(store) as connection:
        made = False
        there = await partitions(connection)
        upcoming = await next_edition_id(connection)
        current = _of(there, upcoming)
        start = upcoming
        if current is None:
            start = -(-upcoming // WIDTH) * WIDTH
        elif await _is_of_an_earlier_week(connection, current, now):
            start = current.end
        following = start
        for _ in range(AHEAD):
            found = _of(there, following)
            made |= found is None
            following = (found or await _make(connection, following)).end
        if start > upcoming:
            await connection.execute(text("select setval('editions_id_seq', :start, false)"), {"start": start})
    if made:
        async with store.write() as connection:  # autovacuum does so only for each partition by itself
            await connection.execute(text("analyze deliveries"))


async def make_for(connection: AsyncConnection, edition_ids: Collection[int]) -> None:
    """Make the partitions for editions that are copied from another database, with the ids that they have there."""
    there = await partitions(connection)
    for first in sorted({edition_id - edition_id % WIDTH for edition_id in edition_ids}):
        if _of(there, first) is None:
            await _make(connection, first)


async def partitions(connection: AsyncConnection) -> Sequence[Partition]:
    """The partitions in the order of their editions, without the default one."""
    return [Partition(row.name, row.first, row.end) for row in await connection.execute(_PARTITIONS)]


async def next_edition_id(connection: AsyncConnection) -> int:
    """The id that the next edition gets."""
    return int((await connection.execute(_NEXT_ID)).scalar_one())


@asynccontextmanager
async def changing(store: Store) -> AsyncIterator[AsyncConnection]:
    """A transaction that makes or drops partitions. Raises InUseError where others hold the table for too long."""
    with giving_way():
        async with store.write() as connection:
            await connection.execute(text(f"set local lock_timeout = '{LONGEST_WAIT}'"))
            yield connection


@contextmanager
def giving_way() -> Iterator[None]:
    """Raise InUseError where the server ended a wait for a lock."""
    try:
        yield
    except OperationalError as error:
        if getattr(error.orig, "sqlstate", None) not in {LOCK_NOT_AVAILABLE, DEADLOCK_DETECTED}:
            raise
        raise InUseError("the table of deliveries is in use") from error


def _of(there: Sequence[Partition], edition_id: int) -> Partition | None:
    return next((each for each in there if each.holds(edition_id)), None)


async def _is_of_an_earlier_week(connection: AsyncConnection, current: Partition, now: datetime) -> bool:
    """Whether the first edition in a partition that was for readers closed before this week."""
    query = select(func.min(editions.c.closed_at)).where(editions.c.id >= (current.first or 0), editions.c.for_readers)
    began: datetime | None = await connection.scalar(query)
    return began is not None and began < week_of(now)


async def _make(connection: AsyncConnection, first: int) -> Partition:
    """Make a partition apart from the others and attach it, for which nobody who writes deliveries has to wait."""
    made = Partition(f"deliveries_{first}", first, first + WIDTH)
    key = f"constraint pk_{made.name} primary key (id)"
    await connection.execute(
        text(f"create table {made.name} (like deliveries including defaults, {key}) with ({STORAGE})")
    )
    bounds = f"from ({made.first}) to ({made.end})"
    await connection.execute(text(f"alter table deliveries attach partition {made.name} for values {bounds}"))
    return made
