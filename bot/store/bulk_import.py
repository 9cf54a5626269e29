"""Many subscribers at once: stored in batches, read back in order, however many there are."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model import Address, Preferences, Status, Subscriber
from bot.store.schema import choices, subscribers, suppression_list
from bot.store.subscriber_queries import address_digest, choose, selected, subscriber
from bot.store.upsert import insert

BATCH = 1_000


@dataclass(frozen=True, slots=True)
class NewSubscriber:
    """A subscriber to be stored."""

    address: Address
    status: Status
    preferences: Preferences
    created_at: datetime
    paused_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class BatchResult:
    """What became of a batch."""

    added: int = 0
    known: int = 0
    """Subscribed already, and left as they were."""
    suppressed: int = 0
    """They asked to be left alone, and are."""

    def __add__(self, other: BatchResult) -> BatchResult:
        return BatchResult(self.added + other.added, self.known + other.known, self.suppressed + other.suppressed)


class BulkImporter:
    """Stores batches of subscribers. It remembers which choices there are, so that a row costs one insert."""

    def __init__(self) -> None:
        self._choices: dict[Preferences, int] = {}

    async def enrol(self, connection: AsyncConnection, new_subscribers: Sequence[NewSubscriber]) -> BatchResult:
        """Store a batch, but for those who are known already or asked to be left alone."""
        fresh = {recruit.address: recruit for recruit in new_subscribers}
        repeated = len(new_subscribers) - len(fresh)
        digests = {address: address_digest(address) for address in fresh}
        query = select(suppression_list.c.digest).where(suppression_list.c.digest.in_(set(digests.values())))
        known_by = set(await connection.scalars(query))
        left_alone = {address for address, own in digests.items() if own in known_by}
        names = [(address.channel, address.recipient) for address in fresh.keys() - left_alone]
        place = (subscribers.c.channel, subscribers.c.recipient)
        known = {Address(*row) for row in await connection.execute(select(*place).where(tuple_(*place).in_(names)))}
        rows = [
            {
                "channel": address.channel,
                "recipient": address.recipient,
                "status": recruit.status.value,
                "choice_id": await self._choice(connection, recruit.preferences),
                "hour": recruit.preferences.hour,
                "weekdays": recruit.preferences.weekdays,
                "timezone": recruit.preferences.timezone,
                "cadence": recruit.preferences.cadence.value,
                "created_at": recruit.created_at,
                "paused_until": recruit.paused_until,
            }
            for address, recruit in fresh.items()
            if address not in left_alone and address not in known
        ]
        if rows:
            await connection.execute(insert(connection, subscribers).on_conflict_do_nothing(), rows)
        return BatchResult(len(rows), len(known) + repeated, len(left_alone))

    async def _choice(self, connection: AsyncConnection, wanted: Preferences) -> int:
        known = self._choices.get(wanted)
        if known is None:
            known = self._choices[wanted] = await choose(connection, wanted)
        return known


async def everybody(
    connection: AsyncConnection,
    *,
    channel: str | None = None,
    status: Status | None = None,
    language: str | None = None,
    limit: int = 0,
) -> AsyncIterator[list[Subscriber]]:
    """The subscribers of a filter in the order in which they came, batch by batch; `limit` 0 for all."""
    query = selected().order_by(subscribers.c.id).limit(limit or None)
    if channel is not None:
        query = query.where(subscribers.c.channel == channel)
    if status is not None:
        query = query.where(subscribers.c.status == status)
    if language is not None:
        query = query.where(choices.c.language == language)
    result = await connection.stream(query.execution_options(yield_per=BATCH))
    async for rows in result.partitions(BATCH):
        yield [subscriber(row) for row in rows]


async def active_by_channel(connection: AsyncConnection) -> dict[str, int]:
    """How many active subscribers each channel has."""
    query = select(subscribers.c.channel, func.count().label("readers")).where(subscribers.c.status == Status.ACTIVE)
    rows = await connection.execute(query.group_by(subscribers.c.channel))
    return {row.channel: row.readers for row in rows}


async def active_by_language(connection: AsyncConnection) -> dict[str, int]:
    """How many active subscribers read in each language."""
    query = (
        select(choices.c.language, func.count().label("readers"))
        .join(subscribers, subscribers.c.choice_id == choices.c.id)
        .where(subscribers.c.status == Status.ACTIVE)
        .group_by(choices.c.language)
    )
    return {row.language: row.readers for row in await connection.execute(query)}
