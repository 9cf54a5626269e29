"""Backups that were made: each restored in rehearsal, listed in the program's home, and the oldest deleted."""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
import tempfile
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from bot.runtime.files import write_atomic
from bot.store.backup_file import MARK, back_up
from bot.store.copy import Progress
from bot.store.database import Store, StoreError
from bot.store.database_faults import damage
from bot.store.edition_report import reports
from bot.store.restore import treat_as_restored

LIST = "backups.json"
"""The file in the program's home that lists the backups; not in the database, which a backup would bring back."""
NOT_RESTORED = "The backup could not be restored in rehearsal ({fault}), and was deleted."
LISTED = 1_000
"""Backups that the list names at most."""


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup that was made and could be restored."""

    file: str
    made_at: str
    """Time (UTC, ISO 8601), as the backup's own mark has it."""


async def make(store: Store, file: Path, home: Path, *, now: datetime, progress: Progress | None = None) -> None:
    """Make a backup, restore it in rehearsal, and list it. Raises StoreError, and then leaves no file."""
    await back_up(store, file, now=now, progress=progress)
    try:
        await rehearse(file, now)
    except (StoreError, DBAPIError, OSError) as error:
        await asyncio.to_thread(file.unlink)
        if isinstance(error, StoreError):
            raise
        cause = str(error.orig if isinstance(error, DBAPIError) else error).splitlines()[0]
        raise StoreError(NOT_RESTORED.format(fault=cause)) from error
    await asyncio.to_thread(_list, home, file, now)


async def rehearse(file: Path, now: datetime) -> None:
    """Restore a duplicate of a backup as its first start would. Raises StoreError where that fails."""
    with tempfile.TemporaryDirectory(prefix=".papers-", dir=file.parent) as folder:
        await asyncio.to_thread(shutil.copyfile, file, Path(folder, file.name))
        store = Store.open(f"sqlite:///{file.name}", Path(folder))
        try:
            await store.migrate()
            async with store.write() as connection:
                fault = await damage(connection)
                if fault is None and await treat_as_restored(connection, now) is None:
                    fault = "it is not marked as a backup"
                if fault is None and not all(each.adds_up for each in await reports(connection)):
                    fault = "the deliveries of an edition do not add up"
        finally:
            await store.close()
    if fault is not None:
        raise StoreError(NOT_RESTORED.format(fault=fault))


def made_in(home: Path) -> list[Backup]:
    """The backups listed in a home, the oldest first."""
    try:
        return [Backup(each["file"], each["made_at"]) for each in json.loads((home / LIST).read_text("utf-8"))]
    except (OSError, ValueError, TypeError, KeyError):  # no list, or no longer one
        return []


def delete_older(home: Path, keep: int, folder: Path) -> list[Path]:
    """Delete all but the newest `keep` of the listed backups in a folder. Returns what was deleted. Raises OSError.

    A file that is no longer the backup that was listed, such as one that was started, is kept.
    """
    made = made_in(home)
    there = [each for each in made if Path(each.file).parent == folder.resolve() and _is_still(each)]
    old = there[: max(0, len(there) - keep)]
    for each in old:
        Path(each.file).unlink()
    _write(home, [each for each in made if each not in old])
    return [Path(each.file) for each in old]


def _is_still(backup: Backup) -> bool:
    """Whether the file is there and marked as the backup that was made then."""
    file = Path(backup.file)
    if not file.is_file():
        return False
    try:
        with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro&immutable=1", uri=True)) as opened:
            found = opened.execute("select value from system_state where key = ?", (MARK,)).fetchone()
    except sqlite3.Error:
        return False
    return bool(found == (backup.made_at,))


def _list(home: Path, file: Path, now: datetime) -> None:
    _write(home, [*made_in(home), Backup(str(file.resolve()), now.isoformat())])


def _write(home: Path, made: Sequence[Backup]) -> None:
    content = json.dumps([asdict(each) for each in made[-LISTED:]], indent=1)
    try:
        write_atomic(home / LIST, content.encode())
    except OSError as error:
        raise StoreError(
            f"The backup was made, but could not be listed in {home / LIST} ({error.strerror})."
        ) from error
