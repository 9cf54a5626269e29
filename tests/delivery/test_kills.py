"""The promise: killed at any instant, nobody misses an edition and nobody gets it twice but for what was in flight.

Real processes are killed with SIGKILL. They are forked from a server that has imported everything already, so that
a life does not begin with a second of imports.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection, wait
from pathlib import Path

import pytest
from sqlalchemy import select, text

from bot import app
from bot.channel import Message, Outcome, Pace, Personal
from bot.model import Address, Preferences, State
from bot.rules.outcomes import MAX_REPEATS
from bot.runtime.locks import HeldError, LostError, leases, make_locks, wait_for
from bot.store import Store, subscriber_queries
from bot.store.edition_report import reports
from bot.store.schema import deliveries
from bot.store.schema import subscribers as readers_table
from tests.support import killable_process
from tests.support.fake_channel import DAY, FakeChannel, publish
from tests.support.killable_process import DELIVER, DONE, HELD, LINE, UP, Orders
from tests.support.postgres import Postgres

PATIENCE = 60.0
"""Seconds after which a process that shows no sign of life is said to hang."""
CONCURRENCY = 20

processes = multiprocessing.get_context("forkserver")
processes.set_forkserver_preload(["tests.support.killable_process"])

Key = tuple[str, str]
"""A recipient and an edition."""


@dataclass
class Life:
    """One process, and the pipe on which it ticks at every line of its ledger."""

    process: multiprocessing.process.BaseProcess
    ticks: Connection
    over: bool = False

    @property
    def pid(self) -> int:
        assert self.process.pid is not None
        return self.process.pid

    def end(self) -> int:
        """Wait for its end; the exit code."""
        self.process.join(PATIENCE)
        assert self.process.exitcode is not None, "a process hangs"
        return self.process.exitcode

    def kill(self) -> int:
        """End it with SIGKILL; how many lines it had written that nobody had seen."""
        self.process.kill()
        self.end()
        return watch([self], None)


@contextmanager
def born(orders: Orders) -> Iterator[Life]:
    """A new process, which does not outlive the block."""
    ours, theirs = processes.Pipe(duplex=False)
    process = processes.Process(target=killable_process.live, args=(orders, theirs), daemon=True)
    process.start()
    theirs.close()
    life = Life(process, ours)
    try:
        yield life
    finally:
        process.kill()
        process.join()
        ours.close()


def watch(lives: Sequence[Life], lines: int | None, *, each: bool = False) -> int:
    """Wait until that many lines were written (None: for ever) or all processes have ended. Returns how many were.

    With `each` until every life has written one as well, however slow it was to begin.
    """
    seen, silent = 0, set(map(id, lives)) if each else set()
    while (lines is None or seen < lines or silent) and (alive := [life for life in lives if not life.over]):
        ready = wait([life.ticks for life in alive], PATIENCE)
        assert ready, "nothing happens any more"
        for life in alive:
            if life.ticks in ready:
                got = os.read(life.ticks.fileno(), 64)
                life.over = not got
                seen += got.count(LINE)
                if got.count(LINE):
                    silent.discard(id(life))
    return seen


@asynccontextmanager
async def reading(orders: Orders) -> AsyncIterator[Store]:
    """A look at the database by somebody who was not there before."""
    store = Store.open(orders.database, orders.home)
    yield store
    await store.close()


async def forget_the_dead(orders: Orders) -> None:
    """Let the leases of killed processes end now: twelve seconds a kill would be most of the test's time."""
    async with reading(orders) as store:
        if store.path is None:
            async with store.write() as connection:
                await connection.execute(text("update leases set ends_at = clock_timestamp()"))


async def in_doubt(orders: Orders) -> set[Key]:
    """Whose delivery the database says may or may not have arrived; never more of one process than may be in flight."""
    doubtful = deliveries.c.state.in_([State.SENDING, State.UNKNOWN])
    query = (
        select(readers_table.c.recipient, deliveries.c.edition_id, deliveries.c.owner)
        .join(readers_table, readers_table.c.id == deliveries.c.subscriber_id)
        .where(doubtful)
    )
    async with reading(orders) as store, store.read() as connection:
        rows = (await connection.execute(query)).all()
    owners = Counter(owner for _, _, owner in rows if owner is not None)
    assert all(count <= CONCURRENCY for count in owners.values())
    return {(recipient, str(edition_id)) for recipient, edition_id, _ in rows}


