"""What follows from the outcome of a send for the delivery, the subscriber and the channel."""

from __future__ import annotations

import asyncio
from datetime import datetime, time, timedelta

import pytest
from sqlalchemy import select

from bot.channel import Barred, Deferred, Gone, Outcome, Pace, Sent, Unknown
from bot.commands import ReaderCommands
from bot.delivery.dispatcher import Dispatcher
from bot.model import Address, Preferences, Status
from bot.runtime.locks import Locks
from bot.store import Store, subscriber_queries
from bot.store.schema import deliveries
from tests.support.dispatching import AT_ONCE, HOUR, MINUTE, adds_up, answers, row, states, status
from tests.support.fake_channel import DAY, NOW, FakeChannel, publish, settle


async def test_a_wait_of_the_whole_channel_is_stored_and_lasts_exactly_as_long(store: Store, locks: Locks) -> None:
    channel = FakeChannel(
        answer=lambda to, message, personal: Deferred("flood", 600, "channel"), pace=Pace(concurrency=1)
    )
    other = FakeChannel(name="other")
    await publish(store, {"ada": AT_ONCE, "bo": AT_ONCE})
    async with store.write() as connection:
        await subscriber_queries.add(connection, Address("other", "eve"), AT_ONCE, now=NOW)
    await publish(store, {}, day=DAY + timedelta(days=1), now=NOW)
    await settle(Dispatcher(store, channel, locks), NOW)
    assert len(channel.sent) == 1
    await settle(Dispatcher(store, other, locks), NOW)
    assert other.reached == ["eve"]
    channel.answer = answers()
    restarted = Dispatcher(store, channel, locks)
    await settle(restarted, NOW + 10 * MINUTE - timedelta(seconds=1))
    assert len(channel.sent) == 1
    await settle(restarted, NOW + 10 * MINUTE)
    assert sorted(channel.reached[1:]) == ["ada", "bo"]


async def test_a_wrong_login_for_a_night_loses_nobody(store: Store, locks: Locks) -> None:
    channel = FakeChannel(answer=lambda to, message, personal: Deferred("our token is wrong", None, "channel"))
    dispatcher = Dispatcher(store, channel, locks)
    readers = {f"r{number}": Preferences() for number in range(30)}
    await publish(store, readers)
    morning = NOW + 10 * HOUR
    for step in range(0, 8 * 60, 5):
        await settle(dispatcher, morning + step * MINUTE)
    assert len(channel.sent) < 20 * 30
    channel.answer = answers()
    await settle(dispatcher, morning + 9 * HOUR)
    assert await states(store) == {"sent": 30}
    assert {await status(store, name) for name in readers} == {Status.ACTIVE}


async def test_who_is_gone_is_gone_and_owed_nothing_more(store: Store, locks: Locks) -> None:
    channel = FakeChannel(answer=answers(bo=Gone("blocked by the user"), cy=Barred("no right to post")))
    dispatcher = Dispatcher(store, channel, locks)
    await publish(store, dict.fromkeys(("ada", "bo", "cy"), AT_ONCE))
    await settle(dispatcher, NOW)
    assert await states(store) == {"sent": 1, "gone": 1, "barred": 1}
    assert [await status(store, name) for name in ("ada", "bo", "cy")] == [Status.ACTIVE, Status.GONE, Status.PAUSED]
    await publish(store, {}, day=DAY + timedelta(days=1), now=NOW + 24 * HOUR)
    await settle(dispatcher, NOW + 24 * HOUR)
    assert channel.reached.count("bo") == channel.reached.count("cy") == 1
    assert await adds_up(store)


async def test_a_reader_who_moved_is_found_at_the_new_address(store: Store, locks: Locks) -> None:
    channel = FakeChannel(answer=answers(bo=Sent(moved_to="bo2")))
    dispatcher = Dispatcher(store, channel, locks)
    await publish(store, {"bo": AT_ONCE})
    await settle(dispatcher, NOW)
    await publish(store, {}, day=DAY + timedelta(days=1), now=NOW + 24 * HOUR)
    await settle(dispatcher, NOW + 24 * HOUR)
    assert channel.reached == ["bo", "bo2"]


class Odd:
    """What no channel should answer with."""


@pytest.mark.parametrize(
    ("answer", "ends"),
    [
        (None, {"unknown": 1}),
        (Odd(), {"unknown": 1}),
        (Sent(receipt="a\x00b\ud800c"), {"sent": 1}),
        (Gone("550 <bobbin> \x00\ud800 unknown\x1b[31m" * 100), {"gone": 1}),
        (Deferred("busy", float("nan")), {"owed": 1}),
        (Deferred("busy", float("inf"), "channel"), {"owed": 1}),
        (Deferred("busy", -1, "channel"), {"owed": 1}),
    ],
)
async def test_no_answer_of_a_service_can_block_a_channel(
    store: Store, locks: Locks, answer: Outcome, ends: dict[str, int]
) -> None:
    channel = FakeChannel(answer=lambda to, message, personal: answer, repeats_unknown=False)
    await publish(store, {"bobbin": AT_ONCE})
    await settle(Dispatcher(store, channel, locks), NOW)
    assert await states(store) == ends
    assert "bobbin" not in str((await row(store, "bobbin"))["reason"])


