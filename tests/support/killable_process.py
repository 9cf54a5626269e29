"""A process that delivers for real and may be killed at any instant: `bot.app` with a channel that keeps a ledger.

The ledger is a file with one line before and one after each answer. Each line is followed by a tick on a pipe, so
that whoever kills can wait for a number of lines without looking at the clock.
"""

from __future__ import annotations

import asyncio
import logging
import os
import random
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from sqlalchemy import and_, or_, select

from bot import app
from bot.channel import Channel, Limits, Message, Outcome, Pace, Page, Personal, Sent
from bot.delivery import dead_senders
from bot.model import State
from bot.rules.outcomes import MAX_REPEATS
from bot.runtime import locks
from bot.runtime.supervisor import clock, pause
from bot.service import Role
from bot.store import Store
from bot.store.schema import deliveries
from tests.support.fake_channel import Plain

UP, LINE = b"+", b"."
DONE, HELD = 0, 3
LATENCY = 0.01
"""Seconds that the service takes to answer, at most."""
DELIVER = frozenset({Role.DELIVER})


@dataclass(frozen=True, slots=True)
class Orders:
    """What a victim is to do with its life."""

    home: Path
    database: str
    exclusive: bool = True
    answers: bool = True
    """False: every send stays in flight for ever."""
    standby: bool = False
    once: bool = False
    hasty: bool = True
    """Look for what the dead had in flight all the time."""

    together: bool = False
    """Begin only when the gate opens, with all the others."""

    @property
    def ledger(self) -> Path:
        return self.home / "ledger"

    @property
    def gate(self) -> Path:
        """A named pipe: who opens it to read waits until somebody opens it to write."""
        return self.home / "gate"


class Ledger(Channel):
    """A channel that writes down every send before and after answering it."""

    name = "fake"
    limits = Limits()
    repeats_unknown = True
    rehearsal = True

    def __init__(self, orders: Orders, ticks: int) -> None:
        self.pace = Pace(concurrency=20, exclusive=orders.exclusive)
        self._answers = orders.answers
        self._file = os.open(orders.ledger, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        self._ticks = ticks

    async def __aexit__(self, *exc: object) -> None:
        os.close(self._file)

    def recipient(self, written: str) -> str:
        return written

    def compose(self, page: Page) -> Plain:
        return Plain(page)

    async def send(self, to: str, message: Message, personal: Personal) -> Outcome:
        edition, _, _ = personal.key.partition(".")
        self._write(to, edition, "before")
        if not self._answers:
            await asyncio.Event().wait()
        await asyncio.sleep(random.uniform(0, LATENCY))
        self._write(to, edition, "after")
        return Sent()

    def _write(self, *words: str) -> None:
        os.write(self._file, f"{' '.join(words)} {os.getpid()}\n".encode())  # one call: no half line, nothing buffered
        os.write(self._ticks, LINE)


def live(orders: Orders, ticks: Connection) -> None:
    """Deliver until nothing is left to deliver; exits with HELD where another process does so already."""
    logging.basicConfig(filename=orders.home / "log", format="%(process)d %(message)s", level=logging.WARNING)
    if orders.hasty:
        dead_senders.SWEEP /= 100
    try:
        asyncio.run(_deliver(orders, ticks.fileno()))
    except locks.HeldError:
        raise SystemExit(HELD) from None


async def _deliver(orders: Orders, ticks: int) -> None:
    vars(app)["open_channel"] = lambda *_: Ledger(orders, ticks)
    stop = asyncio.Event()
    async with app.open_app(orders.home, {"DATABASE_URL": orders.database}) as wired:
        if orders.once:
            await wired.once(clock(), DELIVER)
            return
        if not orders.standby:
            await wired.take_locks(DELIVER, stop)
        os.write(ticks, UP)
        if orders.together:
            os.close(os.open(orders.gate, os.O_RDONLY))
        async with asyncio.TaskGroup() as group:
            group.create_task(_watch(wired.store, stop))
            group.create_task(wired.run(stop, DELIVER))


async def _watch(store: Store, stop: asyncio.Event) -> None:
    """Say stop when nothing is left to deliver."""
    may_repeat = and_(deliveries.c.state == State.UNKNOWN, deliveries.c.repeats < MAX_REPEATS)
    left = select(deliveries.c.id).where(or_(deliveries.c.state.in_([State.OWED, State.SENDING]), may_repeat)).limit(1)
    while not stop.is_set():
        async with store.read() as connection:
            if await connection.scalar(left) is None:
                stop.set()
        await pause(0.1, stop)