async def crowd(store: Store, size: int, number: int = 0, *, channel: str = "fake", domain: str = "") -> int:
    """Publish an edition that is due now for that many readers, who are subscribed with the first. Returns its id."""
    now = datetime.now(UTC)
    wanted = Preferences(hour=now.hour * 60 + now.minute)
    async with store.write() as connection:
        first = await subscriber_queries.add(connection, Address(channel, f"{channel}0{domain}"), wanted, now=now)
        if first is not None:
            [row] = await connection.execute(select(readers_table).where(readers_table.c.id == first))
            values = {name: value for name, value in row._mapping.items() if name not in {"id", "recipient"}}
            await connection.execute(
                readers_table.insert(), [values | {"recipient": f"{channel}{n}{domain}"} for n in range(1, size)]
            )
    return await publish(store, {}, day=DAY + timedelta(days=number), now=now)


async def verify(orders: Orders, size: int, kills: int, listed: Counter[Key] | None = None) -> None:
    """Nobody is missing, and whoever got it twice had been in flight when somebody was killed, and was listed."""
    before, after, flying = Counter[Key](), Counter[Key](), Counter[str]()
    for line in orders.ledger.read_text().splitlines():
        recipient, edition, phase, pid = line.split()
        (before if phase == "before" else after)[recipient, edition] += 1
        flying[pid] += 1 if phase == "before" else -1
        assert flying[pid] <= CONCURRENCY
    async with reading(orders) as store, store.read() as connection:
        assert all(report.adds_up and report.audience == size for report in await reports(connection))
        rows = await connection.execute(
            select(readers_table.c.recipient, deliveries.c.edition_id, deliveries.c.state, deliveries.c.repeats).join(
                readers_table, readers_table.c.id == deliveries.c.subscriber_id
            )
        )
        kept = {(row.recipient, str(row.edition_id)): (State(row.state), row.repeats) for row in rows}
    assert set(before) == set(kept)
    for key, (state, repeats) in kept.items():
        # Whoever was in flight at three kills is left to the operator: two repeats are enough.
        assert (state is State.SENT and after[key]) or (state is State.UNKNOWN and repeats == MAX_REPEATS)
        assert before[key] - 1 <= repeats
        assert listed is None or before[key] - 1 <= listed[key]
    assert before.total() - len(before) <= CONCURRENCY * kills


@pytest.mark.timeout(1800)
async def test_killed_at_any_instant_nobody_misses_an_edition_and_repeats_were_listed(
    store: Store, database: str, tmp_path: Path, long: bool
) -> None:
    orders = Orders(tmp_path, database)
    size, kills, editions = 2000, 20, 10 if long else 1
    chance = random.Random(database.partition(":")[0])
    listed = Counter[Key]()
    for number in range(editions):
        await crowd(store, size, number)
        await store.close()  # after a kill nobody else has the database open
        # Each delivery writes two lines at least, so that every one of these instants comes.
        seen, instants = 0, sorted(chance.sample(range(2 * size), kills))
        while instants:
            with born(orders) as life:
                seen += watch([life], instants[0] - seen)
                assert not life.over, (tmp_path / "log").read_text()
                life.ticks.poll(chance.uniform(0, 0.005))  # anywhere in a turn, not only after a line
                seen += life.kill()
            await forget_the_dead(orders)
            instants.pop(0)
            listed.update(await in_doubt(orders))
        with born(orders) as life:
            watch([life], 10 * size)  # without end only where something is sent again and again
            assert life.over
            assert life.end() == DONE, (tmp_path / "log").read_text()
    await verify(orders, size, kills * editions, listed)


