"""Turns in one trip to the database: what they do is what other turns do, whatever breaks meanwhile."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, text, update

from bot.channel import Deferred, Gone, Message, Outcome, Pace, Personal, Sent
from bot.delivery.dispatcher import Dispatcher
from bot.delivery.rush import LONGEST, Rush
from bot.rules.outcomes import ChannelState
from bot.runtime.locks import Locks, LostError, make_locks
from bot.store import DatabaseFault, Store, channel_state, claiming, sqlite_turns
from bot.store.loaded_deliveries import load
from bot.store.pipelined_turns import PipelinedTurns
from bot.store.schema import deliveries, subscribers
from bot.store.sqlite_turns import SqliteTurns
from bot.store.turns import Turn, Wanted
from tests.support.dispatching import AT_ONCE, row, states
from tests.support.fake_channel import NOW, FakeChannel, publish, settle
from tests.support.postgres import Postgres

READERS = 30
PACE = Pace(concurrency=4)
WANTED = Wanted("b", (), (), 2, NOW, expires=True)


def make_turns(store: Store) -> PipelinedTurns | SqliteTurns:
    return PipelinedTurns(store, "fake") if store.path is None else SqliteTurns(store, "fake")


@pytest.fixture
async def server(postgres: Postgres, migrated: str, tmp_path: Path) -> AsyncIterator[Store]:
    with postgres.borrowed(template=migrated) as name:
        opened = Store.open(postgres.url(name), tmp_path)
        yield opened
        await opened.close()


@pytest.fixture
async def leases(server: Store) -> AsyncIterator[Locks]:
    made = make_locks(server.engine.url, None)
    yield made
    await made.close()


@pytest.fixture
def turns(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How much each turn of a rush claimed."""
    seen: list[int] = []

    def watch(kind: type[PipelinedTurns | SqliteTurns]) -> None:
        take = kind.take

        async def counted(self: Any, *given: Any) -> Turn:
            turn = await take(self, *given)
            seen.append(len(turn.claimed))
            return turn

        monkeypatch.setattr(kind, "take", counted)

    watch(PipelinedTurns)
    watch(SqliteTurns)
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


async def test_a_rush_is_sent_counted_and_ended(store: Store, locks: Locks, turns: list[int]) -> None:
    channel = FakeChannel(pace=PACE)
    dispatcher = Dispatcher(store, channel, locks)
    await locks.take(*dispatcher.roles())
    await edition(store)
    await settle(dispatcher, NOW)
    assert await states(store) == {"sent": READERS}
    assert len(channel.reached) == len(set(channel.reached)) == READERS
    assert len(turns) >= READERS // PACE.concurrency - 1
    assert sum(turns) == READERS
    assert turns[-1] < PACE.concurrency
    assert (await stored(store)).counts.answers == READERS


class Slow(FakeChannel):
    """Answers when told to, one message after the other."""

    def __init__(self, pace: Pace) -> None:
        super().__init__(pace=pace)
        self.waiting: deque[asyncio.Event] = deque()

    async def send(self, to: str, message: Message, personal: Personal) -> Outcome:
        self.waiting.append(asyncio.Event())
        await self.waiting[-1].wait()
        return await super().send(to, message, personal)


async def test_in_each_turn_no_sender_has_more_in_doubt_than_it_may_send_at_once(
    store: Store, locks: Locks, turns: list[int]
) -> None:
    """What is in doubt after a crash is what is `sending`; nothing is claimed ahead of that."""
    pace = Pace(concurrency=4, exclusive=False)
    channels = [Slow(pace), Slow(pace)]
    dispatchers = [Dispatcher(store, channel, locks) for channel in channels]
    await locks.take(*dispatchers[0].roles(), *dispatchers[1].roles())
    await edition(store)
    owned = select(deliveries.c.owner, func.count()).where(deliveries.c.owner.is_not(None)).group_by(deliveries.c.owner)
    seen = 0
    while (await states(store)).get("sent", 0) < READERS:
        for channel, dispatcher in zip(channels, dispatchers, strict=True):
            await dispatcher.step(NOW)
            await asyncio.sleep(0)  # what it claimed is on its way
            for _ in range(min(3, len(channel.waiting))):
                channel.waiting.popleft().set()
            async with store.read() as connection:
                counts = [count for _, count in await connection.execute(owned)]
            assert all(count <= pace.concurrency for count in counts)
            seen = max([seen, *counts])
    assert seen == pace.concurrency
    assert len(turns) > len(dispatchers)


