"""Migrated SQLite databases: made once per test process and copied, in a tenth of the time."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

from bot.store import Store

URL = "sqlite:///subscribers.db"


def put_database(folder: Path) -> None:
    """Put an empty, migrated `subscribers.db` into a folder, readable by its owner alone, unless there is one."""
    file = folder / "subscribers.db"
    if not file.exists():
        file.touch(mode=0o600)
        file.write_bytes(_migrated())


def fresh_store(folder: Path) -> Store:
    """Open an empty, migrated `subscribers.db` in a folder; the caller closes it."""
    put_database(folder)
    return Store.open(URL, folder)


@cache
def _migrated() -> bytes:
    folder = Path(tempfile.mkdtemp(prefix="papers"))

    async def migrate() -> None:
        store = Store.open(URL, folder)
        await store.migrate()
        await store.close()

    try:
        with ThreadPoolExecutor(1) as thread:  # the caller may be in an event loop
            thread.submit(asyncio.run, migrate()).result()
        return (folder / "subscribers.db").read_bytes()
    finally:
        shutil.rmtree(folder)
