"""Turns in one round trip, on PostgreSQL: what they do is what other turns do, whatever breaks meanwhile."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import text

from bot.channel import Deferred, Gone, Message, Outcome, Pace, Personal, Sent
from bot.delivery.dispatcher import Dispatcher
from bot.delivery.rush import LONGEST
from bot.model import Delivery
from bot.rules.outcomes import ChannelState
from bot.runtime.locks import Leases, LostError
from bot.store import Store, channel_state, claiming
from bot.store.pipelined_turns import PipelinedTurns
from tests.support.dispatching import AT_ONCE, states
from tests.support.fake_channel import NOW, FakeChannel, publish, settle
from tests.support.postgres import Postgres

READERS = 30
PACE = Pace(concurrency=4)


@pytest.fixture
async def store(postgres: Postgres, migrated: str, tmp_path: Path) -> AsyncIterator[Store]:
    with postgres.borrowed(template=migrated) as name:
        opened = Store.open(postgres.url(name), tmp_path)
        yield opened
        await opened.close()


@pytest.fixture
async def locks(store: Store) -> AsyncIterator[Leases]:
    made = Leases(store.engine.url)
    yield made
    await made.close()


@pytest.fixture
def turns(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How much each pipelined turn claimed."""
    seen: list[int] = []
    turn = PipelinedTurns.turn

    async def counted(self: PipelinedTurns, *given: Any, **named: Any) -> tuple[ChannelState, list[Delivery]]:
        state, found = await turn(self, *given, **named)
        seen.append(len(found))
        return state, found

    monkeypatch.setattr(PipelinedTurns, "turn", counted)
    return seen


async def edition(store: Store, readers: int = READERS) -> None:
    await publish(store, {f"r{number}": AT_ONCE for number in range(readers)})


async def steps(dispatcher: Dispatcher, number: int) -> None:
    for _ in range(number):
        await dispatcher.step(NOW)
        while dispatcher.busy and not dispatcher.attempt_ended.is_set():
            await dispatcher.attempt_ended.wait()


async def stored(store: Store) -> ChannelState:
    async with store.read() as connection:
        return await channel_state.load(connection, "fake")


async def test_a_rush_is_sent_counted_and_ended(store: Store, locks: Leases, turns: list[int]) -> None:
    channel = FakeChannel(pace=PACE)
    dispatcher = Dispatcher(store, channel, locks)
    await locks.take(*dispatcher.roles())
    await edition(store)
    await settle(dispatcher, NOW)
    assert await states(store) == {"sent": READERS}
    assert len(channel.reached) == len(set(channel.reached)) == READERS
    assert len(turns) >= READERS // PACE.concurrency - 1
    assert turns[-1] == 0
    assert (await stored(store)).counts.answers == READERS


async def test_a_pipelined_turn_gives_what_claim_gives(store: Store) -> None:
    await edition(store, 3)
    async with store.write() as connection:
        claimed = await claiming.claim(connection, "fake", owner="a", now=NOW, limit=3)
        await claiming.release(connection, "fake", owner="a", but=())
    pipelined = PipelinedTurns(store, "fake")
    state, found = await pipelined.turn({}, shown={}, owner="b", busy=(), limit=2, now=NOW, expires=True)
    assert state == ChannelState()
    assert found == claimed[:2]
    assert [type(each.reader.preferences) for each in found] == [type(each.reader.preferences) for each in claimed[:2]]
    busy = [each.id for each in found]
    _, rest = await pipelined.turn({}, shown={}, owner="b", busy=busy, limit=2, now=NOW, expires=True)
    assert rest == claimed[2:]
    await pipelined.close()


@pytest.mark.parametrize("answer", [Gone("550 no such user"), Deferred("busy", 30.0, "channel"), Sent(moved_to="new")])
async def test_whatever_is_no_plain_acceptance_ends_the_rush(
    store: Store, locks: Leases, turns: list[int], answer: Outcome
) -> None:
    def odd(to: str, message: Message, personal: Personal) -> Outcome:
        return answer if to == "r9" else Sent()

    dispatcher = Dispatcher(store, FakeChannel(pace=PACE, answer=odd), locks)
    await edition(store)
    for seconds in (0, 31, 120):
        await settle(dispatcher, NOW + timedelta(seconds=seconds))
    found = await states(store)
    assert sum(found.values()) == READERS
    assert found["sent"] >= READERS - 1
    assert turns


