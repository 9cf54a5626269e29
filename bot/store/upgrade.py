"""Upgrades of the database: which migrations are pending, and that no other process runs beside those that forbid it.

A process of an earlier version asks for tables by their old names, and one before `LEASES` knows other locks. So such a
migration first takes every lock that a process of then holds while it runs, and is refused while one of them is taken.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.runtime.locks import FileLocks, HeldError, wait_for
from bot.runtime.locks.role_names import every_role
from bot.store import search
from bot.store.schema import HEAD

if TYPE_CHECKING:  # imported only when there is something to migrate
    from alembic.config import Config

NEW_NAMES = "0010"
"""The migration that gave tables their present names."""
REASON_CODES = "0011"
"""The migration that wrote to each row of deliveries, subscribers and the suppression list; later ones touch few."""
SEARCH_INDEX = "0013"
"""The migration that made the search index of today, which is filled from the papers afterwards."""
LEASES = "0019"
"""The migration that put leases in the place of PostgreSQL's advisory locks, of which a later process knows nothing."""
PARTITIONS = "0021"
"""The migration that put PostgreSQL's deliveries into partitions."""
DUE_BY_ID = "0024"
"""The migration that gave PostgreSQL's index of what is due the id."""
STANDSTILL = {"sqlite": SEARCH_INDEX, "postgresql": LEASES}
"""The newest migration that no process may run beside: one that renames tables, or changes how locks are held."""
SETTLING = 9.0
"""Seconds within which a process before `LEASES` noticed that its advisory locks were lost."""
MIGRATE = "migrate"
"""The lock under which one process of several that start together migrates, on SQLite."""
ROWS_PER_SECOND = {"sqlite": 200_000, "postgresql": 60_000}
"""Rows that all migrations together copy or update in a second: less than `benchmarks.migrations` saw."""
CHECKED_PER_SECOND = 1_000_000
"""Rows of PostgreSQL's deliveries that are looked at in a second before they become a partition, or for an index."""
PAPERS_PER_SECOND = 1_500
"""Papers that are put into the search index in a second."""
BYTES_PER_SECOND = 100_000_000
"""Bytes of an SQLite file that are copied in a second before it is migrated; the same benchmark saw 260 million."""
TOUCHED = ("deliveries", "subscribers", "tickets", "variants", "tallies", "facts", "memory", "suppressed")
"""Tables whose rows the migrations up to now copy or update."""


@dataclass(frozen=True, slots=True)
class Pending:
    """A migration that has not been applied, and what it does in one sentence."""

    revision: str
    does: str


def config(connection: Connection | None = None) -> Config:
    """Alembic's configuration: the migrations of this package, on `connection`."""
    from alembic.config import Config

    made = Config()
    made.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    made.attributes["connection"] = connection
    return made


def pending(version: str | None) -> list[Pending]:
    """The migrations that a database at `version` lacks, the earliest first."""
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory.from_config(config()).iterate_revisions("head", version or "base")
    return [Pending(script.revision, (script.doc or "").splitlines()[0]) for script in scripts][::-1]


def needs_standstill(version: str | None, file: Path | None) -> bool:
    """Whether no other process may run while a database at `version` is migrated; `file` is that of SQLite."""
    return version is not None and version < STANDSTILL["postgresql" if file is None else "sqlite"]


def lacks_index(version: str | None) -> bool:
    """Whether a database at `version` has papers that are not in the search index; a new one has no papers."""
    return version is not None and version < SEARCH_INDEX


async def estimate(connection: AsyncConnection, file: Path | None, version: str) -> tuple[int, float]:
    """Rows that the migrations from `version` on touch or check, and roughly the seconds that they take.

    The seconds include the copy of an SQLite file, which is at `file`.
    """
    rows = papers = checked = 0
    for table in await connection.run_sync(lambda each: set(inspect(each).get_table_names())):
        if table in TOUCHED and version < REASON_CODES:
            rows += int(await connection.scalar(text(f"select count(*) from {table}")) or 0)  # noqa: S608 - ours
    looks = [each for each in (PARTITIONS, DUE_BY_ID) if version < each]
    if file is None and looks:
        checked = len(looks) * int(await connection.scalar(text("select count(*) from deliveries")) or 0)
    if lacks_index(version):
        papers = int(await connection.scalar(text("select count(*) from papers")) or 0)
    size = 0 if file is None else (await asyncio.to_thread(file.stat)).st_size
    seconds = rows / ROWS_PER_SECOND[connection.dialect.name] + checked / CHECKED_PER_SECOND
    seconds += papers / PAPERS_PER_SECOND + size / BYTES_PER_SECOND
    return rows + checked + papers, seconds


