"""A replica of the tests' PostgreSQL server, which waits for it; it takes over when it is promoted."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from tests.support.postgres import NOBODY, SETTINGS, Postgres, programs


class Replica:
    """A running replica."""

    def __init__(self, server: Postgres, address: str, port: int) -> None:
        self._server, self._address, self._port = server, address, port
        self._data = server.folder / "replica"
        self._user: dict[str, Any] = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}

    def start(self, of_port: int) -> None:
        """Copy the server that listens on `of_port` of the same address, and follow it."""
        copied = ["-h", self._address, "-p", str(of_port), "-U", "papers", "-R", "-X", "stream", "-c", "fast"]
        self._call("pg_basebackup", *copied, "-D", str(self._data))
        own = {"listen_addresses": self._address, "port": str(self._port)}
        own["max_connections"] = SETTINGS["max_connections"]  # a replica needs as many as its server
        options = f"-k {self._server.folder} " + " ".join(f"-c {name}={value}" for name, value in own.items())
        self._call("pg_ctl", "-D", str(self._data), "-w", "-s", "-l", f"{self._data}.log", "-o", options, "start")
        where = f"postgresql://papers@/postgres?host={self._server.folder}&port={of_port}"
        with psycopg.connect(where, autocommit=True) as connection:
            connection.execute("alter system set synchronous_standby_names = '*'")
            connection.execute("select pg_reload_conf()")

    def take_over(self) -> None:
        """Let the server crash, and promote the replica."""
        self._call("pg_ctl", "-D", str(self._server.folder / "data"), "-m", "immediate", "-s", "stop")
        self._call("pg_ctl", "-D", str(self._data), "-w", "-s", "promote")

    def stop(self) -> None:
        """Stop it."""
        self._call("pg_ctl", "-D", str(self._data), "-m", "immediate", "-s", "stop")

    def _call(self, program: str, *arguments: str) -> None:
        folder = self._server.folder
        environ = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "HOME": str(folder)}
        command = [str(programs(folder) / program), *arguments]
        with (folder / "log").open("ab") as log:
            subprocess.run(command, check=True, cwd=folder, env=environ, stdout=log, stderr=log, **self._user)


@contextmanager
def replicated(server: Postgres, address: str, port: int, *, of_port: int) -> Iterator[Replica]:
    """A replica of the server at `of_port` of an address, at another port of it, for a block."""
    made = Replica(server, address, port)
    made.start(of_port)
    try:
        yield made
    finally:
        made.stop()
