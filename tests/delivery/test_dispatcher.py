"""The dispatcher on both databases: when it sends, what it repeats, what a stop or a crash leaves."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bot.channel import Deferred, Pace, Rate, Sent, Unknown
from bot.delivery.dead_senders import SWEEP
from bot.delivery.dispatcher import Dispatcher
from bot.delivery.draining import drain_when_told
from bot.model import Preferences, State, Status
from bot.runtime.locks import Locks, holding
from bot.store import Store, claiming
from tests.support.dispatching import AT_ONCE, HOUR, MINUTE, adds_up, answers, row, states, status
from tests.support.fake_channel import NOW, FakeChannel, publish, settle


async def test_everybody_gets_it_once_and_each_at_their_own_hour(store: Store, locks: Locks) -> None:
    channel = FakeChannel()
    dispatcher = Dispatcher(store, channel, locks)
    await publish(store, {"ada": AT_ONCE, "bo": Preferences(hour=23 * 60), "cy": AT_ONCE})
    await settle(dispatcher, NOW)
    assert sorted(channel.reached) == ["ada", "cy"]
    await settle(dispatcher, NOW + HOUR)
    await settle(dispatcher, NOW + 2 * HOUR)
    assert sorted(channel.reached) == ["ada", "bo", "cy"]
    assert await states(store) == {"sent": 3}
    assert await adds_up(store)


async def test_a_busy_reader_delays_nobody_else(store: Store, locks: Locks) -> None:
    channel = FakeChannel(answer=answers(bo=Deferred("busy", 1800)))
    dispatcher = Dispatcher(store, channel, locks)
    await publish(store, dict.fromkeys(("ada", "bo", "cy"), AT_ONCE))
    await settle(dispatcher, NOW)
    assert await states(store) == {"sent": 2, "owed": 1}
    channel.answer = answers()
    await settle(dispatcher, NOW + 29 * MINUTE)
    assert await states(store) == {"sent": 2, "owed": 1}
    # 22:30 is night, but within an hour of the reader's own hour.
    await settle(dispatcher, NOW + 30 * MINUTE)
    assert await states(store) == {"sent": 3}


async def test_a_retry_waits_for_the_morning_and_no_longer_than_the_edition_lives(store: Store, locks: Locks) -> None:
    channel = FakeChannel(answer=answers(bo=Deferred("busy", 2 * 3600), cy=Deferred("busy", 24 * 3600)))
    dispatcher = Dispatcher(store, channel, locks)
    await publish(store, {"bo": AT_ONCE, "cy": AT_ONCE})
    await settle(dispatcher, NOW)
    assert (await row(store, "bo"))["next_at"] == NOW.replace(day=4, hour=7)
    assert (await row(store, "cy"))["state"] == State.EXPIRED
    assert await adds_up(store)


@pytest.mark.parametrize("repeats", [True, False])
async def test_an_unknown_end_is_repeated_twice_at_most_or_parked(store: Store, locks: Locks, repeats: bool) -> None:
    channel = FakeChannel(answer=lambda to, message, personal: Unknown("no answer"), repeats_unknown=repeats)
    dispatcher = Dispatcher(store, channel, locks)
    await publish(store, {"bo": AT_ONCE})
    for minute in range(10):  # with a pause before each repeat
        await settle(dispatcher, NOW + minute * MINUTE)
        assert len(channel.sent) <= minute + 1
    assert await states(store) == {"unknown": 1}
    assert [personal.repeat for _, _, personal in channel.sent] == ([0, 1, 2] if repeats else [0])
    assert len({personal.key for _, _, personal in channel.sent}) == 1
    assert await status(store, "bo") is Status.ACTIVE


async def test_a_channel_that_raises_costs_one_delivery_its_certainty_and_nobody_else(
    store: Store, locks: Locks
) -> None:
    channel = FakeChannel(
        answer=lambda to, message, personal: RuntimeError("a bug") if to == "bo" else Sent(), repeats_unknown=False
    )
    dispatcher = Dispatcher(store, channel, locks)
    await publish(store, dict.fromkeys(("ada", "bo", "cy"), AT_ONCE))
    await settle(dispatcher, NOW)
    assert await states(store) == {"sent": 2, "unknown": 1}


async def test_no_more_are_in_flight_than_the_channel_allows(store: Store, locks: Locks) -> None:
    channel = FakeChannel(pace=Pace(concurrency=3), hold=asyncio.Event())
    dispatcher = Dispatcher(store, channel, locks)
    await publish(store, {f"r{number}": AT_ONCE for number in range(10)})
    await dispatcher.step(NOW)
    await dispatcher.step(NOW)
    assert await states(store) == {"owed": 7, "sending": 3}
    assert channel.hold is not None
    channel.hold.set()
    await settle(dispatcher, NOW)
    assert await states(store) == {"sent": 10}


async def test_stopping_calls_back_what_has_not_left_and_lists_what_has(store: Store, locks: Locks) -> None:
    # One leaves at once, two wait for the pace.
    channel = FakeChannel(pace=Pace(concurrency=3, account=Rate(1, 3600)), hold=asyncio.Event())
    dispatcher = Dispatcher(store, channel, locks)
    await publish(store, {f"r{number}": AT_ONCE for number in range(5)})
    await dispatcher.step(NOW)
    await channel.busy.wait()
    await dispatcher.finish(NOW, patience=0)
    assert await states(store) == {"owed": 4, "unknown": 1}


async def test_draining_waits_for_the_turn_that_is_under_way(
    store: Store, locks: Locks, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it has claimed is not in flight yet."""
    channel = FakeChannel(pace=Pace(concurrency=3), hold=asyncio.Event())
    dispatcher = Dispatcher(store, channel, locks)
    await publish(store, {f"r{number}": AT_ONCE for number in range(5)})
    dispatcher.hurries = False
    told, stop, claim = asyncio.Event(), asyncio.Event(), claiming.claim
    draining = asyncio.create_task(drain_when_told(store, [dispatcher], told, stop))

    async def claim_and_drain(*given: Any, **named: Any) -> Any:
        claimed = await claim(*given, **named)
        told.set()
        while not dispatcher.draining:  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0)
        assert not stop.is_set()
        return claimed

    monkeypatch.setattr(claiming, "claim", claim_and_drain)
    await dispatcher.step(NOW)
    assert not stop.is_set()
    assert channel.hold is not None
    channel.hold.set()
    await settle(dispatcher, NOW)
    await draining
    assert stop.is_set()
    assert await states(store) == {"owed": 2, "sent": 3}