async def run(connection: AsyncConnection, target: str = HEAD) -> None:
    """Run the migrations up to `target`; the newest comes with the papers that the search index lacks.

    Only then are the tables those that the search knows. An upgrade that was ended before has them in its next run.
    """
    from alembic import command

    await connection.run_sync(lambda each: command.upgrade(config(each), target))
    if target == HEAD:
        await search.index_missing(connection)


@asynccontextmanager
async def file_standstill(connection: AsyncConnection, file: Path) -> AsyncIterator[None]:
    """Hold every lock of the program beside an SQLite file. Raises HeldError while another process has one."""
    locks = FileLocks(file)
    try:
        await locks.take(*await _roles(connection), *await _owners_on_disk(locks, file))
        yield
    finally:
        await locks.close()


@asynccontextmanager
async def migrating_file(file: Path) -> AsyncIterator[None]:
    """Let one process at a time migrate an SQLite file; others wait, and find it done."""
    locks = FileLocks(file)
    try:
        await wait_for(locks, MIGRATE)
        yield
    finally:
        await locks.close()


async def server_standstill(connection: AsyncConnection, version: str) -> None:
    """Take every advisory lock of the program before `LEASES` until the transaction ends. Raises HeldError.

    `version` is the database's, by which the table with the marks of locks has its name.
    """
    for role in await _roles(connection):
        if not await connection.scalar(text("select pg_try_advisory_xact_lock(:key)"), {"key": _key_of(role)}):
            raise HeldError(role, ", ".join(await _connected(connection)) or "another process")
    for process in await _connected(connection):  # one that only sends, or stands by, holds none of these
        raise HeldError("a connection", process)
    table = "facts" if version < NEW_NAMES else "system_state"
    marked = text(f"select 1 from {table} where key like 'lock:%' limit 1")  # noqa: S608 - ours
    if await connection.scalar(marked) is not None:
        await asyncio.sleep(SETTLING)  # a holder was cut off, and may not have noticed yet


def _key_of(role: str) -> int:
    """The key of a role's advisory lock before `LEASES`."""
    return int.from_bytes(hashlib.sha256(f"morning-papers {role}".encode()).digest()[:8], "big") >> 1


async def running(connection: AsyncConnection, file: Path | None) -> Sequence[str]:
    """The processes that use the database just now, as their locks name them."""
    if file is None:
        if not await connection.run_sync(lambda each: inspect(each).has_table("leases")):
            return await _connected(connection)
        live = text("select distinct process from leases where ends_at > clock_timestamp() order by 1")
        return list(await connection.scalars(live))
    locks = FileLocks(file)
    roles = [*await _roles(connection), *await _owners_on_disk(locks, file)]
    return list(dict.fromkeys([locks.holder(role) for role in roles if not await locks.is_free(role)]))


async def _roles(connection: AsyncConnection) -> list[str]:
    """The roles that a process may have, with those of every channel that has readers."""
    names = (await connection.scalars(text("select distinct channel from subscribers order by 1"))).all()
    return every_role(names)


async def _owners_on_disk(locks: FileLocks, file: Path) -> list[str]:
    """Lock files that are left once those of dead processes are gone: of senders, and of channels without readers."""
    await locks.clear()
    prefix, suffix = f"{file.name}.", ".lock"
    names = [path.name.removeprefix(prefix).removesuffix(suffix) for path in file.parent.glob(f"{prefix}*{suffix}")]
    return [name.replace("-", ":", 1) for name in sorted(names) if name != MIGRATE]


async def _connected(connection: AsyncConnection) -> list[str]:
    """Processes of the program before `LEASES`; each named itself on the connection that held its locks."""
    names = await connection.scalars(
        text(
            "select distinct application_name from pg_stat_activity where datname = current_database() "
            "and pid <> pg_backend_pid() and application_name like 'process % on % since %' order by 1"
        )
    )
    return list(names)