async def test_a_turn_gives_what_claim_gives(store: Store) -> None:
    await edition(store, 3)
    async with store.write() as connection:
        claimed = await claiming.claim(connection, "fake", owner="a", now=NOW, limit=3)
        await claiming.release(connection, owner="a", but=())
    taken = make_turns(store)
    turn = await taken.take(WANTED, {})
    assert (turn.state, turn.claimed) == (ChannelState(), claimed[:2])
    assert [type(each.reader.preferences) for each in turn.claimed] == [
        type(each.reader.preferences) for each in claimed[:2]
    ]
    async with store.read() as connection:
        assert await load(connection, [each.id for each in turn.claimed]) == turn.claimed
    rest = await taken.take(replace(WANTED, accepted=[(turn.claimed[0], "r")], busy=[turn.claimed[1].id]), {})
    assert rest.claimed == claimed[2:]
    assert await states(store) == {"sent": 1, "sending": 2}
    found = await row(store, "r0")
    assert (found["receipt"], found["ended_at"], found["owner"], found["attempts"]) == ("r", NOW, None, 1)
    await taken.close()


async def test_a_turn_goes_on_behind_what_was_reached_and_a_rush_begins_at_the_beginning(server: Store) -> None:
    await edition(server, 4)
    taken = PipelinedTurns(server, "fake")
    turn = await taken.take(replace(WANTED, limit=3), {})
    assert turn.reached == (NOW, turn.claimed[-1].id)
    async with server.write() as connection:
        await claiming.release(connection, owner="b", but=[turn.claimed[1].id])
    onwards = await taken.take(replace(WANTED, reached=turn.reached), {})
    assert [each.reader.to for each in onwards.claimed] == ["r3"]
    again = await taken.take(replace(WANTED, reached=onwards.reached), {})
    assert again.claimed == []
    assert again.reached == onwards.reached
    rush = Rush()
    rush.took(onwards, [], 1)
    assert rush.reached == onwards.reached
    rush.begin(ChannelState(), NOW)
    assert rush.reached is None
    assert [each.reader.to for each in (await taken.take(WANTED, {})).claimed] == ["r0", "r2"]
    await taken.close()


async def test_a_turn_records_nothing_that_is_not_its_owners(store: Store) -> None:
    await edition(store, 1)
    taken = make_turns(store)
    turn = await taken.take(WANTED, {})
    await taken.take(replace(WANTED, owner="c", accepted=[(turn.claimed[0], "r")]), {})
    assert await states(store) == {"sending": 1}
    await taken.close()


async def test_what_is_too_late_or_whose_reader_left_is_not_sent(store: Store) -> None:
    await edition(store, 3)
    async with store.write() as connection:
        await connection.execute(update(subscribers).where(subscribers.c.recipient == "r1").values(status="paused"))
    taken, late = make_turns(store), NOW + timedelta(days=9)
    turn = await taken.take(WANTED, {})
    assert [each.reader.to for each in turn.claimed] == ["r0"]
    busy = [each.id for each in turn.claimed]
    assert (await taken.take(replace(WANTED, now=late, busy=busy), {})).claimed == []
    await taken.close()
    if store.path is not None:
        assert not turn.is_plain
    assert set(await states(store)) <= {"sending", "skipped", "expired", "owed"}


