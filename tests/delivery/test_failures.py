"""One part failing never stops the others: what can go wrong around a delivery, one by one, and nothing is lost."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import threading
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

import pytest
from sqlalchemy import Connection, event, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot import app, service
from bot.channel import Commands, Deferred, Gone, LoginError, Message, Outcome, Pace, Page, Personal, Sent
from bot.delivery import rendering
from bot.delivery.dead_senders import SWEEP
from bot.delivery.dispatcher import Dispatcher
from bot.model import Address, Preferences
from bot.runtime import supervisor
from bot.runtime.locks import Locks, holding, make_locks
from bot.runtime.supervisor import supervise
from bot.service import Role, Service
from bot.store import Store, database, subscriber_queries
from bot.store.edition_report import reports
from bot.store.schema import deliveries
from tests.support.databases import put_database
from tests.support.fake_channel import NOW, FakeChannel, publish, settle

PATIENCE = 20.0
"""Seconds after which something that should happen is said to hang."""
FAILED = "job failed, it is restarted with backoff"
ROLES = frozenset({Role.DELIVER, Role.LISTEN})
AT_ONCE = Preferences(hour=22 * 60)


class Ears(logging.Handler):
    """Hears what is logged, and can wait for it."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[logging.LogRecord] = []
        self._more = asyncio.Event()

    def emit(self, record: logging.LogRecord) -> None:
        self.heard.append(record)
        self._more.set()

    def said(self, message: str, **fields: object) -> list[logging.LogRecord]:
        return [
            record
            for record in self.heard
            if record.getMessage() == message
            and all(getattr(record, key, None) == value for key, value in fields.items())
        ]

    async def hear(self, message: str, **fields: object) -> None:
        async with asyncio.timeout(PATIENCE):
            while not self.said(message, **fields):
                self._more.clear()
                await self._more.wait()


@pytest.fixture
async def ears() -> AsyncIterator[Ears]:
    heard, log = Ears(), logging.getLogger("bot")
    before = log.level
    log.addHandler(heard)
    log.setLevel(logging.INFO)
    yield heard
    log.removeHandler(heard)
    log.setLevel(before)


@pytest.fixture(autouse=True)
def _short_breaks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "SHORTEST_BACKOFF", 0.02)
    monkeypatch.setattr(service, "TICK", 0.02)


