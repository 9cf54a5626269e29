"""Looks at PostgreSQL's own set-up: poolers in front of it, replicas behind it, the connections that it allows."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.runtime.server_connection import pool_arguments
from bot.store.database import VISITORS, Store

TRIES = 5
"""Times that two connections are compared: a busy pooler may give them two sessions by chance."""

LEASE_CONNECTIONS = 1
"""Connections on which a process renews its leases."""


class Pooler(StrEnum):
    """The kind of connection pooler, by how it shares the server's sessions."""

    NONE = "none"
    SESSION = "session"
    TRANSACTION = "transaction"


async def pooler(store: Store) -> Pooler:
    """Find a pooler: it tells a client another process id than the server's, and may share that one with others."""
    async with store.engine.connect() as one, store.engine.connect() as other:
        if await _server_process(one) == await _told_process(one):
            return Pooler.NONE
        for _ in range(TRIES):
            if await _server_process(one) == await _server_process(other):
                return Pooler.TRANSACTION
    return Pooler.SESSION


async def _server_process(connection: AsyncConnection) -> int:
    """The server's process that answers; the transaction is over afterwards."""
    found = int(await connection.scalar(text("select pg_backend_pid()")) or 0)
    await connection.rollback()
    return found


async def _told_process(connection: AsyncConnection) -> int:
    """The server's process as it was told when the connection was made."""
    driver = (await connection.get_raw_connection()).driver_connection
    assert driver is not None
    return int(driver.info.backend_pid)


async def replicas_not_waited_for(connection: AsyncConnection) -> int:
    """Replicas of the server, if it commits before one of them has what was written; else 0."""
    if await connection.scalar(text("select current_setting('synchronous_standby_names')")):
        return 0
    return int(await connection.scalar(text("select count(*) from pg_stat_replication")) or 0)


def most_connections(accounts: int) -> int:
    """The most connections that one process may take: it runs every job, and delivers through `accounts` accounts."""
    return sum(pool_arguments(accounts).values()) + VISITORS + LEASE_CONNECTIONS


async def connections_allowed(connection: AsyncConnection) -> int:
    """The connections that the server allows at once; fewer where this user or database has a limit of its own."""
    found = await connection.scalar(
        text(
            "select least("
            " current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int"
            " - coalesce(current_setting('reserved_connections', true)::int, 0),"
            " (select nullif(rolconnlimit, -1) from pg_roles where rolname = current_user),"
            " (select nullif(datconnlimit, -1) from pg_database where datname = current_database()))"
        )
    )
    return int(found or 0)


async def oldest_snapshot(connection: AsyncConnection) -> float | None:
    """Seconds since the oldest transaction began that the server keeps old rows for; None on SQLite.

    Of other users' transactions an ordinary user sees nothing.
    """
    if connection.dialect.name == "sqlite":
        return None
    age = "max(extract(epoch from clock_timestamp() - xact_start))"
    query = f"select {age} from pg_stat_activity where backend_xmin is not null"  # noqa: S608 - ours
    return float(await connection.scalar(text(query)) or 0.0)