@pytest.mark.parametrize("answer", [Gone("550 no such user"), Deferred("busy", 30.0, "channel"), Sent(moved_to="new")])
async def test_whatever_is_no_plain_acceptance_ends_the_rush(
    store: Store, locks: Locks, turns: list[int], answer: Outcome
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
    store: Store, locks: Locks, turns: list[int]
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


@pytest.mark.parametrize("state", [ChannelState(halted_at=NOW, probe_at=NOW), ChannelState(waits_until=NOW + LONGEST)])
async def test_a_turn_claims_nothing_of_a_channel_that_another_process_stopped(
    store: Store, state: ChannelState
) -> None:
    await edition(store, 4)
    taken = make_turns(store)
    busy = [each.id for each in (await taken.take(replace(WANTED, limit=1), {})).claimed]
    async with store.write() as connection:
        await channel_state.save(connection, "fake", state)
    turn = await taken.take(replace(WANTED, busy=busy), {})
    assert (turn.state, turn.claimed, turn.reached) == (state, [], None)
    assert await states(store) == {"owed": 3, "sending": 1}
    await taken.close()


async def test_a_turn_raises_the_faults_that_every_caller_knows(store: Store) -> None:
    taken = make_turns(store)
    await taken.take(WANTED, {})
    async with store.write() as connection:
        await connection.execute(text("alter table channels rename to elsewhere"))
    with pytest.raises(DatabaseFault, match="channels"):
        await taken.take(WANTED, {})
    await taken.close()


async def test_a_rush_looks_at_everything_now_and_then(store: Store, locks: Locks, turns: list[int]) -> None:
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
    store: Store, locks: Locks, turns: list[int], monkeypatch: pytest.MonkeyPatch, committed: bool
) -> None:
    channel = FakeChannel(pace=PACE)
    dispatcher = Dispatcher(store, channel, locks)
    await edition(store)
    while len(turns) < 2:
        await dispatcher.step(NOW)
    kind = type(make_turns(store))
    take = kind.take

    async def torn(self: Any, *given: Any) -> Any:
        if committed:
            await take(self, *given)
        await self.close()
        raise OSError("the line is dead")

    with monkeypatch.context() as patch:
        patch.setattr(kind, "take", torn)
        with pytest.raises(OSError, match="the line is dead"):
            await dispatcher.step(NOW)
    await settle(dispatcher, NOW)
    assert await states(store) == {"sent": READERS}
    assert len(channel.reached) == len(set(channel.reached)) == READERS


async def test_a_turn_that_fails_in_the_middle_changes_nothing(
    store: Store, locks: Locks, monkeypatch: pytest.MonkeyPatch
) -> None:
    if store.path is None:
        pytest.skip("the server rolls back by itself")
    await edition(store, 3)
    taken = make_turns(store)

    def broken() -> object:
        raise OSError("in the middle")

    with monkeypatch.context() as patch:
        patch.setattr(sqlite_turns, "_claim", broken)
        with pytest.raises(OSError, match="in the middle"):
            await taken.take(WANTED, {})
    assert await states(store) == {"owed": 3}
    assert len((await taken.take(WANTED, {})).claimed) == 2
    await taken.close()


async def test_a_server_that_ends_the_connection_is_asked_again(server: Store, leases: Locks, turns: list[int]) -> None:
    channel = FakeChannel(pace=PACE)
    dispatcher = Dispatcher(server, channel, leases)
    await edition(server)
    while len(turns) < 2:
        await dispatcher.step(NOW)
    async with server.write() as connection:
        ended = "select pg_terminate_backend(pid) from pg_stat_activity where query = 'commit' and state = 'idle'"
        await connection.execute(text(ended))
    with pytest.raises(DatabaseFault):
        await steps(dispatcher, 10)
    await settle(dispatcher, NOW)
    assert await states(server) == {"sent": READERS}
    assert len(channel.reached) == len(set(channel.reached)) == READERS


async def test_under_a_lease_that_is_over_nothing_is_claimed_or_recorded(
    server: Store, leases: Locks, turns: list[int]
) -> None:
    dispatcher = Dispatcher(server, FakeChannel(pace=PACE), leases)
    await leases.take(*dispatcher.roles())
    await edition(server)
    while len(turns) < 2:
        await dispatcher.step(NOW)
    async with server.write() as connection:
        await connection.execute(text("update leases set ends_at = clock_timestamp()"))
    before = await states(server)
    with pytest.raises(LostError):
        await dispatcher.step(NOW)
    assert await states(server) == before
    dispatcher.cut_off()
    await dispatcher.finish(NOW, patience=0)
    assert await states(server) == before


def test_a_rush_needs_a_channel_without_faults() -> None:
    rush = Rush()
    assert not rush.goes_on([], NOW)
    rush.begin(ChannelState(), NOW)
    assert rush.goes_on([], NOW)
    assert not rush.goes_on([], NOW + LONGEST)
    assert not rush.goes_on([], NOW - timedelta(seconds=1))
    rush.took(Turn(ChannelState(), [], is_plain=False), [], 1)
    rush.begin(ChannelState(), NOW)
    assert not rush.goes_on([], NOW)
    rush.looked(ChannelState(), NOW, counted=0)
    assert rush.goes_on([], NOW)
    for change in ({"failures": 1}, {"halted_at": NOW}, {"waits_until": NOW + LONGEST}, {"rejected_in_a_row": 1}):
        rush.begin(replace(ChannelState(), **change), NOW)
        assert not rush.goes_on([], NOW)
