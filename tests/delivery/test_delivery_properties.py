"""Publish, claim, send, crash, restart, pause, leave, in any order: nobody twice without a crash, nobody missed."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Coroutine
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from hypothesis.stateful import run_state_machine_as_test as run_machine
from sqlalchemy import event, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.channel import Barred, Deferred, Gone, Message, Outcome, Pace, Personal, Rejected, Sent, Unknown
from bot.delivery.dead_senders import SWEEP
from bot.delivery.dispatcher import Dispatcher
from bot.model import NOTE, Address, Preferences, State, Style
from bot.rules.outcomes import MAX_REPEATS
from bot.rules.schedule import NEAR, Rhythm, waking
from bot.runtime.locks import OWNER, Holder
from bot.store import Store, announcements, channel_state, subscriber_queries
from bot.store import claiming as deliveries_of
from bot.store.announcements import Refusal, RefusedError
from bot.store.edition_report import reports
from bot.store.schema import deliveries, editions
from bot.store.schema import subscribers as readers_table
from tests.support.fake_channel import DAY, NOW, FakeChannel, publish
from tests.support.postgres import Postgres

T = TypeVar("T")
CONCURRENCY = 3
ZONES = ["UTC", "Asia/Seoul", "America/New_York"]
READERS = {
    "ada": Preferences(hour=22 * 60),
    "bo": Preferences(hour=22 * 60, style=Style.ABSTRACT),
    "cy": Preferences(hour=23 * 60 + 30, timezone="Asia/Seoul"),
    "di": Preferences(timezone="Asia/Seoul"),
    "ed": Preferences(hour=17 * 60, timezone="America/New_York", weekdays=0b0011111),
    "flo": Preferences(hour=21 * 60, style=Style.ABSTRACT),
    "gus": Preferences(hour=7 * 60, timezone="Asia/Seoul", papers=2),
}
UNCERTAIN = (Unknown, RuntimeError)
CRASH = RuntimeError("the process was killed")
NOT_ARRIVED = (Deferred, Rejected)

outcomes = st.one_of(
    st.just(Sent()),
    st.builds(Deferred, st.just("busy"), st.sampled_from([None, 60.0, 7200.0])),
    st.builds(Deferred, st.just("flood"), st.sampled_from([None, 60.0, 7200.0]), st.just("channel")),
    st.just(Gone("blocked")),
    st.just(Barred("no right")),
    st.builds(Rejected, st.just("bad markup"), st.sampled_from([None, "one.example", "two.example"])),
    st.just(Unknown("no answer")),
    st.just(RuntimeError("a bug of the channel")),
)


@dataclass(eq=False)
class Sending:
    """One send as the service saw it."""

    to: str
    key: str
    dispatcher: Dispatcher
    answer: asyncio.Future[Outcome | BaseException]
    end: Outcome | BaseException | None = None
    recorded: bool = False

    @property
    def verdict(self) -> Outcome | BaseException | None:
        """What the service answered, whether that was written down or not."""
        return self.answer.result() if self.answer.done() and not self.answer.cancelled() else None


@dataclass
class Service:
    """The world outside: whoever is sent something, and what we would never want to see there."""

    repeats_unknown: bool
    away: set[str] = field(default_factory=set)
    sendings: list[Sending] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    def take(self, sending: Sending) -> None:
        before = [each for each in self.sendings if each.key == sending.key]
        self.sendings.append(sending)
        self.arrived.set()
        if sending.to in self.away:
            self.faults.append(f"{sending.to} has left")
        if any(each.end is None for each in before):
            self.faults.append(f"{sending.key} is being sent already")
        if any(isinstance(each.end, Sent | Gone | Barred) for each in before):
            self.faults.append(f"{sending.key} was dealt with already")
        uncertain = sum(isinstance(each.end, UNCERTAIN) for each in before)
        if uncertain > (MAX_REPEATS if self.repeats_unknown else 0):
            self.faults.append(f"{sending.key} is repeated too often")

    def open(self, dispatcher: Dispatcher | None = None) -> list[Sending]:
        return [each for each in self.sendings if each.end is None and dispatcher in {None, each.dispatcher}]


class Line(FakeChannel):
    """One process's line to the service."""

    def __init__(self, service: Service) -> None:
        super().__init__(pace=Pace(concurrency=CONCURRENCY, exclusive=False), repeats_unknown=service.repeats_unknown)
        self.service = service
        self.dispatcher: Dispatcher | None = None
        self.well = False
        """Everything is answered with success, at once."""

    async def send(self, to: str, message: Message, personal: Personal) -> Outcome:
        assert self.dispatcher is not None
        sending = Sending(to, personal.key, self.dispatcher, asyncio.get_running_loop().create_future())
        self.service.take(sending)
        if self.well:
            sending.end = Sent()
            return sending.end
        answer = await sending.answer
        if isinstance(answer, BaseException):
            raise answer
        return answer


