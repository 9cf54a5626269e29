"""Backup of the database to one SQLite file, while everything runs. It is marked as a backup (bot.store.restore)."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import tempfile
from contextlib import closing
from datetime import datetime
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.runtime.files import sync
from bot.store.copy import Progress, copy, make_ready, require_current, snapshot
from bot.store.database import BUSY_SECONDS, Store, StoreError
from bot.store.schema import system_state
from bot.store.upsert import put

MARK = "backup"
"""The key in `system_state` that marks a backup; its value is when it was made."""


async def back_up(store: Store, file: Path, *, now: datetime, progress: Progress | None = None) -> None:
    """Copy a snapshot of the database to `file`, as an SQLite database, all of it or nothing.

    `progress` gets the rows copied and the rows in all. Raises StoreError where `file` exists or cannot be
    written, or the database cannot be read or is at another version.
    """
    await require_current(store, "database")
    try:
        await asyncio.to_thread(_refuse, file)
        part = await asyncio.to_thread(_part, file)
        try:
            if store.path is not None:
                await asyncio.to_thread(_copy_file, store.path, part)
            else:
                await _copy_server(store, part, progress)
            await asyncio.to_thread(_finish, part, file, now)
        finally:
            await asyncio.to_thread(_clear, part)
    except (OSError, sqlite3.Error) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise StoreError(f"The backup could not be written to {file} ({reason}).") from error


async def mark(connection: AsyncConnection, now: datetime) -> None:
    """Mark a database as a backup: the first start on it treats it as restored."""
    await put(connection, system_state, {"key": MARK, "value": now.isoformat()})


async def _copy_server(store: Store, part: Path, progress: Progress | None) -> None:
    target = Store.open(f"sqlite:///{part.name}", part.parent)
    try:
        await make_ready(target)
        async with snapshot(store) as source:
            await copy(source, target, progress)
    finally:
        await target.close()


def _copy_file(path: Path, part: Path) -> None:
    """Copy an SQLite file in one step: a copy in several steps restarts whenever another process writes."""
    here = sqlite3.connect(f"{path.as_uri()}?mode=rw", uri=True, timeout=BUSY_SECONDS)
    with closing(here) as source, closing(sqlite3.connect(part)) as target:
        source.backup(target)


def _finish(part: Path, file: Path, now: datetime) -> None:
    """Mark the copy, fold its WAL in, and rename it once every byte is on the disk."""
    with closing(sqlite3.connect(part, isolation_level=None)) as copied:
        copied.execute("pragma journal_mode=delete")
        copied.execute("insert or replace into system_state (key, value) values (?, ?)", (MARK, now.isoformat()))
    sync(part)
    _refuse(file)
    part.rename(file)
    sync(file.parent)


def _part(file: Path) -> Path:
    """A temporary file beside the wanted one, readable by its owner only: it holds every address."""
    handle, name = tempfile.mkstemp(prefix=".papers-", dir=file.parent)
    os.close(handle)
    return Path(name)


def _clear(part: Path) -> None:
    for suffix in ("", "-wal", "-shm", "-journal"):
        part.with_name(part.name + suffix).unlink(missing_ok=True)


def _refuse(file: Path) -> None:
    if file.exists():
        raise StoreError(f"{file.name} exists already: a backup overwrites nothing.")
