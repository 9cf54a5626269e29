"""What locks can do, and how their holders are named."""

from __future__ import annotations

import os
import socket
from datetime import UTC, datetime
from typing import Protocol

OWNER = "owner:"
"""Prefix of the role that a process holds for its lifetime: once it is free, what its owner had claimed is in doubt."""


class HeldError(Exception):
    """Another process holds the lock; `holder` says which, as far as is known."""

    def __init__(self, role: str, holder: str) -> None:
        super().__init__(f"{role} is held by {holder}")
        self.role = role
        self.holder = holder


class LockError(Exception):
    """No process can take a lock; the message is one sentence that says what to do."""


class LostError(Exception):
    """The connection that holds our locks is gone: jobs that held one stop at once."""


class Locks(Protocol):
    """The locks of this process."""

    async def take(self, *roles: str) -> list[str]:
        """Take the locks of several roles, all or none; returns those that we did not hold before.

        Raises HeldError where another process has one of them.
        """
        ...

    async def give_back(self, role: str) -> None:
        """Release a role's lock, if we hold it."""
        ...

    async def is_free(self, role: str, *, at_once: bool = False) -> bool:
        """Whether no process holds a role's lock, nor can still be working under it.

        `at_once` skips the wait for that: the caller holds the account's lock, and has waited already.
        """
        ...

    async def watch(self, *roles: str) -> None:
        """Never returns; raises LostError when we lose one of these locks."""
        ...

    async def close(self) -> None:
        """Release every lock."""
        ...


def ourselves() -> dict[str, object]:
    """This process, as it is named to others who want its locks."""
    return {"pid": os.getpid(), "host": socket.gethostname(), "since": datetime.now(UTC).isoformat(timespec="seconds")}


def described(holder: dict[str, object]) -> str:
    """A holder, as it is named to the operator."""
    return f"process {holder['pid']} on {holder['host']} since {holder['since']}"
