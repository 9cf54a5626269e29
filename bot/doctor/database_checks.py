"""Checks of the database: there, whole, writable, at this version, and backed up."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

from bot import channel_loader
from bot.channel import FIRST_ACCOUNT, Finding
from bot.doctor.settings_checks import others_can_read
from bot.model import channel_of
from bot.settings import SettingsError
from bot.store import DatabaseFault, Store, StoreError, server_setup, stats, subscriber_queries
from bot.store.backups import made_in
from bot.store.channel_memory import ChannelMemory
from bot.store.database_faults import damage, explain, try_to_write, why_not_made
from bot.store.schema import HEAD

LATE = timedelta(days=7)
"""Age of the newest backup from which the doctor advises to make one."""


async def check(store: Store, home: Path, environ: Mapping[str, str], now: datetime) -> tuple[list[Finding], bool]:
    """Every finding about the database, and whether its tables can be asked."""
    try:
        if store.path is not None and not store.path.exists():
            return [_not_there(store.path)], False
        version = await store.version()
        if version is None:
            return [Finding("database", True, "holds nothing yet; the first start creates its tables")], False
        if version != HEAD:
            return [Finding("database", False, f"is at version {version}, not {HEAD}; run `papers migrate`")], False
        found = await _contents(store, home, environ, now)
    except (StoreError, SettingsError) as error:
        return [Finding("database", False, str(error))], False
    except (DatabaseFault, OSError) as error:
        return [Finding("database", False, explain(error, store.path))], False
    return [*found, *(await asyncio.to_thread(_files, store.path) if store.path is not None else [])], True


async def _contents(store: Store, home: Path, environ: Mapping[str, str], now: datetime) -> list[Finding]:
    """Look at what it holds, and write something."""
    async with store.read() as connection:
        damaged = await damage(connection)
        if damaged is not None:
            return [Finding("database", False, explain(StoreError(f"malformed: {damaged}"), store.path))]
        readers = await subscriber_queries.count(connection)
        reached = await stats.active_by_account(connection)
    async with store.write() as connection:
        await try_to_write(connection)
    return [
        Finding("database", True, f"version {HEAD}, {readers} subscribers"),
        *(await _server(store, environ) if store.path is None else []),
        *([await asyncio.to_thread(_backups, home, now)] if readers else []),
        *await _not_reached(store, environ, reached),
    ]


async def _not_reached(store: Store, environ: Mapping[str, str], reached: Mapping[str, int]) -> list[Finding]:
    """Find channels, and accounts such as bots, that have subscribers and are not set up (any more)."""
    served = await channel_loader.accounts(channel_loader.configured(environ), environ, store)
    used, found = {each.name for each in served}, []
    for name, count in reached.items():
        if name in used:
            continue
        says = f"is not set up, and {count} subscribers there get nothing; see docs/settings.md"
        if any(channel_of(each) == channel_of(name) for each in used):
            key = name.partition(".")[2] or await ChannelMemory(store, name).get(FIRST_ACCOUNT)
            says = (
                f"{count} subscribers of bot {key} cannot be reached: add its token back, or have them press Start at "
                "another bot of yours"
            )
        found.append(Finding(name, False, says))
    return found


async def _server(store: Store, environ: Mapping[str, str]) -> list[Finding]:
    """Look at what stands between us and a PostgreSQL server, at its connections and at its replicas."""
    found = []
    between = await server_setup.pooler(store)
    if between is not server_setup.Pooler.NONE:
        says = f"is reached through a pooler that shares sessions for each {between}; both kinds serve"
        found.append(Finding("pooler", True, says))
    async with store.read() as connection:
        replicas = await server_setup.replicas_not_waited_for(connection)
        allowed = await server_setup.connections_allowed(connection)
    accounts = channel_loader.count_accounts(channel_loader.configured(environ), environ)
    wanted = server_setup.most_connections(accounts)
    if between is server_setup.Pooler.NONE and wanted > allowed:
        says = (
            f"allows {allowed} connections, and one process that delivers by {accounts} accounts may take {wanted}: "
            "raise max_connections, or put PgBouncer before it; see docs/many-machines.md"
        )
        found.append(Finding("connections", True, says, advice=True))
    if replicas:
        says = (
            f"has {replicas} replicas and waits for none (synchronous_standby_names): after a failover more may be "
            "sent again than what was in flight; see docs/many-machines.md"
        )
        found.append(Finding("replicas", True, says, advice=True))
    return found


def _not_there(file: Path) -> Finding:
    why = why_not_made(file)
    says = why or f"{file.name} does not exist yet; the first start creates it"
    return Finding("database", why is None, says)


def _backups(home: Path, now: datetime) -> Finding:
    """Say when the database was last copied; each copy is restored in rehearsal when it is made."""
    made = made_in(home)
    if not made:
        says = "no copy was made yet; `papers backup FOLDER --keep 7`, once a day, keeps a week of them"
        return Finding("backup", True, says, advice=True)
    at = datetime.fromisoformat(made[-1].made_at)
    says = f"last made and restored in rehearsal at {at:%Y-%m-%d %H:%M} UTC: {made[-1].file}"
    late = now - at > LATE
    return Finding("backup", True, f"{says}{'; make one every day' if late else ''}", advice=late)


def _files(file: Path) -> list[Finding]:
    """Look at the rights of an SQLite file, which its `-wal` gets too, and of the copies and locks beside it."""
    private = [file, *sorted(file.parent.glob(f"{file.name}.*.bak"))]
    return [found for each in private for found in others_can_read(each, "database", "addresses")] + _locks(file)


def _locks(file: Path) -> list[Finding]:
    """Find lock files that another user left: whatever needs them cannot start."""
    foreign = [path.name for path in file.parent.glob(f"{file.name}.*.lock") if not os.access(path, os.R_OK)]
    if not foreign:
        return []
    says = f"{', '.join(sorted(foreign))} belong to another user: delete them while nothing runs"
    return [Finding("locks", False, says)]
