"""Locks on files beside an SQLite database: the operating system releases them when their process dies."""

from __future__ import annotations

import asyncio
import json
import os
import socket
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.runtime.locks.lock import OWNER, HeldError, Holder, LockError, described, ourselves


class FileLocks:
    """The locks of one SQLite database."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self._held: dict[str, FileLock] = {}

    async def take(self, *roles: str) -> list[str]:
        taken: list[str] = []
        try:
            for role in roles:
                if role not in self._held:
                    await self._take(role)
                    taken.append(role)
        except (HeldError, LockError):
            for role in taken:
                await self.give_back(role)
            raise
        return taken

    async def _take(self, role: str) -> None:
        if role.startswith(OWNER):
            await self.clear()
        lock = self._lock(role)
        try:
            # Nobody else takes an owner's lock; another process's `clear` may only hold it for a moment.
            lock.acquire(timeout=1.0 if role.startswith(OWNER) else 0.0)
        except Timeout:
            raise HeldError(role, self.holder(role)) from None
        except OSError as error:
            raise LockError(
                f"The lock file {self._path(role)} cannot be used ({error.strerror}): if another user left it there, "
                "delete it while nothing runs, and run every command as one user."
            ) from error
        self._held[role] = lock
        with suppress(OSError):  # the note only names the holder; the lock works without it
            self._note(role).write_text(json.dumps(ourselves()), encoding="utf-8")

    async def give_back(self, role: str) -> None:
        lock = self._held.pop(role, None)
        if lock is not None:
            self._note(role).unlink(missing_ok=True)
            lock.release()
            if role.startswith(OWNER):  # no other process will ask for it
                self._path(role).unlink(missing_ok=True)

    async def clear(self) -> None:
        """Delete the files that killed processes left behind."""
        prefix = f"{self._database.name}.{OWNER.replace(':', '-')}"
        for path in self._database.parent.glob(f"{prefix}*.lock"):
            await self.is_free(f"{OWNER}{path.name.removeprefix(prefix).removesuffix('.lock')}")

    async def is_free(self, role: str) -> bool:
        if role in self._held:
            return False
        lock = self._lock(role)
        try:
            lock.acquire(blocking=False)
        except (Timeout, OSError):  # another user's file: its maker may be at work
            return False
        if role.startswith(OWNER):
            self._note(role).unlink(missing_ok=True)
            self._path(role).unlink(missing_ok=True)
        lock.release()
        return True

    async def holders(self) -> list[Holder]:
        """From the notes: trying the locks would keep a process that starts just then from having them."""
        prefix = f"{self._database.name}."
        found = []
        for note in sorted(self._database.parent.glob(f"{prefix}*.holder")):
            role = note.name.removeprefix(prefix).removesuffix(".holder").replace("-", ":", 1)
            with suppress(OSError, ValueError):
                written = json.loads(note.read_text(encoding="utf-8"))
                holder = Holder(role, described(written), datetime.fromisoformat(written["since"]))
                if holder.host != socket.gethostname() or _lives(holder.pid):
                    found.append(holder)
        return found

    async def watch(self, *roles: str) -> None:  # noqa: ARG002
        await asyncio.Event().wait()  # a file lock cannot be lost while we live

    async def free_among(self, *roles: str) -> list[str]:
        return [role for role in roles if await self.is_free(role)]

    async def guard(self, connection: AsyncConnection, *roles: str) -> None:
        """Nothing to ask for: see `watch`."""

    def shown(self, *roles: str) -> dict[str, int]:  # noqa: ARG002
        return {}

    def may_begin(self, *roles: str) -> bool:  # noqa: ARG002
        return True

    async def close(self) -> None:
        for role in list(self._held):
            await self.give_back(role)

    def _path(self, role: str) -> Path:
        return self._database.with_name(f"{self._database.name}.{role.replace(':', '-')}.lock")

    def _note(self, role: str) -> Path:
        return self._path(role).with_suffix(".holder")

    def _lock(self, role: str) -> FileLock:
        return FileLock(self._path(role), thread_local=False)

    def holder(self, role: str) -> str:
        """The process that holds a role, as far as is known."""
        try:
            return described(json.loads(self._note(role).read_text(encoding="utf-8")))
        except (OSError, ValueError):
            return "another process"


def _lives(process: int | None) -> bool:
    """Whether a process of this machine lives; a note may outlast the one that wrote it."""
    try:
        os.kill(process or 0, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return process is not None
