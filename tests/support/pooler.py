"""PgBouncer before the tests' PostgreSQL server, on a socket of its own; skipped where it is not installed."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.postgres import NOBODY, Postgres

PORT = 6432
LIMIT = 20.0
"""Seconds that it may take to answer."""
CONFIGURATION = """
[databases]
* = host={server} port={at} user=papers
[pgbouncer]
listen_addr = {address}
listen_port = {port}
unix_socket_dir = {folder}
auth_type = any
pool_mode = {mode}
default_pool_size = 20
max_client_conn = 400
tcp_keepidle = 5
tcp_keepintvl = 3
tcp_keepcnt = 3
tcp_user_timeout = 10000
logfile = {folder}/log
"""


@contextmanager
def pooling(server: Postgres, mode: str, *, at: int = 5432, address: str = "") -> Iterator[str]:
    """Run PgBouncer before a server at port `at` for a block; yields what to put after a database's name.

    With an `address` it listens there too, on PORT.
    """
    program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        pytest.skip("no PgBouncer: install Debian's package pgbouncer")
    with tempfile.TemporaryDirectory(prefix="pooler") as made:
        folder = Path(made)
        written = CONFIGURATION.format(
            server=server.folder, at=at, address=address, port=PORT, folder=folder, mode=mode
        )
        (folder / "pgbouncer.ini").write_text(written)
        user = None
        if os.geteuid() == 0:
            os.chown(folder, NOBODY, NOBODY)
            user = NOBODY
        quiet = subprocess.DEVNULL
        command = [program, "-q", str(folder / "pgbouncer.ini")]
        with subprocess.Popen(
            command, user=user, group=user, extra_groups=[] if user else None, stderr=quiet
        ) as process:
            try:
                _wait(folder / f".s.PGSQL.{PORT}")
                yield f"?host={folder}&port={PORT}"
            finally:
                process.terminate()


def _wait(path: Path) -> None:
    ends = time.monotonic() + LIMIT
    while True:
        with socket.socket(socket.AF_UNIX) as client:
            try:
                client.connect(str(path))
                return
            except OSError:
                assert time.monotonic() < ends, "PgBouncer does not answer"
        time.sleep(0.02)