@dataclass
class Odd(FakeChannel):
    """A channel that sends to each reader once a test lets it, and may fail to log in or to listen."""

    doors: dict[str, asyncio.Event] = field(default_factory=dict)
    listening: Callable[[], None] = lambda: None
    logging_in: Callable[[], None] = lambda: None
    everybody: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a send to each reader in `doors` is waiting."""

    async def __aenter__(self) -> Self:
        self.logging_in()
        return self

    async def listen(self, commands: Commands) -> None:
        self.listening()

    async def send(self, to: str, message: Message, personal: Personal) -> Outcome:
        outcome = await super().send(to, message, personal)
        if set(self.reached) >= set(self.doors):
            self.everybody.set()
        if to in self.doors:
            await self.doors[to].wait()
        return outcome


async def crowd(store: Store, *addresses: Address) -> None:
    """Subscribe these and publish an edition that is due now."""
    now = datetime.now(UTC)
    async with store.write() as connection:
        for address in addresses:
            await subscriber_queries.add(connection, address, Preferences(hour=now.hour * 60 + now.minute), now=now)
    await publish(store, {}, now=now)


def readers(*names: str, channel: str = "fake") -> list[Address]:
    return [Address(channel, name) for name in names]


async def states(store: Store, channel: str = "fake") -> Counter[str]:
    async with store.read() as connection:
        found = await reports(connection)
        assert all(report.adds_up for report in found)
        return Counter(await connection.scalars(select(deliveries.c.state).where(deliveries.c.channel == channel)))


async def become(store: Store, channel: str = "fake", **expected: int) -> None:
    """Wait until the deliveries of a channel stand so."""
    async with asyncio.timeout(PATIENCE):
        while await states(store, channel) != expected:
            pass  # every look lets the others work


@asynccontextmanager
async def running(
    home: Path, monkeypatch: pytest.MonkeyPatch, audience: list[Address], *channels: FakeChannel
) -> AsyncIterator[Service]:
    """The whole program but the feed, with these channels, delivering to `audience`; told to stop at the end."""
    by_name = {channel.name: channel for channel in channels}
    monkeypatch.setattr(app, "configured", lambda environ: list(by_name))
    monkeypatch.setattr(app, "open_channel", lambda name, *_: by_name[name])
    stop = asyncio.Event()
    put_database(home)
    async with app.open_app(home, {}) as wired:
        await crowd(wired.store, *audience)
        async with asyncio.TaskGroup() as group:
            work = group.create_task(wired.run(stop, ROLES))
            try:
                yield wired
            finally:
                stop.set()
                async with asyncio.timeout(PATIENCE):
                    await work


# What `supervise` promises.


async def test_a_part_that_fails_comes_back_and_says_so_once(ears: Ears) -> None:
    stop, tries, others = asyncio.Event(), 0, 0

    async def weak() -> None:
        nonlocal tries
        tries += 1
        if tries > 5:
            return
        raise ValueError("one fault" if tries <= 3 else "another fault")

    async def strong() -> None:
        nonlocal others
        while tries <= 5:
            others += 1
            await asyncio.sleep(0)

    async with asyncio.timeout(PATIENCE):
        await asyncio.gather(supervise("weak", weak, stop), supervise("strong", strong, stop))
    assert tries == 6
    assert others
    assert [str(record.exc_info[1]) for record in ears.said(FAILED, job="weak") if record.exc_info] == [
        "one fault",
        "another fault",
    ]
    assert not ears.said(FAILED, job="strong")


async def test_breaks_grow_and_a_stop_cuts_them_short(ears: Ears, monkeypatch: pytest.MonkeyPatch) -> None:
    stop, breaks = asyncio.Event(), []

    async def rest(seconds: float, *events: asyncio.Event) -> None:
        breaks.append(seconds)
        if len(breaks) == 5:
            stop.set()

    async def work() -> None:
        raise OSError("no luck")

    monkeypatch.setattr(supervisor, "pause", rest)
    monkeypatch.setattr(supervisor, "SHORTEST_BACKOFF", 1.0)
    monkeypatch.setattr(supervisor, "LONGEST_BACKOFF", 6.0)
    await supervise("work", work, stop)
    assert breaks == [1, 2, 4, 6, 6]


async def test_a_part_that_is_cancelled_by_its_own_library_comes_back(ears: Ears) -> None:
    stop, tries = asyncio.Event(), 0

    async def work() -> None:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise asyncio.CancelledError

    async with asyncio.timeout(PATIENCE):
        await supervise("work", work, stop)
    assert tries == 3


# What can go wrong around a delivery.


async def test_a_channel_that_cannot_listen_still_delivers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ears: Ears
) -> None:
    def fault() -> None:
        raise RuntimeError("the service closed the connection")

    deaf, well = Odd(listening=fault), Odd(name="other")
    audience = [*readers("ada"), *readers("bo", channel="other")]
    async with running(tmp_path, monkeypatch, audience, deaf, well) as wired:
        await ears.hear(FAILED, job="listen:fake")
        await become(wired.store, sent=1)
        await become(wired.store, "other", sent=1)
    assert len(ears.said(FAILED)) == 1


@contextmanager
def locked(store: Store) -> Iterator[None]:
    """Somebody else is writing, for longer than anybody would wait."""
    assert store.path is not None
    with closing(sqlite3.connect(store.path, isolation_level=None)) as other:
        other.execute("begin immediate")
        yield


@contextmanager
def full(store: Store) -> Iterator[None]:
    """The database cannot grow."""

    def limit(connection: Connection) -> None:
        connection.exec_driver_sql(f"PRAGMA max_page_count = {most}")

    assert store.path is not None
    with closing(sqlite3.connect(store.path)) as opened:
        opened.execute("vacuum")  # no pages are left over that could be filled without growing
    most = 1
    event.listen(store.engine.sync_engine, "begin", limit)
    yield
    most = 2**30


async def test_a_login_that_is_refused_stops_that_channel_alone_and_is_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ears: Ears
) -> None:
    def refuse() -> None:
        raise LoginError("TELEGRAM_TOKEN is not right.")

    refused, well = Odd(logging_in=refuse), Odd(name="other")
    audience = [*readers("ada"), *readers("cy", channel="other")]
    async with running(tmp_path, monkeypatch, audience, refused, well) as wired:
        await ears.hear("login refused", channel="fake", reason="TELEGRAM_TOKEN is not right.")
        await become(wired.store, "other", sent=1)
        assert await states(wired.store) == {"owed": 1}
    assert len(ears.said("login refused")) == 1
    assert not ears.said(FAILED)


async def test_a_service_that_is_out_of_reach_at_the_start_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ears: Ears
) -> None:
    faults = iter([ConnectionError("no network"), ConnectionError("no network")])

    def stumble() -> None:
        if (fault := next(faults, None)) is not None:
            raise fault

    async with running(tmp_path, monkeypatch, readers("ada"), Odd(logging_in=stumble)) as wired:
        await become(wired.store, sent=1)
    assert ears.said(FAILED)


async def test_a_listener_that_the_service_turns_away_still_delivers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ears: Ears
) -> None:
    def turn_away() -> None:
        raise LoginError("Another process listens with this token.")

    async with running(tmp_path, monkeypatch, readers("ada"), Odd(listening=turn_away)) as wired:
        await ears.hear("login refused", channel="fake")
        await become(wired.store, sent=1)


@pytest.mark.parametrize(("trouble", "says"), [(locked, "database is locked"), (full, "disk is full")])
async def test_a_database_that_takes_nothing_for_a_while_costs_nobody_anything(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    ears: Ears,
    trouble: Callable[[Store], AbstractContextManager[None]],
    says: str,
) -> None:
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.1)
    monkeypatch.setattr(service, "PATIENCE", 0.0)  # a service may take longer than anybody is patient
    names = [f"r{number}" for number in range(100)]
    channel = Odd(
        pace=Pace(concurrency=80),
        doors={name: asyncio.Event() for name in names[:80]},
        answer=lambda to, message, personal: Sent(receipt="r" * 250),  # so that rows need more room
    )
    async with running(tmp_path, monkeypatch, readers(*names), channel) as wired:
        async with asyncio.timeout(PATIENCE):
            await channel.everybody.wait()
        with trouble(wired.store):
            for name in names[:40]:
                channel.doors[name].set()
            await ears.hear(FAILED)
            for name in names[40:60]:
                channel.doors[name].set()
        for name in names[60:80]:
            channel.doors[name].set()
        await become(wired.store, sent=100)
    assert Counter(channel.reached) == dict.fromkeys(names, 1)
    [said] = ears.said(FAILED)
    assert said.exc_info is not None
    assert says in str(said.exc_info[1])


@pytest.mark.parametrize(
    "answer",
    [
        ValueError("a bug"),
        asyncio.CancelledError(),
        BaseExceptionGroup("many", [asyncio.CancelledError(), ValueError()]),
        None,
        Sent(receipt="a\x00b"),
        Sent(receipt="\ud83d"),
        Gone("550 \udce9 is unknown\x00"),
        Deferred("", float("nan")),
        Deferred("for ever", 1e30),
    ],
    ids=repr,
)
async def test_whatever_a_channel_answers_costs_that_delivery_alone(store: Store, answer: Any) -> None:
    channel = FakeChannel(answer=lambda to, *_: answer if to == "bo" else Sent(), repeats_unknown=False)
    locks = make_locks(store.engine.url, store.path)
    dispatcher = Dispatcher(store, channel, locks)
    await publish(store, dict.fromkeys(("ada", "bo", "cy"), AT_ONCE))
    async with asyncio.timeout(PATIENCE):
        await settle(dispatcher, NOW)
        await publish(store, {"di": AT_ONCE}, day=NOW.date() + timedelta(days=1), now=NOW + timedelta(minutes=1))
        await settle(dispatcher, NOW + timedelta(minutes=1))
    counted = await states(store)
    assert counted["sent"] >= 5
    assert not counted["sending"]
    await locks.close()


async def test_a_clock_that_jumps_back_neither_repeats_nor_loses_anything(store: Store) -> None:
    later = timedelta(minutes=30)
    locks = make_locks(store.engine.url, store.path)
    channel = FakeChannel(hold=asyncio.Event(), pace=Pace(concurrency=1, exclusive=False))
    lost = Dispatcher(store, channel, locks)
    await publish(store, {"ada": AT_ONCE, "bo": AT_ONCE, "cy": Preferences(hour=22 * 60 + 30)})
    heir = Dispatcher(store, FakeChannel(repeats_unknown=False), locks)
    async with holding(locks, *lost.roles()):
        await lost.step(NOW)
        await channel.busy.wait()
        await settle(heir, NOW + later)
    assert await states(store) == {"sending": 1, "sent": 2}
    for back in range(3):
        await settle(heir, NOW - back * later)  # what it has seen happen lies in the future now
    assert await states(store) == {"unknown": 1, "sent": 2}
    await settle(heir, NOW + 2 * later)
    assert len(heir.channel.reached) == 2  # type: ignore[attr-defined]
    await lost.finish(NOW, patience=0)
    await locks.close()


async def test_a_commit_that_went_through_although_it_seemed_to_fail_strands_nobody(store: Store) -> None:
    locks = make_locks(store.engine.url, store.path)
    channel = FakeChannel()
    dispatcher = Dispatcher(store, channel, locks)
    dispatcher.hurries = False  # as in test_turns.py
    await publish(store, dict.fromkeys(("ada", "bo", "cy"), AT_ONCE))
    write = store.write

    @asynccontextmanager
    async def torn() -> AsyncIterator[AsyncConnection]:
        async with write() as connection:
            yield connection
        raise OSError("the connection was lost before the server's answer came")

    store.write = torn  # type: ignore[method-assign]
    with pytest.raises(OSError, match="lost"):
        await dispatcher.step(NOW)
    store.write = write  # type: ignore[method-assign]
    await settle(dispatcher, NOW + SWEEP)
    await settle(dispatcher, NOW + 2 * SWEEP)
    assert await states(store) == {"sent": 3}
    assert sorted(channel.reached) == ["ada", "bo", "cy"]
    await locks.close()


def forgetful(locks: Locks) -> None:
    """Let locks that were just given back count as free for long."""
    if hasattr(locks, "_seen_free"):

        class Long(dict[str, float]):
            def setdefault(self, key: str, default: float = 0.0) -> float:
                return float("-inf")

        locks._seen_free = Long()


@pytest.mark.parametrize("render_seconds", [0.05, 30.0])
async def test_a_template_that_never_ends_holds_up_neither_others_nor_stopping(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ears: Ears, render_seconds: float
) -> None:
    monkeypatch.setattr(rendering, "RENDER_SECONDS", render_seconds)
    monkeypatch.setattr(service, "PATIENCE", 0.1)
    never, begun = threading.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def block(page: Page) -> None:
        loop.call_soon_threadsafe(begun.set)
        never.wait()

    stuck, well = Odd(compose_fault=block), Odd(name="other")
    audience = [*readers("ada", "bo"), *readers("cy", "di", channel="other")]
    try:
        async with running(tmp_path, monkeypatch, audience, stuck, well) as wired:
            async with asyncio.timeout(PATIENCE):
                await begun.wait()
            await become(wired.store, "other", sent=2)
            if render_seconds < 1:
                await ears.hear("rendering rejected, falls back to headline")
        store = Store.open("sqlite:///subscribers.db", tmp_path)
        assert await states(store) == {"owed": 2}  # nothing had left: whoever starts next has nothing to doubt
        await store.close()
    finally:
        never.set()
    assert not stuck.reached
