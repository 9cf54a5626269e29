"""Machines that send one newsletter, each a network namespace in which `papers run` sends mails, and what fails there.

The relay is on another network than the database, so that a machine can lose one of them and keep the other.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from bot.rules.outcomes import MAX_REPEATS
from bot.store import DatabaseFault, Store
from tests.support.hosts import DATABASE, MAIL, Hosts, hosts
from tests.support.pooler import pooling
from tests.support.postgres import running
from tests.support.replica import Replica, replicated

ROOT = Path(__file__).resolve().parents[2]
CONNECTIONS = 5
TAKEN_OVER = {"cut": 20.0, "dead": 30.0}
"""Seconds after which others have what a machine did, at the latest."""
BACK = 30.0
"""Seconds after which a machine that was cut off works again, once it has the network."""
LIMIT = 120.0
POSTGRES, STANDBY, POOLER, RELAY = 5432, 5433, 6432, 2525
log = logging.getLogger(__name__)


@dataclass
class Machines:
    """Some machines, a database, a relay, and what is known of them."""

    hosts: Hosts
    store: Store
    home: Path
    url: str
    replica: Replica | None = None
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    ahead: dict[str, int] = field(default_factory=dict)
    """Hours by which the clocks of some machines are fast."""
    faults: int = 0
    """Processes that may have left their mails in flight in doubt."""
    twice: int = 0
    """Mails that came a second time."""
    took: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    """For each thing that was waited for, the seconds that it took."""

    @property
    def mails(self) -> list[list[str]]:
        """What the relay accepted: to whom, and under which Message-ID."""
        return [line.split() for line in (self.home / "mails").read_text().splitlines()]

    @property
    def most_twice(self) -> int:
        """How many mails were in flight at faults, at most."""
        return CONNECTIONS * self.faults

    def relay(self, stack: ExitStack, answer: float) -> None:
        """Start the relay, which takes `answer` seconds for a mail, until the stack is left."""
        file = self.home / "mails"
        file.touch()
        arguments = [self.hosts.address(MAIL), str(RELAY), str(file), str(answer)]
        process = subprocess.Popen([sys.executable, "-m", "tests.support.relay_process", *arguments], cwd=ROOT)
        stack.callback(process.wait)
        stack.callback(process.kill)

    def start(self, name: str) -> None:
        """Start the program on a machine."""
        home = self.home / name
        home.mkdir(exist_ok=True)
        environ = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "PAPERS_HOME": str(home),
            "DATABASE_URL": self.url,
            "FEED_URL": "http://127.0.0.1:9/",
            "SMTP_HOST": self.hosts.address(MAIL),
            "SMTP_PORT": str(RELAY),
            "SMTP_SECURITY": "none",
            "EMAIL_FROM": "papers@mail.example",
            "EMAIL_CONNECTIONS": str(CONNECTIONS),
        }
        program = f"tests.support.fast_clock {self.ahead[name]}" if name in self.ahead else "bot"
        command = ["sh", "-c", f"cd {home} && exec {sys.executable} -m {program} run --standby 2>>log"]
        self.processes[name] = self.hosts.inside(name, command, environ)

    def kill(self, name: str) -> None:
        """End the program on a machine at once."""
        self.processes[name].kill()
        self.processes[name].wait()
        self.faults += 1

    def pull_the_plug(self, name: str) -> None:
        """A machine loses power: nobody hears of it."""
        self.hosts.cut(name, DATABASE)
        self.hosts.cut(name, MAIL)
        self.kill(name)

    def switch_on(self, name: str) -> None:
        """A machine that lost its power has it again."""
        self.hosts.heal(name, DATABASE)
        self.hosts.heal(name, MAIL)
        self.start(name)

    def stop(self) -> list[int]:
        """Stop the program everywhere in order; returns the exit codes."""
        for process in self.processes.values():
            process.send_signal(signal.SIGTERM)
        return [process.wait(20) for process in self.processes.values()]

    async def until(self, what: Callable[[], Awaitable[bool]], limit: float, says: str) -> None:
        """Wait until something is so, and remember how long that took."""
        began = time.monotonic()
        while True:
            try:
                if await what():
                    break
            except DatabaseFault:
                pass  # the server is just being changed
            assert time.monotonic() - began < limit, f"not within {limit:.0f} s: {says}"
            await asyncio.sleep(0.2)
        self.took[says].append(time.monotonic() - began)
        log.info("%s after %.1f s", says, self.took[says][-1])

    async def leader(self) -> str | None:
        """The machine whose process polls."""
        found = await self._one("select process from leases where role = 'poll' and ends_at > clock_timestamp()")
        pids = {f"process {process.pid} ": name for name, process in self.processes.items()}
        return next((name for pid, name in pids.items() if str(found).startswith(pid)), None)

    async def works(self, name: str) -> bool:
        """Whether a machine's process has leases."""
        query = "select 1 from leases where process like :process and ends_at > clock_timestamp()"
        return await self._one(query, process=f"process {self.processes[name].pid} %") is not None

    async def owners(self, name: str) -> list[str]:
        """Under which names a machine's process claims deliveries."""
        query = "select array_agg(substr(role, 7)) from leases where role like 'owner:%' and process like :process"
        return await self._one(query, process=f"process {self.processes[name].pid} %") or []

    async def claimed(self, owners: list[str]) -> bool:
        """Whether deliveries are being sent under such names."""
        query = "select 1 from deliveries where state = 'sending' and owner = any(:owners) limit 1"
        return await self._one(query, owners=owners) is not None

    async def left(self) -> int:
        """Deliveries that are still to be sent."""
        query = "select count(*) from deliveries where state in ('owed', 'sending')"
        return int(await self._one(f"{query} or (state = 'unknown' and repeats < :most)", most=MAX_REPEATS) or 0)

    async def fenced(self, least: int) -> bool:
        """Whether somebody has a lease whose number is that high."""
        query = "select 1 from leases where number >= :least and ends_at > clock_timestamp() limit 1"
        return await self._one(query, least=least) is not None

    async def _one(self, query: str, **given: object) -> Any:
        async with self.store.read() as connection:
            return await connection.scalar(text(query), given)


