"""Machines and networks fail in the middle of an edition: nobody is lost, roles are taken over, repeats are listed."""

from __future__ import annotations

import asyncio
import os
import random
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest

from bot.store.database import LONGEST_IDLE
from tests.support.chaos import begin, cut_off, edition, end, held_snapshot, lose_power, restart, sent
from tests.support.hosts import DATABASE, hosts
from tests.support.machines import POOLER, TAKEN_OVER, machines
from tests.support.pooler import pooling
from tests.support.postgres import running


async def test_every_machine_fails_at_the_same_time(tmp_path: Path) -> None:
    readers = 500
    async with machines(tmp_path, "abc", answer=0.1) as made:
        await begin(made, readers)
        leader = await made.leader()
        assert leader is not None
        other, survivor = (name for name in "abc" if name != leader)
        async with held_snapshot(made):
            await sent(made, 0.1, readers)
            await asyncio.gather(cut_off(made, leader), lose_power(made, other), restart(made, survivor))
            await end(made, readers)


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", range(3))
async def test_each_kind_of_fault_in_mid_edition(tmp_path: Path, long: bool, seed: int) -> None:
    if not long:
        pytest.skip("only with --long")
    await edition(tmp_path, "abcde", 5000, random.Random(seed))


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("behind", ["pooler", "replica"])
async def test_behind_a_pooler_and_over_a_failover_it_is_the_same(tmp_path: Path, long: bool, behind: str) -> None:
    if not long:
        pytest.skip("only with --long")
    await edition(tmp_path, "abc", 5000, random.Random(0), behind=behind)


HALF_A_PIPELINE = """
import sys, time
import psycopg
connection = psycopg.connect(sys.argv[1])
connection.execute(f"select {sys.argv[2]}")
with connection.pipeline():
    connection.execute("update locked set n = 2")
    connection.pgconn.send_flush_request()
    while connection.pgconn.flush():
        pass
    print("locked", flush=True)
    time.sleep(1000)
"""
"""A writer that has begun a pipeline and never ends it: its session is not idle."""


@pytest.mark.parametrize("pooled", [False, pytest.param(True, marks=pytest.mark.long)])
def test_a_writer_that_was_cut_off_within_a_pipeline_is_noticed(pooled: bool, long: bool) -> None:
    if pooled and not long:
        pytest.skip("only with --long")
    with hosts("a") as machines, tempfile.TemporaryDirectory(prefix="papers") as folder, ExitStack() as stack:
        address = machines.address(DATABASE)
        server = stack.enter_context(running(Path(folder), listen_addresses=address))
        url = own = f"postgresql://papers@{address}/postgres"
        if pooled:
            stack.enter_context(pooling(server, "transaction", address=address))
            url = f"postgresql://papers@{address}:{POOLER}/postgres"
        with psycopg.connect(own, autocommit=True) as connection:
            connection.execute("create table locked as select 1 as n")
            writer = machines.inside("a", [sys.executable, "-c", HALF_A_PIPELINE, url, LONGEST_IDLE], dict(os.environ))
            try:
                holds_it = "select 1 from pg_locks where locktype = 'relation' and relation = 'locked'::regclass"
                while not connection.execute(f"{holds_it} and mode = 'RowExclusiveLock'").fetchone():
                    time.sleep(0.1)
                machines.cut("a")
                connection.execute(f"set lock_timeout = '{TAKEN_OVER['cut']:.0f}s'")
                connection.execute("select * from locked for update")
            finally:
                writer.kill()
                writer.wait()
