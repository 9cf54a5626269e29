"""What a lock is, and who holds it."""

from __future__ import annotations

import os
import socket
from datetime import UTC, datetime
from typing import Protocol

OWNER = "owner:"
"""Roles that begin so are of one process for its lifetime: what it claimed is in doubt when its lock is free."""


class HeldError(Exception):
    """Somebody else holds the lock; `holder` says who, as far as is known."""

    def __init__(self, role: str, holder: str) -> None:
        super().__init__(f"{role} is held by {holder}")
        self.role = role
        self.holder = holder


class LostError(Exception):
    """The connection that our locks hang on is gone: whoever held one stops at once."""


class Locks(Protocol):
    """The locks of one process."""

    async def take(self, *roles: str) -> list[str]:
        """Take the locks of roles, all or none; those that were not ours before.

        Raises HeldError where somebody else has one of them.
        """
        ...

    async def give_back(self, role: str) -> None:
        """Let others have it."""
        ...

    async def is_free(self, role: str, *, at_once: bool = False) -> bool:
        """Whether nobody holds a role's lock; by then nobody's work under it is going on.

        `at_once` is for who knows that already: whoever holds an account's lock has waited for the last one to stop.
        """
        ...

    async def watch(self, *roles: str) -> None:
        """Return never; raise LostError when one of these is not ours any more."""
        ...

    async def close(self) -> None:
        """Give everything back."""
        ...


def ourselves() -> dict[str, object]:
    """This process, as its locks name it."""
    return {"pid": os.getpid(), "host": socket.gethostname(), "since": datetime.now(UTC).isoformat(timespec="seconds")}


def described(holder: dict[str, object]) -> str:
    """A holder, as an operator is told of it."""
    return f"process {holder['pid']} on {holder['host']} since {holder['since']}"