@asynccontextmanager
async def machines(
    home: Path, names: str, *, answer: float, pooled: bool = False, replica: bool = False
) -> AsyncIterator[Machines]:
    """Machines named by letters, nothing running on them yet, with an empty database.

    The relay takes `answer` seconds for a mail. `pooled` puts PgBouncer before the database, `replica` a second server
    behind it.
    """
    home.mkdir(exist_ok=True)  # noqa: ASYNC240 - nothing else runs yet
    with hosts(*names) as spaces, tempfile.TemporaryDirectory(prefix="papers") as folder, ExitStack() as stack:
        address = spaces.address(DATABASE)
        settings = {"listen_addresses": address, "port": str(POSTGRES), "synchronous_commit": "on"}
        try:
            server = stack.enter_context(running(Path(folder), **settings))
        except LookupError as error:
            pytest.skip(str(error))
        name = server.create(port=POSTGRES)
        url = own = f"postgresql+psycopg://papers@{address}:{POSTGRES}/{name}"
        standby = None
        if pooled:
            stack.enter_context(pooling(server, "transaction", at=POSTGRES, address=address))
            url = f"postgresql+psycopg://papers@{address}:{POOLER}/{name}"
        if replica:
            standby = stack.enter_context(replicated(server, address, STANDBY, of_port=POSTGRES))
            url = own = f"postgresql+psycopg://papers@/{name}?host={address},{address}&port={POSTGRES},{STANDBY}"
        made = Machines(spaces, Store.open(own, home), home, url, standby)
        made.relay(stack, answer)
        try:
            yield made
        finally:
            for process in made.processes.values():
                process.kill()
                process.wait()
            await made.store.close()