async def test_a_channel_that_another_process_has_wait_is_left_alone(
    store: Store, locks: Leases, turns: list[int]
) -> None:
    channel = FakeChannel(pace=PACE)
    dispatcher = Dispatcher(store, channel, locks)
    await edition(store)
    while not turns:
        await dispatcher.step(NOW)
    async with store.write() as connection:
        waits = ChannelState(waits_until=NOW + timedelta(hours=1), waits_for="busy")
        await channel_state.save(connection, "fake", waits)
    before = len(turns)
    await steps(dispatcher, 20)
    assert len(turns) <= before + 1
    assert (await states(store))["owed"] > 0
    await dispatcher.finish(NOW, patience=1)


async def test_a_rush_looks_at_everything_now_and_then(store: Store, locks: Leases, turns: list[int]) -> None:
    dispatcher = Dispatcher(store, FakeChannel(pace=PACE), locks)
    await edition(store)
    now = NOW
    while await dispatcher.step(now) or dispatcher.busy:
        now += LONGEST / 2
        while dispatcher.busy and not dispatcher.attempt_ended.is_set():
            await dispatcher.attempt_ended.wait()
    assert await states(store) == {"sent": READERS}
    assert 0 < len(turns) < READERS // PACE.concurrency


@pytest.mark.parametrize("committed", [True, False])
async def test_a_turn_that_breaks_loses_nobody_and_repeats_nothing(
    store: Store, locks: Leases, turns: list[int], monkeypatch: pytest.MonkeyPatch, committed: bool
) -> None:
    channel = FakeChannel(pace=PACE)
    dispatcher = Dispatcher(store, channel, locks)
    await edition(store)
    while len(turns) < 2:
        await dispatcher.step(NOW)
    turn = PipelinedTurns.turn

    async def torn(self: PipelinedTurns, *given: Any, **named: Any) -> Any:
        if committed:
            await turn(self, *given, **named)
        await self.close(broken=True)
        raise OSError("the line is dead")

    with monkeypatch.context() as patch:
        patch.setattr(PipelinedTurns, "turn", torn)
        with pytest.raises(OSError, match="the line is dead"):
            await dispatcher.step(NOW)
    await settle(dispatcher, NOW)
    assert await states(store) == {"sent": READERS}
    assert len(channel.reached) == len(set(channel.reached)) == READERS


async def test_a_server_that_ends_the_connection_is_asked_again(store: Store, locks: Leases, turns: list[int]) -> None:
    channel = FakeChannel(pace=PACE)
    dispatcher = Dispatcher(store, channel, locks)
    await edition(store)
    while len(turns) < 2:
        await dispatcher.step(NOW)
    async with store.write() as connection:
        ended = "select pg_terminate_backend(pid) from pg_stat_activity where query = 'commit' and state = 'idle'"
        await connection.execute(text(ended))
    with pytest.raises(psycopg.OperationalError):
        await steps(dispatcher, 10)
    await settle(dispatcher, NOW)
    assert await states(store) == {"sent": READERS}
    assert len(channel.reached) == len(set(channel.reached)) == READERS


async def test_under_a_lease_that_is_over_nothing_is_claimed_or_recorded(
    store: Store, locks: Leases, turns: list[int]
) -> None:
    dispatcher = Dispatcher(store, FakeChannel(pace=PACE), locks)
    await locks.take(*dispatcher.roles())
    await edition(store)
    while len(turns) < 2:
        await dispatcher.step(NOW)
    async with store.write() as connection:
        await connection.execute(text("update leases set ends_at = clock_timestamp()"))
    before = await states(store)
    with pytest.raises(LostError):
        await dispatcher.step(NOW)
    assert await states(store) == before
    dispatcher.cut_off()
    await dispatcher.finish(NOW, patience=0)
    assert await states(store) == before


def test_a_rush_needs_a_channel_without_faults() -> None:
    from bot.delivery.rush import Rush

    rush = Rush()
    assert not rush.goes_on([], NOW)
    rush.begin(ChannelState(), NOW, counted=0)
    assert rush.goes_on([], NOW)
    assert not rush.goes_on([], NOW + LONGEST)
    assert not rush.goes_on([], NOW - timedelta(seconds=1))
    for change in ({"failures": 1}, {"halted_at": NOW}, {"waits_until": NOW + LONGEST}, {"rejected_in_a_row": 1}):
        rush.begin(replace(ChannelState(), **change), NOW, counted=0)
        assert not rush.goes_on([], NOW)
