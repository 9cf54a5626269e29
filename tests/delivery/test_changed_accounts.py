"""Readers who change to another account of a channel, such as a second bot: what they are owed comes from that one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.channel import FIRST_ACCOUNT, Barred, Gone
from bot.delivery.dispatcher import Dispatcher
from bot.model import Address, Reason, State, Status
from bot.rules.schedule import Window
from bot.runtime.locks import Locks
from bot.settings import SettingsError
from bot.store import (
    Store,
    accounts,
    audience,
    channel_state,
    claiming,
    operator_queries,
    pending_deliveries,
    subscriber_queries,
    unconfirmed,
)
from bot.store.channel_memory import ChannelMemory
from bot.store.schema import deliveries, reason_columns
from tests.support.dispatching import AT_ONCE, row, states, status
from tests.support.fake_channel import NOW, FakeChannel, publish, settle

OTHER = Address("fake", "bo", "fake.2")
KEYS = ["2", "1"]


async def reader_id(connection: AsyncConnection) -> int:
    reader = await subscriber_queries.get(connection, Address("fake", "bo"))
    assert reader is not None
    return reader.id


async def owe(connection: AsyncConnection, edition: int) -> None:
    due = Window(NOW, NOW + timedelta(hours=9))
    await audience.owe_one(connection, edition, await reader_id(connection), OTHER.via, due)


async def revive(connection: AsyncConnection, edition: int) -> None:
    rhythm = subscriber_queries.rhythm(AT_ONCE)
    await pending_deliveries.revive(connection, await reader_id(connection), AT_ONCE.cadence, rhythm, now=NOW)


async def retry(connection: AsyncConnection, edition: int) -> None:
    assert await operator_queries.retry(connection, operator_queries.DeliveryFilter(channel="fake"), now=NOW) == 1


async def repeat(connection: AsyncConnection, edition: int) -> None:
    (doubtful,) = await unconfirmed.repeatable(connection, "fake", now=NOW)
    await unconfirmed.repeat(connection, doubtful, NOW)


@pytest.mark.parametrize(
    ("ended", "again"),
    [(State.SKIPPED, owe), (State.SKIPPED, revive), (State.EXPIRED, retry), (State.UNKNOWN, repeat)],
    ids=["owe", "revive", "retry", "repeat"],
)
async def test_a_delivery_that_is_owed_again_comes_from_the_account_that_reaches_its_reader_now(
    store: Store, ended: State, again: Callable[[AsyncConnection, int], Awaitable[None]]
) -> None:
    edition = await publish(store, {"bo": AT_ONCE})
    async with store.write() as connection:
        await claiming.claim(connection, "fake", owner="a", now=NOW, limit=1)
        why = reason_columns(Reason.UNSUBSCRIBED) if ended is State.SKIPPED else {}
        await connection.execute(update(deliveries).values(state=ended.value, ended_at=NOW, **why))
        await accounts.hand_over(connection, await reader_id(connection), OTHER)
        await again(connection, edition)
    found = await row(store, "bo")
    assert (found["state"], found["channel"]) == ("owed", OTHER.via)


async def start(connection: AsyncConnection) -> None:
    await accounts.hand_over(connection, await reader_id(connection), OTHER)


async def give_the_right_to_post(connection: AsyncConnection) -> None:
    await subscriber_queries.pause_barred(connection, await reader_id(connection), "no right")
    assert await subscriber_queries.resume_barred(connection, OTHER)


@pytest.mark.parametrize(
    ("refusal", "change"),
    [(Gone("blocked"), start), (Barred("no right"), start), (Barred("no right"), give_the_right_to_post)],
)
async def test_what_one_account_is_refused_while_the_reader_starts_another_is_sent_by_that_one(
    store: Store, locks: Locks, refusal: Gone | Barred, change: Callable[[AsyncConnection], Awaitable[None]]
) -> None:
    before = FakeChannel(answer=lambda to, message, personal: refusal, hold=asyncio.Event())
    dispatcher = Dispatcher(store, before, locks)
    await publish(store, {"bo": AT_ONCE})
    await dispatcher.step(NOW)
    await before.busy.wait()
    async with store.write() as connection:
        await change(connection)
    assert before.hold is not None
    before.hold.set()
    await settle(dispatcher, NOW)
    assert len(before.sent) == 1
    after = FakeChannel(name=OTHER.via)
    await settle(Dispatcher(store, after, locks), NOW)
    assert (after.reached, await states(store), await status(store, "bo")) == (["bo"], {"sent": 1}, Status.ACTIVE)


async def test_what_was_claimed_in_doubt_is_given_back_to_the_account_that_took_it_over(store: Store) -> None:
    await publish(store, {"bo": AT_ONCE})
    async with store.write() as connection:
        assert await claiming.claim(connection, "fake", owner="a", now=NOW, limit=1)
        await accounts.hand_over(connection, await reader_id(connection), OTHER)
        await claiming.release(connection, owner="a", but=())
        assert await claiming.claim(connection, OTHER.via, owner="b", now=NOW, limit=1)


async def test_several_accounts_are_refused_while_nobody_knows_which_of_them_the_readers_started(store: Store) -> None:
    await publish(store, {"bo": AT_ONCE})
    added_before_the_first_start = await accounts.named(store, "fake", KEYS)
    assert [each.name for each in added_before_the_first_start] == ["fake", "fake.1"]
    async with store.write() as connection:
        await channel_state.save(connection, "fake", await channel_state.load(connection, "fake"))
    with pytest.raises(SettingsError, match="start once with the token of that bot alone"):
        await accounts.named(store, "fake", KEYS)
    assert [each.name for each in await accounts.named(store, "fake", ["1"])] == ["fake"]
    await ChannelMemory(store, "fake").put(FIRST_ACCOUNT, "1")
    assert [each.name for each in await accounts.named(store, "fake", KEYS)] == ["fake.2", "fake"]