async def test_what_a_lost_process_had_in_flight_is_listed_as_unknown_and_then_repeated(
    store: Store, locks: Locks
) -> None:
    channel = FakeChannel(hold=asyncio.Event(), pace=Pace(concurrency=2))
    lost = Dispatcher(store, channel, locks)
    await publish(store, {f"r{number}": AT_ONCE for number in range(5)})
    async with holding(locks, *lost.roles()):
        await lost.step(NOW)
        heir = Dispatcher(store, FakeChannel(repeats_unknown=False), locks)
        await settle(heir, NOW)
        assert await states(store) == {"sending": 2, "sent": 3}
    await settle(heir, NOW + SWEEP)
    assert await states(store) == {"unknown": 2, "sent": 3}
    heir = Dispatcher(store, FakeChannel(), locks)
    await settle(heir, NOW + 2 * SWEEP)
    assert await states(store) == {"sent": 5}
    # The lost one comes back to life: nothing that it says counts any more.
    assert channel.hold is not None
    channel.hold.set()
    await lost.finish(NOW + 3 * SWEEP, patience=5)
    assert await states(store) == {"sent": 5}


async def test_what_could_not_be_written_down_is_written_down_later(store: Store, locks: Locks) -> None:
    channel = FakeChannel()
    dispatcher = Dispatcher(store, channel, locks)
    dispatcher.hurries = False  # as in test_turns.py
    await publish(store, {"ada": AT_ONCE})
    await dispatcher.step(NOW)
    await dispatcher.attempt_ended.wait()
    write, store.write = store.write, _broken  # type: ignore[method-assign, assignment]
    with pytest.raises(OSError, match="disk full"):
        await dispatcher.step(NOW)
    store.write = write  # type: ignore[method-assign]
    await settle(dispatcher, NOW)
    assert await states(store) == {"sent": 1}
    assert channel.reached == ["ada"]


def _broken() -> object:
    raise OSError("disk full")


async def test_nobody_is_woken_up_by_what_comes_late(store: Store, locks: Locks) -> None:
    channel = FakeChannel()
    await publish(store, {"ada": AT_ONCE, "bo": Preferences(hour=2 * 60)})
    # We were down from 22:00 until 01:30, and bo's own hour is near.
    await settle(Dispatcher(store, channel, locks), NOW + 3 * HOUR + 30 * MINUTE)
    assert channel.reached == []
    assert (await row(store, "ada"))["next_at"] == NOW.replace(day=4, hour=7)
    assert (await row(store, "ada"))["attempts"] == 0
    await settle(Dispatcher(store, channel, locks), NOW + 4 * HOUR)
    assert channel.reached == ["bo"]
    await settle(Dispatcher(store, channel, locks), NOW.replace(day=4, hour=7))
    assert channel.reached == ["bo", "ada"]


async def test_what_was_claimed_in_a_commit_without_an_answer_is_owed_again(store: Store, locks: Locks) -> None:
    channel = FakeChannel()
    dispatcher = Dispatcher(store, channel, locks)
    await publish(store, {"ada": AT_ONCE, "bo": AT_ONCE})
    turn = dispatcher._turn

    async def cut(*given: object, **named: object) -> None:
        await turn(*given, **named)  # type: ignore[arg-type]
        raise ConnectionError("the answer to COMMIT never came")

    dispatcher._turn = cut  # type: ignore[method-assign]
    with pytest.raises(ConnectionError):
        await dispatcher.step(NOW)
    dispatcher._turn = turn  # type: ignore[method-assign]
    await settle(dispatcher, NOW)
    assert await states(store) == {"sent": 2}
    assert sorted(channel.reached) == ["ada", "bo"]
