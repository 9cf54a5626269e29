"""Machines and networks fail in the middle of an edition: nobody is lost, roles are taken over, repeats are listed.

Each machine is a network namespace in which `papers run` sends mails to a relay on another network than the database's.
"""

from __future__ import annotations

import asyncio
import logging
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import select, text

from bot.model import State
from bot.rules.outcomes import MAX_REPEATS
from bot.store import DatabaseFault, Store
from bot.store.edition_report import reports
from bot.store.schema import deliveries, subscribers
from tests.delivery.test_kills import crowd
from tests.support.hosts import DATABASE, MAIL, Hosts, hosts
from tests.support.pooler import pooling
from tests.support.postgres import running
from tests.support.replica import Replica, replicated

ROOT = Path(__file__).resolve().parents[2]
CONNECTIONS = 5
ANSWER = 0.1
"""Seconds that the relay takes for a mail: an edition has to last for as long as a machine is cut off."""
TAKEN_OVER = {"cut": 20.0, "dead": 30.0}
"""Seconds after which somebody else has a role at the latest."""
BACK = 30.0
"""Seconds after which a machine that was cut off works again, once it has the network."""
LIMIT = 120.0
POSTGRES, STANDBY, POOLER, RELAY = 5432, 5433, 6432, 2525
log = logging.getLogger(__name__)


@dataclass
class Stage:
    """Two machines, a database, a relay, and what is known of them."""

    hosts: Hosts
    store: Store
    home: Path
    url: str
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    replica: Replica | None = None
    faults: int = 0
    """Processes that may have left their mails in flight in doubt."""

    @property
    def mails(self) -> list[list[str]]:
        """What the relay accepted: to whom, and under which Message-ID."""
        return [line.split() for line in (self.home / "mails").read_text().splitlines()]

    def relay(self, stack: ExitStack) -> None:
        """Start the relay, until the stack is left."""
        file = self.home / "mails"
        file.touch()
        arguments = [self.hosts.address(MAIL), str(RELAY), str(file), str(ANSWER)]
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
        command = ["sh", "-c", f"cd {home} && exec {sys.executable} -m bot run --standby 2>>log"]
        self.processes[name] = self.hosts.inside(name, command, environ)

    def pull_the_plug(self, name: str) -> None:
        """A machine loses power: nobody hears of it."""
        self.hosts.cut(name, DATABASE)
        self.hosts.cut(name, MAIL)
        self.processes[name].kill()
        self.processes[name].wait()
        self.faults += 1

    async def who_has(self, role: str) -> str | None:
        """The machine whose process has a role."""
        async with self.store.read() as connection:
            found = await connection.scalar(
                text("select process from leases where role = :role and ends_at > clock_timestamp()"), {"role": role}
            )
        pids = {f"process {process.pid} ": name for name, process in self.processes.items()}
        return next((name for pid, name in pids.items() if str(found).startswith(pid)), None)

    async def works(self, name: str) -> bool:
        """Whether a machine's process has leases."""
        query = "select 1 from leases where process like :process and ends_at > clock_timestamp()"
        async with self.store.read() as connection:
            wanted = {"process": f"process {self.processes[name].pid} %"}
            return await connection.scalar(text(query), wanted) is not None

    async def left(self) -> int:
        """Deliveries that are still to be sent."""
        async with self.store.read() as connection:
            query = "select count(*) from deliveries where state in ('owed', 'sending')"
            query += " or (state = 'unknown' and repeats < :most)"
            return int(await connection.scalar(text(query), {"most": MAX_REPEATS}) or 0)


async def until(what: Callable[[], Awaitable[bool]], limit: float, says: str) -> None:
    """Wait until something is so, and note in the log how long that took."""
    began = time.monotonic()
    while True:
        try:
            if await what():
                log.info("%s after %.1f s", says, time.monotonic() - began)
                return
        except DatabaseFault:
            pass  # the server is just being changed
        assert time.monotonic() - began < limit, f"not within {limit:.0f} s: {says}"
        await asyncio.sleep(0.2)


@asynccontextmanager
async def stage(home: Path, *, pooled: bool = False, replica: bool = False) -> AsyncIterator[Stage]:
    """Two machines `a` and `b`, nothing running on them yet.

    `pooled` puts PgBouncer before the database, `replica` a second server behind it.
    """
    home.mkdir(exist_ok=True)  # noqa: ASYNC240 - nothing else runs yet
    with hosts("a", "b") as machines, tempfile.TemporaryDirectory(prefix="papers") as folder, ExitStack() as stack:
        address = machines.address(DATABASE)
        settings = {"listen_addresses": address, "port": str(POSTGRES), "synchronous_commit": "on"}
        try:
            server = stack.enter_context(running(Path(folder), **settings))
        except LookupError as error:
            pytest.skip(str(error))
        name = server.create(port=POSTGRES)
        url = f"postgresql+psycopg://papers@{address}:{POSTGRES}/{name}"
        made = Stage(machines, Store.open(url, home), home, url)
        await made.store.migrate()
        if pooled:
            stack.enter_context(pooling(server, "transaction", at=POSTGRES, address=address))
            made.url = f"postgresql+psycopg://papers@{address}:{POOLER}/{name}"
        if replica:
            made.replica = stack.enter_context(replicated(server, address, STANDBY, of_port=POSTGRES))
            made.url = f"postgresql+psycopg://papers@/{name}?host={address},{address}&port={POSTGRES},{STANDBY}"
            await made.store.close()
            made.store = Store.open(made.url, home)
        made.relay(stack)
        try:
            yield made
        finally:
            for process in made.processes.values():
                process.kill()
                process.wait()
            await made.store.close()


