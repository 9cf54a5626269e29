"""Rows and answers for tests of the dispatcher."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import select

from bot.channel import Outcome, Personal, Sent
from bot.model import Address, Preferences, Status
from bot.store import Store, subscriber_queries
from bot.store.edition_report import reports
from bot.store.schema import deliveries
from tests.support.fake_channel import Plain

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
AT_ONCE = Preferences(hour=22 * 60)
"""A reader whose hour is the moment of publication."""


async def states(store: Store) -> dict[str, int]:
    """How many deliveries stand how."""
    async with store.read() as connection:
        rows = await connection.scalars(select(deliveries.c.state))
    counted: dict[str, int] = {}
    for state in rows:
        counted[state] = counted.get(state, 0) + 1
    return counted


async def row(store: Store, recipient: str) -> dict[str, object]:
    """The newest delivery of a reader."""
    async with store.read() as connection:
        reader = await subscriber_queries.get(connection, Address("fake", recipient))
        assert reader is not None
        query = select(deliveries).where(deliveries.c.subscriber_id == reader.id).order_by(deliveries.c.id.desc())
        return dict((await connection.execute(query.limit(1))).one()._mapping)


async def status(store: Store, recipient: str) -> Status:
    async with store.read() as connection:
        reader = await subscriber_queries.get(connection, Address("fake", recipient))
    assert reader is not None
    return reader.status


async def adds_up(store: Store) -> bool:
    async with store.read() as connection:
        return all(report.adds_up for report in await reports(connection))


def answers(**by_recipient: Outcome) -> Callable[[str, Plain, Personal], Outcome]:
    """Answer some readers so, all others with success."""
    return lambda to, message, personal: by_recipient.get(to, Sent())
