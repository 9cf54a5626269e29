"""A database is never upgraded under a process of an earlier version that still runs."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from alembic import command

from bot.runtime.locks import make_locks
from bot.store import Store, StoreError, upgrade
from bot.store.schema import HEAD
from tests.store.recorded_0009 import fill_recorded, put_recorded
from tests.support.command import papers_command
from tests.support.postgres import Postgres

SQLITE_HOLDER = """
import json, os, sys
from filelock import FileLock
path, role = sys.argv[1], sys.argv[2]
lock = FileLock(f"{path}.{role.replace(':', '-')}.lock")
lock.acquire()
note = {"pid": os.getpid(), "host": "old", "since": "2025-11-03T22:00:00+00:00"}
open(f"{path}.{role.replace(':', '-')}.holder", "w").write(json.dumps(note))
print("held", flush=True)
sys.stdin.read()
"""


POSTGRES_HOLDER = """
import hashlib, os, sys
import psycopg
url, role, table = sys.argv[1:]
key = int.from_bytes(hashlib.sha256(f"morning-papers {role}".encode()).digest()[:8], "big") >> 1
name = f"process {os.getpid()} on old since 2025-11-03T22:00:00+00:00"
with psycopg.connect(url, autocommit=True) as connection:
    connection.execute("select set_config('application_name', %s, false)", (name,))
    if role != "standby":
        connection.execute("select pg_advisory_lock(%s)", (key,))
        connection.execute(f"insert into {table} values (%s, '{{}}')", (f"lock:{role}",))
    print("held", flush=True)
    sys.stdin.read()
    connection.execute(f"delete from {table} where key like 'lock:%%'")
"""
"""Processes that hold a lock exactly as the program did before the tables were renamed, without any of its code."""


@contextmanager
def old_program(store: Store, role: str, table: str = "facts") -> Iterator[int]:
    """A process of the earlier program that has a role's lock, and its mark in a table; its process id."""
    if store.path is not None:
        command = [sys.executable, "-c", SQLITE_HOLDER, str(store.path), role]
    else:
        url = store.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
        command = [sys.executable, "-c", POSTGRES_HOLDER, url, role, table]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process.pid
        process.communicate("", timeout=30)
    if store.path is None:  # the server notices a moment later
        there = "select 1 from pg_stat_activity where application_name like %s"
        with psycopg.connect(command[3], autocommit=True) as connection:
            while connection.execute(there, (f"process {process.pid} on old%",)).fetchone():
                pass


@pytest.mark.parametrize("role", ["poll", "keep", "write", "deliver:fake", "listen:stuck", "owner:0123456789abcdef"])
async def test_tables_are_not_renamed_while_the_old_program_runs(recorded: Store, role: str) -> None:
    with old_program(recorded, role) as process:
        with pytest.raises(
            StoreError, match=f"^The database must be upgraded .*process {process} on old since"
        ) as told:
            await recorded.migrate()
        assert "\n" not in str(told.value)
        assert await recorded.version() == "0009"
        async with recorded.read() as connection:
            [running] = await upgrade.running(connection, recorded.path)
            assert f"process {process} on old" in running
    await recorded.migrate()
    assert await recorded.version() == HEAD


@pytest.mark.parametrize("role", ["poll", "deliver:fake", "owner:0123456789abcdef", "standby"])
async def test_leases_do_not_take_over_from_a_process_that_knows_none(
    postgres: Postgres, tmp_path: Path, role: str
) -> None:
    store = Store.open(postgres.url(postgres.create()), tmp_path)
    try:
        async with store.write() as connection:
            await connection.run_sync(lambda each: command.upgrade(upgrade.config(each), "0018"))
        with old_program(store, role, "system_state") as process:
            with pytest.raises(StoreError, match=f"process {process} on old since"):
                await store.migrate()
            async with store.read() as connection:
                assert f"process {process} on old" in str(await upgrade.running(connection, None))
        await store.migrate()
        assert await store.version() == HEAD
        ours = make_locks(store.engine.url, None)
        await ours.take("poll")
        async with store.read() as connection:
            assert len(await upgrade.running(connection, None)) == 1
        await ours.close()
    finally:
        await store.close()


async def test_a_standby_on_a_server_keeps_tables_from_being_renamed(postgres: Postgres, tmp_path: Path) -> None:
    store = Store.open(postgres.url(postgres.create()), tmp_path)
    try:
        await fill_recorded(store, tmp_path)
        with old_program(store, "standby"), pytest.raises(StoreError, match="must be upgraded"):
            await store.migrate()
    finally:
        await store.close()


@pytest.mark.parametrize("version", ["0010", "0011", "0012", "0013"])
async def test_a_server_at_a_later_version_is_upgraded_too(postgres: Postgres, tmp_path: Path, version: str) -> None:
    store = Store.open(postgres.url(postgres.create()), tmp_path)
    try:
        async with store.write() as connection:
            await connection.run_sync(lambda each: command.upgrade(upgrade.config(each), version))
        assert (await store.migrate() or "").startswith(f"database brought from {version} to {HEAD}")
    finally:
        await store.close()


def test_every_start_refuses_in_one_sentence_and_check_says_what_would_change(tmp_path: Path) -> None:
    put_recorded(tmp_path)
    store = Store.open("sqlite:///subscribers.db", tmp_path)
    with old_program(store, "poll") as process:
        for words_ in (["migrate"], ["editions"], ["run", "--once"]):
            refused = papers_command(tmp_path, *words_)
            assert refused.returncode == 1
            assert f"process {process} on old" in refused.stderr
            assert refused.stderr.count("\n") == 1
        planned = papers_command(tmp_path, "migrate", "--check")
        assert planned.returncode == 0
        assert f"Stop these first: process {process} on old" in planned.stdout
        plan = json.loads(papers_command(tmp_path, "migrate", "--check", "--json").stdout)
        assert f"process {process} on old" in plan["running"][0]
        assert (plan["needs"], plan["standstill"]) == (HEAD, True)
        assert [step["revision"] for step in plan["migrations"]][-1] == HEAD
    free = papers_command(tmp_path, "migrate", "--check").stdout
    assert [line[:5] for line in free.splitlines() if line[:4].isdigit()] == [
        f"{number:04}:" for number in range(10, int(HEAD) + 1)
    ]
    assert "Estimated time, for " in free
    assert "standby and web processes have to stop" in free
    assert not list(tmp_path.glob("*.bak")), "a check changes nothing"
    assert papers_command(tmp_path, "migrate").returncode == 0
    assert papers_command(tmp_path, "migrate", "--check").stdout == "The database is up to date.\n"
    assert json.loads(papers_command(tmp_path, "migrate", "--check", "--json").stdout)["migrations"] == []
    assert papers_command(tmp_path, "migrate", "--json").returncode == 2


def test_of_several_that_start_together_one_upgrades_and_all_go_on(tmp_path: Path) -> None:
    put_recorded(tmp_path)
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "bot", "migrate"],
            env={"PAPERS_HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
            cwd=Path(__file__).parents[2],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    said = [process.communicate(timeout=120) for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], said
    assert len(list(tmp_path.glob("*.bak"))) == 1