async def test_who_pauses_while_a_message_is_in_flight_is_not_sent_it_again(store: Store, locks: Locks) -> None:
    channel = FakeChannel(answer=answers(bo=Deferred("busy", 60)), hold=asyncio.Event())
    dispatcher = Dispatcher(store, channel, locks)
    await publish(store, {"bo": AT_ONCE})
    await dispatcher.step(NOW)
    await channel.busy.wait()
    async with store.write() as connection:
        reader = await subscriber_queries.get(connection, Address("fake", "bo"))
        assert reader is not None
        await subscriber_queries.pause(connection, reader.id, until=None, now=NOW)
    assert channel.hold is not None
    channel.hold.set()
    await settle(dispatcher, NOW)
    await settle(dispatcher, NOW + 5 * MINUTE)
    assert channel.reached == ["bo"]
    assert await states(store) == {"skipped": 1}


async def test_a_place_that_lets_us_post_again_is_resumed_and_a_readers_own_pause_is_not(
    store: Store, locks: Locks
) -> None:
    told: list[str] = []

    def alert(event: str, now: datetime, *, level: int = 0, **fields: object) -> None:
        told.append(event)

    channel = FakeChannel(answer=answers(bo=Barred("not an admin any more")))
    await publish(store, {"bo": AT_ONCE, "cy": AT_ONCE})
    await settle(Dispatcher(store, channel, locks, alert=alert), NOW)
    assert told == ["chat paused, no right to post"]
    async with store.write() as connection:
        cy = await subscriber_queries.get(connection, Address("fake", "cy"))
        assert cy is not None
        await subscriber_queries.pause(connection, cy.id, until=None, now=NOW)
    readers = ReaderCommands(store, [channel], fallback=Preferences(), closes=time(22))
    assert await readers.permitted(Address("fake", "bo"))
    assert not await readers.permitted(Address("fake", "bo"))
    assert not await readers.permitted(Address("fake", "cy"))
    assert [await status(store, name) for name in ("bo", "cy")] == [Status.ACTIVE, Status.PAUSED]


async def test_a_reader_who_was_forgotten_with_an_unknown_end_keeps_nobody_busy(store: Store, locks: Locks) -> None:
    channel = FakeChannel(answer=answers(bo=Unknown("no answer")))
    dispatcher = Dispatcher(store, channel, locks)
    await publish(store, {"bo": AT_ONCE})
    await dispatcher.step(NOW)
    await dispatcher.attempt_ended.wait()
    async with store.write() as connection:
        reader = await subscriber_queries.get(connection, Address("fake", "bo"))
        assert reader is not None
        await subscriber_queries.forget(connection, reader.id, now=NOW)
    assert await dispatcher.step(NOW)
    assert not await dispatcher.step(NOW + 10 * MINUTE)
    assert await states(store) == {"unknown": 1}
    assert await adds_up(store)


@pytest.mark.parametrize("how", ["leave", "pause"])
async def test_whoever_left_while_we_were_barred_is_not_brought_back(store: Store, locks: Locks, how: str) -> None:
    channel = FakeChannel(answer=answers(bo=Barred("not an admin any more")), hold=asyncio.Event())
    dispatcher = Dispatcher(store, channel, locks)
    await publish(store, {"bo": AT_ONCE})
    await dispatcher.step(NOW)
    await channel.busy.wait()
    async with store.write() as connection:
        bo = await subscriber_queries.get(connection, Address("fake", "bo"))
        assert bo is not None
        if how == "leave":
            await subscriber_queries.unsubscribe(connection, bo.id, now=NOW)
        else:
            await subscriber_queries.pause(connection, bo.id, until=NOW + timedelta(days=9), now=NOW)
    assert channel.hold is not None
    channel.hold.set()
    await settle(dispatcher, NOW)
    async with store.write() as connection:
        assert not await subscriber_queries.resume_barred(connection, Address("fake", "bo"))
        after = await subscriber_queries.get(connection, Address("fake", "bo"))
    assert after is not None
    assert after.status is (Status.UNSUBSCRIBED if how == "leave" else Status.PAUSED)
    assert (after.paused_until is not None) == (how == "pause")


@pytest.mark.parametrize("outcome", [Gone("blocked"), Sent(receipt="bo.html", moved_to="elsewhere")])
async def test_what_becomes_of_a_forgotten_reader_does_not_touch_who_has_their_number(
    store: Store, locks: Locks, outcome: Gone | Sent
) -> None:
    channel = FakeChannel(answer=lambda to, message, personal: outcome, hold=asyncio.Event())
    dispatcher = Dispatcher(store, channel, locks)
    await publish(store, {"bo": AT_ONCE})
    await dispatcher.step(NOW)
    await channel.busy.wait()
    async with store.write() as connection:
        bo = await subscriber_queries.get(connection, Address("fake", "bo"))
        assert bo is not None
        await subscriber_queries.forget(connection, bo.id, now=NOW)
        await subscriber_queries.add(connection, Address("fake", "cy"), AT_ONCE, now=NOW)
    assert channel.hold is not None
    channel.hold.set()
    await settle(dispatcher, NOW)
    assert await status(store, "cy") is Status.ACTIVE
    async with store.read() as connection:
        assert await connection.scalar(select(deliveries.c.receipt)) is None
