"""Import and export of many subscribers, in batches."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model import Address, Preferences, Status, Subscriber
from bot.store.preference_columns import timing_values
from bot.store.schema import choices, subscribers, suppression_list
from bot.store.subscriber_queries import address_digest, choose, selected, subscriber
from bot.store.upsert import insert

BATCH = 1_000  # rows


@dataclass(frozen=True, slots=True)
class NewSubscriber:
    """A subscriber to import."""

    address: Address
    status: Status
    preferences: Preferences
    created_at: datetime
    paused_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class BatchResult:
    """How many subscribers of a batch were imported, and how many were not."""

    added: int = 0
    known: int = 0
    """Subscribed already, and not changed."""
    suppressed: int = 0
    """On the suppression list, and not imported."""

    def __add__(self, other: BatchResult) -> BatchResult:
        return BatchResult(self.added + other.added, self.known + other.known, self.suppressed + other.suppressed)


class BulkImporter:
    """Stores batches of subscribers; caches the ids of choices, so that a row costs one insert."""

    def __init__(self) -> None:
        self._choices: dict[Preferences, int] = {}

    async def add_batch(self, connection: AsyncConnection, new_subscribers: Sequence[NewSubscriber]) -> BatchResult:
        """Store a batch, except for addresses that are known already or suppressed."""
        fresh = {new.address: new for new in new_subscribers}
        repeated = len(new_subscribers) - len(fresh)
        digests = {address: address_digest(address) for address in fresh}
        query = select(suppression_list.c.digest).where(suppression_list.c.digest.in_(set(digests.values())))
        known_by = set(await connection.scalars(query))
        suppressed = {address for address, own in digests.items() if own in known_by}
        names = [(address.channel, address.recipient) for address in fresh.keys() - suppressed]
        place = (subscribers.c.channel, subscribers.c.recipient)
        known = {Address(*row) for row in await connection.execute(select(*place).where(tuple_(*place).in_(names)))}
        rows = [
            {
                "channel": address.channel,
                "recipient": address.recipient,
                "account": address.account,
                "status": new.status.value,
                "choice_id": await self._choice(connection, new.preferences),
                "created_at": new.created_at,
                "paused_until": new.paused_until,
                **timing_values(new.preferences),
            }
            for address, new in fresh.items()
            if address not in suppressed and address not in known
        ]
        if rows:
            await connection.execute(insert(connection, subscribers).on_conflict_do_nothing(), rows)
        return BatchResult(len(rows), len(known) + repeated, len(suppressed))

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
    """The subscribers that match, in the order in which they subscribed, batch by batch; `limit` 0 for all."""
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
