"""A background job and the locks it holds while running."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.runtime.locks import Locks, wait_for
from bot.runtime.supervisor import until

log = logging.getLogger(__name__)

LOOKED_AT_EVERY = 2.0
"""Seconds between two tries of a standby to take the locks."""


@dataclass(frozen=True, slots=True)
class Job:
    """A background job: which locks it holds, and how it runs for ever, runs once and ends."""

    locks: Sequence[str] | Callable[[], Sequence[str]]
    """The names of its locks, or what names them: they may differ after a loss."""
    run: Callable[[asyncio.Event], Awaitable[None]]
    """Runs until the event is set."""
    once: Callable[[datetime], Awaitable[object]] | None = None
    """Does what is due at an instant, for `papers run --once`; None where there is no such thing."""
    finish: Callable[[float], Awaitable[None]] | None = None
    """Settles what is in flight, within some seconds, before the locks are given back."""
    cut_off: Callable[[], None] | None = None
    """Breaks off whatever is in flight, at once: the locks are lost. `finish` is called afterwards."""
    account: str = ""
    """The account that it works with, such as a bot, named in its log lines; empty for none."""

    def roles(self) -> Sequence[str]:
        """The names of its locks just now."""
        return self.locks() if callable(self.locks) else self.locks


async def under_locks(
    locks: Locks, job: Job, work: Callable[[], Awaitable[None]], stop: asyncio.Event, *, patience: float
) -> None:
    """Wait for a job's locks and do its work while we hold them, or until `stop` is set while waiting.

    Whatever ends the work, the job finishes, within `patience` seconds, before another process can have the locks.
    Raises LostError where the locks were lost, else what the work raises.
    """
    roles = job.roles()
    if not roles:
        await work()
        return
    if not await until(stop, asyncio.ensure_future(wait_for(locks, *roles, every=LOOKED_AT_EVERY))):
        return
    task = asyncio.ensure_future(work())
    watch = asyncio.ensure_future(locks.watch(*roles))
    lost = False
    try:
        await asyncio.wait([task, watch], return_when=asyncio.FIRST_COMPLETED)
        lost = watch.done()
    finally:
        if lost and job.cut_off is not None:
            job.cut_off()  # before anything that waits: another process may begin
        for each in (task, watch):
            each.cancel()
        await asyncio.gather(task, watch, return_exceptions=True)
        try:
            if job.finish is not None:
                await job.finish(0.0 if lost else patience)
        finally:
            for lock in roles:
                await locks.give_back(lock)
    if lost:
        log.error("locks lost, job stops until it has them again", extra={"locks": roles})
        watch.result()
    task.result()


async def cut_short(work: Callable[[], Awaitable[object]], stop: asyncio.Event) -> None:
    """Run work that does not look at `stop` itself, and cancel it when `stop` is set."""
    await until(stop, asyncio.ensure_future(work()))
