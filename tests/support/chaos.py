"""What goes wrong with machines in the middle of an edition, how soon others have the work, and who got what.

`tests/delivery/test_chaos.py` runs it, and `python -m benchmarks.chaos` at any size.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, nullcontext
from functools import partial
from pathlib import Path

from sqlalchemy import select, text

from bot.model import State
from bot.store.edition_report import reports
from bot.store.schema import deliveries, subscribers
from tests.delivery.test_kills import crowd
from tests.support.machines import BACK, CONNECTIONS, LIMIT, TAKEN_OVER, Machines, machines

FAST = 20
"""Hours by which the clock of one machine is fast."""
LASTS = 100.0
"""Seconds that an edition takes if nothing fails: time for all faults."""
NEW_TIMELINE = 2_000_000
"""The least number of a lease that is handed out after the first promotion."""
CUT, DEAD, HEALED = "cut off: others have its work", "no power: others have its work", "healed: it is back"
log = logging.getLogger(__name__)

Fault = Callable[[Machines, str], Awaitable[None]]


async def cut_off(made: Machines, name: str) -> None:
    """A machine is cut off from the database; others take over, and it comes back by itself."""
    owners = await made.owners(name)
    made.hosts.cut(name)
    made.faults += 1
    await made.until(partial(_taken_over, made, name, owners), TAKEN_OVER["cut"], CUT)
    made.hosts.heal(name)
    await made.until(lambda: made.works(name), BACK, HEALED)


async def lose_power(made: Machines, name: str) -> None:
    """A machine loses its power; others take over, and it is switched on again."""
    owners = await made.owners(name)
    made.pull_the_plug(name)
    await made.until(partial(_taken_over, made, name, owners), TAKEN_OVER["dead"], DEAD)
    made.switch_on(name)
    await made.until(lambda: made.works(name), LIMIT, "switched on: it is back")


async def restart(made: Machines, name: str) -> None:
    """The process of a machine is killed and started again at once."""
    owners = await made.owners(name)
    made.kill(name)
    made.start(name)

    async def as_before() -> bool:
        return await made.works(name) and await made.leader() is not None and not await made.claimed(owners)

    await made.until(as_before, LIMIT, "killed and started again: it is back")


async def fail_over(made: Machines, name: str) -> None:
    """The database's server crashes, and its replica is promoted; a process that starts then has higher numbers."""
    assert made.replica is not None
    await asyncio.to_thread(made.replica.take_over)
    made.faults += len(made.processes)
    await restart(made, name)
    await made.until(lambda: made.fenced(NEW_TIMELINE), LIMIT, "failed over: a lease of the new timeline")


async def _taken_over(made: Machines, name: str, owners: list[str]) -> bool:
    """Whether a machine has nothing any more, and others all that it had."""
    return await made.leader() not in {None, name} and not await made.works(name) and not await made.claimed(owners)


FAULTS: list[tuple[Fault, bool]] = [(what, polls) for what in (cut_off, lose_power, restart) for polls in (True, False)]
"""What happens, and whether to the machine that polls or to another, which only sends."""


async def edition(home: Path, names: str, readers: int, order: random.Random, *, behind: str = "") -> Machines:
    """Send an edition to `readers` readers from several machines, each of which fails in the middle, in a random order.

    They start at once on an empty database, the clock of the last is fast, and somebody holds a snapshot all the while.
    `behind` is "pooler" or "replica", to have that between them and the database, and to lose the server too.

    Returns what was seen.
    """
    answer = LASTS * CONNECTIONS * len(names) / readers
    pooled, replica = behind == "pooler", behind == "replica"
    async with machines(home, names, answer=answer, pooled=pooled, replica=replica) as made:
        await begin(made, readers)
        faults = [*FAULTS, *([(fail_over, True)] if replica else [])]
        order.shuffle(faults)
        async with nullcontext() if replica else held_snapshot(made):
            for number, (fault, polls) in enumerate(faults):
                await sent(made, (number + 0.5) / (len(faults) + 1), readers)
                leader = await made.leader()
                assert leader is not None
                others = [name for name in names if name != leader]
                await fault(made, leader if polls else order.choice(others))
            await end(made, readers)
        return made


async def begin(made: Machines, readers: int) -> None:
    """All machines start at once on an empty database, one of them with a fast clock; then an edition is due."""
    made.ahead[made.hosts.names[-1]] = FAST
    for name in made.hosts.names:
        made.start(name)

    async def all_work() -> bool:
        return await made.leader() is not None and all([await made.works(name) for name in made.hosts.names])

    await made.until(all_work, LIMIT, f"{len(made.hosts.names)} processes have begun on an empty database")
    await crowd(made.store, readers, channel="email", domain="@mail.example")


@asynccontextmanager
async def held_snapshot(made: Machines) -> AsyncIterator[None]:
    """Somebody has forgotten a transaction, so that no row version is cleaned up."""
    async with made.store.engine.connect() as opened:
        forgotten = await opened.execution_options(isolation_level="REPEATABLE READ")
        await forgotten.execute(text("select count(*) from deliveries"))
        yield


async def sent(made: Machines, share: float, readers: int) -> None:
    """Wait until the relay has a share of an edition."""

    async def enough() -> bool:
        return len(made.mails) >= share * readers

    await made.until(enough, LIMIT + LASTS, f"{share:.0%} are sent")


async def end(made: Machines, readers: int) -> None:
    """All is sent, all stop in order, and everything is as it should be."""

    async def nothing_left() -> bool:
        return await made.left() == 0

    await made.until(nothing_left, LIMIT + LASTS, "all is sent")
    assert set(made.stop()) == {0}
    await verify(made, readers)


async def verify(made: Machines, readers: int) -> None:
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
    made.twice = sum(len(ids) - 1 for ids in twice.values())
    log.info("%d readers, 0 lost, %d twice after %d faults, %s", readers, made.twice, made.faults, dict(states))
    assert made.twice <= made.most_twice
