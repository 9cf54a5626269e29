"""The store: closing state, channel memory, instants and transactions."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy.exc import StatementError

from bot.model import (
    Found,
)
from bot.rules.closing import ClosingState
from bot.store import (
    Store,
    claiming,
    closing_state,
    paper_queries,
)
from bot.store.channel_memory import ChannelMemory
from bot.store.schema import system_state
from tests.support.stored_papers import CLOSED, MONDAY, NOON, TUESDAY, keep, on_list, paper

# What is known of closing, and what channels remember


async def test_the_ledger_comes_back_as_it_was_written_and_forgets_on_request(store: Store) -> None:
    full = {
        "origin": MONDAY,
        "settled": TUESDAY,
        "polled_at": NOON,
        "attempted_at": NOON + timedelta(microseconds=1),
        "retry_at": CLOSED,
    }
    async with store.write() as connection:
        assert await closing_state.load(connection) == ClosingState()
        await closing_state.save(connection, **full)
        await connection.execute(
            system_state.insert().values(key="something else", value="that is none of its business")
        )
    async with store.write() as connection:
        assert await closing_state.load(connection) == ClosingState(**full)  # type: ignore[arg-type]  # days and instants
        await closing_state.save(connection, settled=MONDAY, retry_at=None)
        assert await closing_state.load(connection) == replace(
            ClosingState(**full),  # type: ignore[arg-type]  # days and instants
            settled=MONDAY,
            retry_at=None,
        )


async def test_each_channel_remembers_for_itself(store: Store) -> None:
    one, two = ChannelMemory(store, "one"), ChannelMemory(store, "two")
    await one.put("key", "1")
    await two.put("key", "2")
    await one.put("key", "3")
    assert (await one.get("key"), await two.get("key"), await two.get("other")) == ("3", "2", None)


async def test_an_instant_without_a_zone_is_refused(store: Store) -> None:
    async with store.write() as connection:
        with pytest.raises(StatementError, match="without a time zone"):
            await claiming.claim(connection, "outbox", owner="me", now=datetime(2025, 11, 3), limit=1)  # noqa: DTZ001


async def test_instants_of_any_zone_come_back_in_utc(store: Store) -> None:
    seoul = datetime.fromisoformat("2025-11-04T07:00:00+09:00")
    await keep(store, paper(listed_at=seoul))
    [kept] = (await on_list(store)).values()
    assert kept.listed_at == seoul
    assert kept.listed_at.utcoffset() == timedelta()


async def test_what_raises_is_undone(store: Store) -> None:
    async def half() -> None:
        async with store.write() as connection:
            await paper_queries.keep(connection, Found([paper()]))
            raise LookupError

    with pytest.raises(LookupError):
        await half()
    assert await on_list(store) == {}
    assert await keep(store, paper()) == 1