async def verify(made: Stage, readers: int) -> None:
    """Everybody got it; who got it twice is listed, got the same Message-ID, and was in flight at a fault."""
    got: dict[str, list[str]] = defaultdict(list)
    for to, message_id in made.mails:
        got[to].append(message_id)
    async with made.store.read() as connection:
        assert all(report.adds_up and report.audience == readers for report in await reports(connection))
        query = select(subscribers.c.recipient, deliveries.c.state, deliveries.c.repeats).join(
            subscribers, subscribers.c.id == deliveries.c.subscriber_id
        )
        kept = {row.recipient: row for row in await connection.execute(query)}
    states = Counter(row.state for row in kept.values())
    assert len(kept) == readers
    assert set(states) <= {State.SENT, State.UNKNOWN}, states
    assert set(got) == set(kept), f"{len(set(kept) - set(got))} lost"
    twice = {to: ids for to, ids in got.items() if len(ids) > 1}
    assert all(len(set(ids)) == 1 for ids in twice.values())
    assert all(len(ids) - 1 <= kept[to].repeats for to, ids in twice.items()), "a repeat that was not listed"
    repeats = sum(len(ids) - 1 for ids in twice.values())
    log.info("%d readers, 0 lost, %d twice after %d faults, %s", readers, repeats, made.faults, dict(states))
    assert repeats <= CONNECTIONS * made.faults


async def sent(made: Stage, share: float, readers: int) -> None:
    """Wait until the relay has a share of an edition."""

    async def enough() -> bool:
        return len(made.mails) >= share * readers

    await until(enough, LIMIT, f"{share:.0%} are sent")


async def begin(made: Stage, readers: int) -> None:
    """Both machines are up, and an edition is due."""
    made.start("a")
    await until(lambda: holds(made, "a", "poll"), LIMIT, "a begins")
    made.start("b")
    await until(lambda: made.works("b"), LIMIT, "b stands by")
    await crowd(made.store, readers, channel="email", domain="@mail.example")


async def end(made: Stage, readers: int) -> None:
    """All is sent, both stop in order, and everything is as it should be."""
    await until(lambda: nothing_left(made), LIMIT + readers / 20, "all is sent")
    for process in made.processes.values():
        process.send_signal(signal.SIGTERM)
    assert [process.wait(20) for process in made.processes.values()] == [0, 0]
    await verify(made, readers)


async def cut_off(made: Stage) -> None:
    """The machine that leads is cut off from the database; the other one takes over, and it comes back."""
    leader, other = await leading(made)
    made.hosts.cut(leader)
    made.faults += 1
    await until(lambda: holds(made, other, "poll"), TAKEN_OVER["cut"], "a cut: the other one has the role")
    made.hosts.heal(leader)
    await until(lambda: made.works(leader), BACK, "healed: it is back")


async def lose_power(made: Stage) -> None:
    """The machine that leads loses its power; the other one takes over, and it is switched on again."""
    leader, other = await leading(made)
    made.pull_the_plug(leader)
    await until(lambda: holds(made, other, "poll"), TAKEN_OVER["dead"], "no power: the other one has the role")
    for network in (DATABASE, MAIL):
        made.hosts.heal(leader, network)
    made.start(leader)
    await until(lambda: made.works(leader), LIMIT, "switched on: it is back")


async def restart(made: Stage) -> None:
    """The process that leads is killed and started again at once."""
    leader, _ = await leading(made)
    made.processes[leader].kill()
    made.processes[leader].wait()
    made.faults += 1
    made.start(leader)
    await until(lambda: made.works(leader), LIMIT, "killed and started again: it is back")


async def fail_over(made: Stage) -> None:
    """The database's server crashes, and its replica is promoted: leases go on, and new ones have higher numbers."""
    assert made.replica is not None
    await asyncio.to_thread(made.replica.take_over)
    made.faults += len(made.processes)
    await restart(made)

    async def anew() -> bool:
        async with made.store.read() as connection:
            query = "select count(*) from leases where number >= 2000000 and ends_at > clock_timestamp()"
            return bool(await connection.scalar(text(query)))

    await until(anew, LIMIT, "failed over: a lease of the new timeline")


@pytest.mark.timeout(3600)
async def test_machines_are_cut_off_and_lose_their_power_in_mid_edition(tmp_path: Path, long: bool) -> None:
    for seed in range(3 if long else 1):
        readers = 5000 if long else 1000
        async with stage(tmp_path / str(seed)) as made:
            await begin(made, readers)
            faults = [cut_off, lose_power, *([restart] if long else [])]
            random.Random(seed).shuffle(faults)
            for number, fault in enumerate(faults):
                await sent(made, 0.1 + number / 5, readers)
                await fault(made)
            await end(made, readers)


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("kind", ["pooled", "replica"])
async def test_behind_a_pooler_and_over_a_failover_it_is_the_same(tmp_path: Path, long: bool, kind: str) -> None:
    if not long:
        pytest.skip("only with --long")
    readers = 5000
    async with stage(tmp_path / kind, pooled=kind == "pooled", replica=kind == "replica") as made:
        await begin(made, readers)
        await sent(made, 0.1, readers)
        if kind == "replica":
            await fail_over(made)
        else:
            async with made.store.engine.connect() as opened:
                forgotten = await opened.execution_options(isolation_level="REPEATABLE READ")
                await forgotten.execute(text("select count(*) from deliveries"))
                await cut_off(made)
                await sent(made, 0.9, readers)
        await end(made, readers)


async def leading(made: Stage) -> tuple[str, str]:
    """The machine that has the role of the poller, and the other one."""
    leader = await made.who_has("poll")
    assert leader is not None
    [other] = set(made.processes) - {leader}
    return leader, other


async def holds(made: Stage, name: str, role: str) -> bool:
    return await made.who_has(role) == name


async def nothing_left(made: Stage) -> bool:
    return await made.left() == 0
