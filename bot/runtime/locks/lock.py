"""The interface of locks, and the names of their holders."""

from __future__ import annotations

import os
import re
import socket
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

OWNER = "owner:"
"""Prefix of the role that a process holds for its lifetime: once it is free, what its owner had claimed is in doubt."""


NAMED = re.compile(r"process (?P<pid>\d+) on (?P<host>\S+) since \S+(?: \((?P<id>[0-9a-f]+)\))?")
"""How a process is named (`described`)."""


@dataclass(frozen=True, slots=True)
class Holder:
    """The holder of a role: the process's name, since when, and the number of takeovers."""

    role: str
    process: str
    since: datetime | None = None
    takeovers: int = 0

    @property
    def pid(self) -> int | None:
        """The process's id on its machine, None if it is not known."""
        named = NAMED.match(self.process)
        return int(named["pid"]) if named else None

    @property
    def host(self) -> str | None:
        """The machine's name, None if it is not known."""
        named = NAMED.match(self.process)
        return named["host"] if named else None

    @property
    def id(self) -> str | None:
        """An id that no other process has, also where host names repeat; None if it is not known."""
        named = NAMED.match(self.process)
        return named["id"] if named else None


class HeldError(Exception):
    """Another process holds the lock; `holder` says which, as far as is known."""

    def __init__(self, role: str, holder: str, *, until: object = None) -> None:
        """`until` changes whenever the holder shows that it lives; None where the lock itself proves that.

        It is "" where the holder's time has just ended.
        """
        super().__init__(f"{role} is held by {holder}")
        self.role = role
        self.holder = holder
        self.until = until


class LockError(Exception):
    """No process can take a lock; the message is one sentence that says what to do."""


class LostError(Exception):
    """We no longer have a lock, or the database cannot be asked for one: jobs that held it stop at once."""


class Locks(Protocol):
    """The locks of this process."""

    async def take(self, *roles: str) -> list[str]:
        """Take the locks of several roles, all or none; returns those that we did not hold before.

        Raises HeldError where another process has one of them, LostError where the database cannot be asked.
        """

    async def give_back(self, role: str) -> None:
        """Release a role's lock, if we hold it."""

    async def is_free(self, role: str) -> bool:
        """Whether no process holds a role's lock, nor can still be working under it. Raises LostError."""

    async def free_among(self, *roles: str) -> list[str]:
        """Those of these roles that are free (`is_free`). Raises LostError."""

    async def holders(self) -> list[Holder]:
        """Every role that some process has, with those of this one. Raises LostError."""

    async def watch(self, *roles: str) -> None:
        """Never returns; raises LostError when we lose one of these locks."""

    async def guard(self, connection: AsyncConnection, *roles: str) -> None:
        """Raise LostError unless we still hold these locks, and keep others from them until the transaction ends.

        Only those that were taken are asked for: a command that runs a step by itself needs no lock.
        """

    def shown(self, *roles: str) -> dict[str, int]:
        """The numbers of these locks, of those that have numbers and were taken. Raises LostError."""

    def may_begin(self, *roles: str) -> bool:
        """Whether we hold these locks for long enough to begin something that cannot be taken back."""

    async def close(self) -> None:
        """Release every lock."""


def this_process() -> str:
    """The id of this process: no other one has it on any machine, as several containers may all be process 1."""
    return _id_of(os.getpid())


@cache
def _id_of(process: int) -> str:  # noqa: ARG001 - a child process is another one
    return uuid.uuid4().hex[:8]


def ourselves() -> dict[str, object]:
    """This process, as it is named to others who want its locks."""
    since = datetime.now(UTC).isoformat(timespec="seconds")
    return {"pid": os.getpid(), "host": socket.gethostname(), "since": since, "id": this_process()}


def described(holder: dict[str, object]) -> str:
    """A holder, as it is named to the operator."""
    return f"process {holder['pid']} on {holder['host']} since {holder['since']} ({holder.get('id', 'unknown')})"