@pytest.mark.timeout(900)
async def test_four_processes_share_the_work_and_two_of_them_are_killed(
    postgres: Postgres, migrated: str, tmp_path: Path, long: bool
) -> None:
    orders = Orders(tmp_path, postgres.url(postgres.create(template=migrated)), exclusive=False, together=True)
    os.mkfifo(orders.gate)
    size = 20_000 if long else 2000
    async with reading(orders) as store:
        await crowd(store, size)
    first, second = sorted(random.Random(size).sample(range(size // 10, size), 2))
    with born(orders) as one, born(orders) as two, born(orders) as three, born(orders) as four:
        lives = [one, two, three, four]
        for life in lives:
            assert life.ticks.poll(PATIENCE)
            assert os.read(life.ticks.fileno(), 64) == UP
        gate = os.open(orders.gate, os.O_WRONLY)
        seen = watch(lives, first, each=True)
        os.close(gate)
        one.kill()
        watch(lives, max(1, second - seen))
        three.kill()
        watch([two, four], None)
        assert (two.end(), four.end()) == (DONE, DONE), (tmp_path / "log").read_text()
    everybody = {line.split()[-1] for line in orders.ledger.read_text().splitlines()}
    assert everybody == {str(life.pid) for life in lives}
    await verify(orders, size, kills=2)


async def test_a_single_round_after_a_kill_leaves_nobody_behind(store: Store, database: str, tmp_path: Path) -> None:
    orders = Orders(tmp_path, database)
    await crowd(store, 2 * CONCURRENCY)
    with born(replace(orders, answers=False)) as life:
        watch([life], CONCURRENCY)
        life.kill()
    listed = Counter(await in_doubt(orders))
    await forget_the_dead(orders)
    with born(replace(orders, once=True)) as life:
        watch([life], None)
        assert life.end() == DONE, (tmp_path / "log").read_text()
    await verify(orders, 2 * CONCURRENCY, 1, listed)


@pytest.mark.timeout(300)
async def test_who_stands_by_takes_over_when_the_holder_is_killed(store: Store, database: str, tmp_path: Path) -> None:
    orders = Orders(tmp_path, database, hasty=False)
    await crowd(store, 2 * CONCURRENCY)
    ours = make_locks(store.engine.url, store.path)
    with born(replace(orders, answers=False)) as holder:
        assert watch([holder], CONCURRENCY) == CONCURRENCY  # it has in flight all that it may
        with born(replace(orders, standby=True)) as heir, born(orders) as copy:
            assert copy.end() == HELD
            with pytest.raises(HeldError, match=f"deliver:fake is held by process {holder.pid} on "):
                await ours.take("deliver:fake")
            assert heir.ticks.poll(PATIENCE)
            assert os.read(heir.ticks.fileno(), 64) == UP
            holder.kill()
            killed = time.monotonic()
            assert watch([heir], 1) > 0
            assert time.monotonic() - killed <= 30
            with pytest.raises(HeldError, match=f"process {heir.pid} on "):
                await ours.take("deliver:fake")
    await ours.close()


class Door(FakeChannel):
    """A channel whose service does not answer; it says when it was cut off."""

    def __init__(self, name: str, events: list[str]) -> None:
        super().__init__(name=name, pace=Pace(concurrency=2))
        self.events = events

    async def send(self, to: str, message: Message, personal: Personal) -> Outcome:
        self.busy.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.events.append(f"{self.name} stopped")
        raise AssertionError


async def cut(*_: object, **__: object) -> object:
    """What a process gets that is cut off from the database."""
    raise LostError("cut")


async def test_who_loses_the_locks_has_stopped_before_anybody_else_has_them(
    postgres: Postgres, migrated: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, seconds in {"LASTS": 4.0, "RENEWED_EVERY": 0.5, "LAST_MOMENTS": 1.0}.items():
        monkeypatch.setattr(leases, name, seconds)
    events: list[str] = []
    doors = {name: Door(name, events) for name in ("fake", "other")}
    monkeypatch.setattr(app, "configured", lambda environ: list(doors))
    monkeypatch.setattr(app, "open_channel", lambda name, *_: doors[name])
    orders = Orders(tmp_path, postgres.url(postgres.create(template=migrated)))
    stop = asyncio.Event()
    async with (
        asyncio.timeout(PATIENCE),
        app.open_app(tmp_path, {"DATABASE_URL": orders.database}) as wired,
        asyncio.TaskGroup() as group,
    ):
        await crowd(wired.store, 4, channel="other")
        await crowd(wired.store, 4, 1)
        await wired.take_locks(DELIVER, stop)
        group.create_task(wired.run(stop, DELIVER))
        for door in doors.values():
            await door.busy.wait()
        monkeypatch.setattr(wired.locks, "_rows", cut)
        rival = make_locks(wired.store.engine.url, None)

        async def take_over(name: str) -> None:
            await wait_for(rival, f"deliver:{name}", every=0.1)
            events.append(f"{name} taken")

        await asyncio.gather(*map(take_over, doors))
        stop.set()
        await rival.close()
    assert all(events.index(f"{name} stopped") < events.index(f"{name} taken") for name in doors), events
