"""Old deliveries become counts: what the report says of an edition stays the same, at every instant."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model import Address, Preferences, State, Status
from bot.store import Store, subscriber_queries
from bot.store.bulk_import import BulkImporter, NewSubscriber
from bot.store.edition_report import Report, reports
from bot.store.former_readers import erase_former
from bot.store.retention import KEEP, fold_old
from bot.store.schema import deliveries, delivery_counts, subscribers
from tests.support.fake_channel import DAY, NOW, publish

READERS = {f"reader-{n}": Preferences() for n in range(12)}
STATES = ["sent"] * 5 + ["gone", "barred", "rejected", "skipped", "unknown", "owed", "sending"]
LATER = NOW + KEEP
HOUR = timedelta(hours=1)


async def lived(store: Store, *, and_next_day: bool = False) -> None:
    """An edition whose deliveries came to every end there is, and perhaps the next one."""
    edition_id = await publish(store, READERS)
    if and_next_day:
        await publish(store, {}, day=DAY + timedelta(days=1), now=NOW + timedelta(days=1))
    async with store.write() as connection:
        ids = list(await connection.scalars(select(deliveries.c.id).where(deliveries.c.edition_id == edition_id)))
        for delivery_id, state in zip(ids, STATES, strict=True):
            ended = None if state in {"owed", "sending"} else NOW + timedelta(minutes=1)
            await connection.execute(
                update(deliveries).where(deliveries.c.id == delivery_id).values(state=state, ended_at=ended)
            )


async def of_all(store: Store) -> Sequence[Report]:
    async with store.read() as connection:
        return await reports(connection)


async def left(store: Store) -> int:
    async with store.read() as connection:
        return int(await connection.scalar(select(func.count()).select_from(deliveries)) or 0)


async def test_old_rows_become_counts_and_young_ones_stay(store: Store) -> None:
    await lived(store, and_next_day=True)
    young, old = await of_all(store)
    assert await fold_old(store, before=NOW + timedelta(seconds=1), batch=5) == 12
    assert await left(store) == 12
    young_then, folded = await of_all(store)
    assert young_then == young
    assert folded.adds_up
    assert folded.audience == 12
    states = dict(old.channels["fake"].states)
    states[State.EXPIRED] = states.pop(State.OWED) + states.pop(State.SENDING)
    assert folded.channels["fake"].states == states
    assert old.channels["fake"].seconds
    assert folded.channels["fake"].seconds == {}


async def test_the_instant_itself_is_kept(store: Store) -> None:
    await lived(store)
    assert await fold_old(store, before=LATER - KEEP) == 0
    assert await left(store) == 12


async def test_a_nameless_row_counts_like_any_other(store: Store) -> None:
    await lived(store)
    async with store.write() as connection:
        await connection.execute(delete(subscribers).where(subscribers.c.recipient == "reader-0"))
    assert await fold_old(store, before=LATER) == 12
    (report,) = await of_all(store)
    assert report.adds_up
    assert report.channels["fake"].states[State.SENT] == 5


async def test_counts_add_to_counts(store: Store) -> None:
    await lived(store)
    async with store.write() as connection:
        first = await connection.scalar(select(func.min(deliveries.c.id)))
        rows = [dict(row) for row in (await connection.execute(select(deliveries))).mappings()]
        await connection.execute(delete(deliveries).where(deliveries.c.id != first))
    await fold_old(store, before=LATER)
    async with store.write() as connection:
        await connection.execute(deliveries.insert(), [row for row in rows if row["id"] != first])
    await fold_old(store, before=LATER, batch=1)
    async with store.read() as connection:
        query = select(delivery_counts.c.state, delivery_counts.c["count"]).order_by(delivery_counts.c.state)
        counted = dict(tuple(row) for row in await connection.execute(query))
    assert counted == {
        "barred": 1, "expired": 2, "gone": 1, "rejected": 1, "sent": 5, "skipped": 1, "unknown": 1
    }  # fmt: skip
    assert await fold_old(store, before=LATER) == 0


async def test_the_sum_holds_at_every_instant(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    await lived(store)
    lefts: list[int] = []
    write = store.write

    @asynccontextmanager
    async def watched() -> AsyncIterator[AsyncConnection]:
        async with write() as connection:
            yield connection
        (report,) = await of_all(store)
        assert report.adds_up
        lefts.append(await left(store))

    monkeypatch.setattr(store, "write", watched)
    assert await fold_old(store, before=LATER, batch=1) == 12
    assert set(range(12)) <= set(lefts)


async def test_readers_who_left_are_erased_after_their_term_and_no_import_brings_them_back(store: Store) -> None:
    names = ("stays", "left", "gone", "back")
    async with store.write() as connection:
        for name in names:
            await subscriber_queries.add(connection, Address("fake", name), Preferences(), now=NOW)
        found = {name: await subscriber_queries.get(connection, Address("fake", name)) for name in names}
        ids = {name: reader.id for name, reader in found.items() if reader is not None}
        await subscriber_queries.unsubscribe(connection, ids["left"], now=NOW)
        await subscriber_queries.mark_gone(connection, ids["gone"], "no such user", now=NOW)
        await subscriber_queries.unsubscribe(connection, ids["back"], now=NOW)
    term = timedelta(days=180)
    assert await erase_former(store, now=NOW, keep=term) == 0
    async with store.write() as connection:
        await subscriber_queries.set_status(connection, ids["back"], Status.ACTIVE)
        await subscriber_queries.unsubscribe(connection, ids["back"], now=NOW + term - HOUR)
    assert await erase_former(store, now=NOW + term - HOUR, keep=term) == 0
    assert await erase_former(store, now=NOW + term, keep=term) == 2
    async with store.write() as connection:
        left = [name for name in names if await subscriber_queries.get(connection, Address("fake", name))]
        shut = [name for name in names if await subscriber_queries.is_suppressed(connection, Address("fake", name))]
        added = await BulkImporter().add_batch(
            connection, [NewSubscriber(Address("fake", "left"), Status.ACTIVE, Preferences(), NOW)]
        )
    assert (left, shut, added.suppressed) == (["stays", "back"], ["left", "gone"], 1)