@dataclass
class Memory:
    """Locks of processes that live and die at our word."""

    alive: set[str] = field(default_factory=set)

    async def take(self, *roles: str) -> list[str]:
        self.alive.update(roles)
        return list(roles)

    async def give_back(self, role: str) -> None:
        self.alive.discard(role)

    async def is_free(self, role: str) -> bool:
        return role not in self.alive

    async def free_among(self, *roles: str) -> list[str]:
        return [role for role in roles if role not in self.alive]

    async def holders(self) -> list[Holder]:
        return [Holder(role, "a process") for role in self.alive]

    async def guard(self, connection: AsyncConnection, *roles: str) -> None:
        pass  # it lives: only the dead lose theirs

    def shown(self, *roles: str) -> dict[str, int]:
        return {}

    def may_begin(self, *roles: str) -> bool:
        return True

    async def watch(self, *roles: str) -> None:
        await asyncio.Event().wait()

    async def close(self) -> None:
        self.alive.clear()


class Delivery(RuleBasedStateMachine):
    """Two processes at most share one channel."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.store = self.open()
        self.now = NOW
        self.day: date = DAY
        self.editions = 0
        self.published_at = NOW
        self.locks = Memory()
        self.living: list[Dispatcher] = []
        self.dead: set[str] = set()
        self.late: list[Dispatcher] = []
        self.ever_away: set[str] = set()
        self.forgotten: set[str] = set()

    def open(self) -> Store:
        raise NotImplementedError

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    @initialize(repeats_unknown=st.booleans())
    def begin(self, repeats_unknown: bool) -> None:
        self.service = Service(repeats_unknown)
        self.publish()
        self.start()

    # What may happen, in any order.

    @precondition(lambda self: self.now >= self.published_at + timedelta(hours=6))
    @rule()
    def publish(self) -> None:
        self.published_at = self.now
        self.run(publish(self.store, {} if self.editions else READERS, day=self.day, now=self.now))
        self.day += timedelta(days=1)
        self.editions += 1

    @rule()
    def announce(self) -> None:
        """An announcement among the editions; what was confirmed once is confirmed again, and nothing comes of it."""
        self.run(self.say_something())

    @rule(minutes=st.sampled_from([1, 5, 35, 90, 300]))
    def wait(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule()
    def wait_for_work(self) -> None:
        due = self.run(self.next_due())
        self.now = max(self.now, due or self.now)

    @rule(minutes=st.sampled_from([1, 120]))
    def set_the_clock_back(self, minutes: int) -> None:
        self.now -= timedelta(minutes=minutes)

    @precondition(lambda self: len(self.living) < 2)
    @rule()
    def start(self) -> None:
        line = Line(self.service)
        dispatcher = line.dispatcher = Dispatcher(self.store, line, self.locks)
        self.run(self.locks.take(f"{OWNER}{dispatcher.owner}"))
        self.living.append(dispatcher)

    @precondition(lambda self: self.living)
    @rule(which=st.integers(0, 1))
    def step(self, which: int) -> None:
        dispatcher = self.living[which % len(self.living)]
        answered = [each for each in self.service.sendings if each.dispatcher is dispatcher and each.end is not None]
        swept_at = dispatcher._dead._looked_at
        self.run(self.settle(dispatcher))
        for each in answered:
            self.recorded(each)
        if swept_at is None or not swept_at <= self.now < swept_at + SWEEP:
            self.dead.clear()  # this step has looked for what they left behind

    @precondition(lambda self: self.living)
    @rule(which=st.integers(0, 1), outcome=outcomes)
    def turn(self, which: int, outcome: Outcome | BaseException) -> None:
        self.step(which)
        self.answer_all(outcome)
        self.step(which)

    @precondition(lambda self: self.service.open())
    @rule(which=st.integers(0, 2 * CONCURRENCY), outcome=outcomes)
    def answer(self, which: int, outcome: Outcome | BaseException) -> None:
        waiting = self.service.open()
        self.run(self.reply([waiting[which % len(waiting)]], outcome))

    @precondition(lambda self: self.service.open())
    @rule(outcome=outcomes)
    def answer_all(self, outcome: Outcome | BaseException) -> None:
        self.run(self.reply(self.service.open(), outcome))

    @precondition(lambda self: self.living)
    @rule(which=st.integers(0, 1))
    def crash(self, which: int) -> None:
        dispatcher = self.living.pop(which % len(self.living))
        self.run(self.bury(dispatcher))
        self.dead.add(dispatcher.owner)
        self.late.append(dispatcher)
        for each in self.service.sendings:
            if each.dispatcher is dispatcher and not each.recorded:
                each.end = CRASH  # in flight, or answered and not written down

    @precondition(lambda self: any(each.owner not in self.dead for each in self.late))
    @rule()
    def speak_late(self) -> None:
        """It had only lost its lock; what was its own is in other hands now, and ends as those say.

        That a reader is gone is true whoever says it.
        """
        for late in [each for each in self.late if each.owner not in self.dead]:
            self.late.remove(late)
            self.run(late.step(self.now, claim=False))
            for each in self.service.sendings:
                if each.dispatcher is late and each.end is CRASH and isinstance(each.verdict, Gone | Barred):
                    self.leave(each.to)

    @precondition(lambda self: self.living)
    @rule()
    def have_no_answer(self) -> None:
        for _ in range(MAX_REPEATS + 2):
            self.wait_for_work()
            self.turn(0, Unknown("no answer"))
            self.wait(35)
        self.step(0)

    @precondition(lambda self: self.living)
    @rule(answered=st.booleans())
    def be_cut_off(self, answered: bool) -> None:
        """Lose the lock with sends in flight, and speak when somebody else sends them again or has sent them."""
        self.wait_for_work()
        self.step(0)
        self.crash(0)
        if not self.living:
            self.start()
        for _ in range(2):
            self.wait(5)
            self.step(0)
        if answered:
            self.answer_all(Sent())
            self.step(0)
        self.speak_late()
        self.wait(5)
        self.step(0)

    @precondition(lambda self: self.living)
    @rule(which=st.integers(0, 1))
    def stop(self, which: int) -> None:
        dispatcher = self.living.pop(which % len(self.living))
        waiting = self.service.open(dispatcher)
        self.run(dispatcher.finish(self.now, patience=0))
        for each in waiting:
            each.end = Unknown("the program was stopped")
        for each in self.service.sendings:
            if each.dispatcher is dispatcher:
                self.recorded(each)
        self.run(self.locks.give_back(f"{OWNER}{dispatcher.owner}"))

    @precondition(lambda self: not self.service.away)
    @rule(name=st.sampled_from(sorted(READERS)), how=st.sampled_from(["pause", "leave"]))
    def go_away(self, name: str, how: str) -> None:
        self.run(self.go(name, how))
        self.leave(name)

    @precondition(lambda self: self.editions > 1 and not self.service.away - self.forgotten)
    @rule(name=st.sampled_from(sorted(READERS)))
    def ask_to_be_forgotten(self, name: str) -> None:
        self.run(self.go(name, "forget"))
        self.leave(name)
        self.forgotten.add(name)

    @precondition(lambda self: self.service.away)
    @rule()
    def come_back(self) -> None:
        for name in sorted(self.service.away - self.forgotten):
            self.run(self.go(name, "resume"))
        self.service.away &= self.forgotten

    @rule(name=st.sampled_from(sorted(READERS)), hour=st.sampled_from([0, 6, 12, 23]), zone=st.sampled_from(ZONES))
    def choose_another_hour(self, name: str, hour: int, zone: str) -> None:
        self.run(self.move(name, hour * 60, zone))

    # What must hold after each of them.

    @invariant()
    def nobody_is_sent_what_they_should_not_be(self) -> None:
        assert not self.service.faults

    @invariant()
    def everything_adds_up(self) -> None:
        self.run(self.look())

    def teardown(self) -> None:
        try:
            if self.editions:
                self.run(self.end())
        finally:
            self.run(self.store.close())
            self.runner.close()

    # How that is done.

    async def settle(self, dispatcher: Dispatcher) -> None:
        """One turn, and whatever it starts has reached the service."""
        await dispatcher.step(self.now)
        await self.arrive(dispatcher)

    async def arrive(self, dispatcher: Dispatcher) -> None:
        """Wait until every send in flight has reached the service."""
        while True:
            self.service.arrived.clear()
            ours = len(self.service.open(dispatcher))
            flying = {task for task in dispatcher._in_flight.values() if not task.done()}
            if len(flying) <= ours:
                return
            arrival = asyncio.ensure_future(self.service.arrived.wait())
            await asyncio.wait({*flying, arrival}, return_when=asyncio.FIRST_COMPLETED)
            arrival.cancel()

    async def reply(self, waiting: list[Sending], outcome: Outcome | BaseException) -> None:
        for each in waiting:
            each.end = outcome
            each.answer.set_result(outcome)
        for dispatcher in {each.dispatcher for each in waiting}:
            await self.arrive(dispatcher)

    async def bury(self, dispatcher: Dispatcher) -> None:
        await self.locks.give_back(f"{OWNER}{dispatcher.owner}")
        flying = list(dispatcher._in_flight.values())
        for task in flying:
            task.cancel()
        await asyncio.gather(*flying, return_exceptions=True)

    def recorded(self, sending: Sending) -> None:
        """What was written down counts for the reader too."""
        if isinstance(sending.end, Gone | Barred) and not sending.recorded:
            self.leave(sending.to)
        sending.recorded = True

    def leave(self, name: str) -> None:
        self.service.away.add(name)
        self.ever_away.add(name)

    async def go(self, name: str, how: str) -> None:
        async with self.store.write() as connection:
            reader = await subscriber_queries.get(connection, Address("fake", name))
            if reader is None:
                return
            match how:
                case "pause":
                    await subscriber_queries.pause(connection, reader.id, until=None, now=self.now)
                case "leave":
                    await subscriber_queries.unsubscribe(connection, reader.id, now=self.now)
                case "forget":
                    await subscriber_queries.forget(connection, reader.id, now=self.now)
                case _:
                    await subscriber_queries.resume(connection, reader.id)

    async def move(self, name: str, hour: int, zone: str) -> None:
        async with self.store.write() as connection:
            reader = await subscriber_queries.get(connection, Address("fake", name))
            if reader is not None:
                wanted = replace(reader.preferences, hour=hour, timezone=zone)
                await subscriber_queries.change(connection, reader, wanted, now=self.now)

    async def say_something(self) -> None:
        async with self.store.write() as connection:
            key = await announcements.draft(connection, "We move.", None, "fake:root", now=self.now)
        allowed = (Refusal.TODAY.value, Refusal.NOBODY.value)
        try:
            async with self.store.write() as connection:
                made = await announcements.publish(connection, key, now=self.now)
        except RefusedError as error:
            if error.why in allowed:
                return
            raise
        async with self.store.write() as connection:
            assert await announcements.publish(connection, key, now=self.now) == replace(made, again=True)

    async def look(self) -> None:
        async with self.store.read() as connection:
            found = await reports(connection)
            assert all(report.adds_up for report in found)
            rows = await connection.execute(
                select(deliveries.c.owner).where(deliveries.c.state == State.SENDING).order_by(deliveries.c.id)
            )
            owners = list(rows.scalars())
        assert set(owners) <= {dispatcher.owner for dispatcher in self.living} | self.dead
        assert all(owners.count(owner) <= CONCURRENCY for owner in owners)

    async def next_due(self) -> datetime | None:
        async with self.store.read() as connection:
            return await deliveries_of.next_due(connection, "fake")

    async def rows(self) -> list[dict[str, Any]]:
        rhythm = (readers_table.c[name] for name in ("timezone", "hour", "weekdays"))
        query = (
            select(deliveries, editions.c.cadence, readers_table.c.recipient, *rhythm)
            .join(editions, editions.c.id == deliveries.c.edition_id)
            .outerjoin(readers_table, readers_table.c.id == deliveries.c.subscriber_id)
        )
        async with self.store.read() as connection:
            return [dict(row._mapping) for row in await connection.execute(query)]

    async def end(self) -> None:
        """Everything is well from now on: one process, a service that takes everything, and time enough."""
        for dispatcher in self.living:
            await self.bury(dispatcher)
        for each in self.service.sendings:
            if not each.recorded:
                each.end = CRASH
        line = Line(self.service)
        line.well = True
        dispatcher = line.dispatcher = Dispatcher(self.store, line, self.locks)
        async with self.store.read() as connection:
            stands = await channel_state.load(connection, "fake")
        free_at = max(filter(None, [self.now, stands.waits_until, stands.halted_at and stands.probe_at]))
        owed = [row for row in await self.rows() if row["state"] == State.OWED and self.in_time(row, free_at)]
        due = [row["id"] for row in owed if row["recipient"] not in self.service.away]
        for _ in range(100):
            turns = count()
            while await dispatcher.step(self.now) or dispatcher.busy:
                assert next(turns) < 200, "it is busy with nothing"
                if dispatcher.busy:
                    await dispatcher.attempt_ended.wait()
            async with self.store.read() as connection:
                stands = await channel_state.load(connection, "fake")
            later = [row["next_at"] for row in await self.rows() if self.may_be_sent(row)]
            if not later:
                break
            blocked = [stands.waits_until, stands.halted_at and stands.probe_at]
            self.now = max(filter(None, [min(later), self.now + timedelta(seconds=1), *blocked]))
        await self.look()
        assert not self.service.faults
        for row in await self.rows():
            self.explain(row, must_be_sent=row["id"] in due)

    def may_be_sent(self, row: dict[str, Any]) -> bool:
        if row["state"] != State.UNKNOWN or row["recipient"] is None:
            return bool(row["state"] == State.OWED)
        again = self.service.repeats_unknown and row["repeats"] < MAX_REPEATS
        return again and max(row["next_at"], self.now) < row["expires_at"]

    def in_time(self, row: dict[str, Any], free_at: datetime) -> bool:
        """Whether a service that takes everything from `free_at` on is soon enough for a delivery."""
        at = max(row["next_at"], free_at)
        late = row["cadence"] == NOTE or at >= row["due_at"] + NEAR
        if late and row["recipient"] is not None:
            at = waking(Rhythm(row["timezone"], row["hour"], row["weekdays"]), at)
        return bool(row["recipient"] is not None and at < row["expires_at"])

    def explain(self, row: dict[str, Any], *, must_be_sent: bool) -> None:
        """Every delivery has come to an end that what happened accounts for."""
        key = f"{row['edition_id']}.{row['subscriber_id']}"
        ends = [each.end for each in self.service.sendings if each.key == key]
        state = State(row["state"])
        if row["recipient"] is None:  # forgotten: who it was is not known any more
            assert state not in {State.OWED, State.SENDING}
            return
        assert (state is State.SENT) == any(isinstance(end, Sent) for end in ends)
        if must_be_sent:
            assert state is State.SENT
        match state:
            case State.SENT:
                pass
            case State.GONE:
                told = [each for each in self.service.sendings if isinstance(each.verdict, Gone)]
                assert any(each.to == row["recipient"] for each in told)
            case State.BARRED:
                assert isinstance(ends[-1], Barred)
            case State.REJECTED:
                assert isinstance(ends[-1], Rejected)
            case State.UNKNOWN:
                uncertain = sum(isinstance(end, UNCERTAIN) for end in ends)
                too_late = max(row["next_at"], self.now) >= row["expires_at"]
                assert uncertain > (0 if too_late or not self.service.repeats_unknown else MAX_REPEATS)
            case State.EXPIRED:
                in_time = row["ended_at"] < row["expires_at"]
                assert not in_time or row["reason"] == "superseded" or isinstance(ends[-1], NOT_ARRIVED)
            case State.SKIPPED:
                assert row["recipient"] in self.ever_away
            case _:
                raise AssertionError(f"{key} is still {state}")


def hold(machine: type[Delivery], examples: int, *, long: bool) -> None:
    run_machine(
        machine,
        settings=settings(
            max_examples=examples,
            # To make a failing story short takes minutes.
            phases=tuple(Phase) if long else (Phase.explicit, Phase.reuse, Phase.generate),
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        ),
    )


@pytest.mark.timeout(900)
def test_in_any_order_on_sqlite(tmp_path: Path, long: bool) -> None:
    async def migrate() -> None:
        store = Store.open("sqlite:///migrated.db", tmp_path)
        await store.migrate()
        await store.close()

    asyncio.run(migrate())
    numbers = count()

    class OnSqlite(Delivery):
        def open(self) -> Store:
            copy = shutil.copy(tmp_path / "migrated.db", tmp_path / f"{next(numbers)}.db")
            store = Store.open(f"sqlite:///{copy}", tmp_path)
            event.listen(store.engine.sync_engine, "connect", _without_waiting_for_the_disk)
            return store

    hold(OnSqlite, 400 if long else 40, long=long)


def _without_waiting_for_the_disk(raw: Any, _record: object) -> None:
    raw.cursor().execute("PRAGMA synchronous=OFF")


@pytest.mark.timeout(900)
def test_in_any_order_on_postgresql(postgres: Postgres, migrated: str, tmp_path: Path, long: bool) -> None:
    class OnPostgresql(Delivery):
        def open(self) -> Store:
            return Store.open(postgres.url(postgres.create(template=migrated)), tmp_path)

    hold(OnPostgresql, 50 if long else 5, long=long)
