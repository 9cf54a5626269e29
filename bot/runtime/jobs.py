"""A part of the work, and the locks under which alone it is done."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.runtime.locks import Locks, wait_for
from bot.runtime.supervisor import until

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Job:
    """A part of the work: the locks it needs, its endless form, its form for once, and what ends it in good order."""

    locks: Sequence[str]
    run: Callable[[asyncio.Event], Awaitable[None]]
    once: Callable[[datetime], Awaitable[None]] | None = None
    finish: Callable[[float], Awaitable[None]] | None = None


async def under_locks(
    locks: Locks, job: Job, work: Callable[[], Awaitable[None]], stop: asyncio.Event, *, patience: float
) -> None:
    """Do a part's work for as long as its locks are ours; raises LostError when they are not any more.

    A part without locks is just done. Whatever ends the work, what is in flight is dealt with before anybody else can
    have the locks.
    """
    if not job.locks:
        await work()
        return
    if not await until(stop, asyncio.ensure_future(wait_for(locks, *job.locks))):
        return
    task = asyncio.ensure_future(work())
    watch = asyncio.ensure_future(locks.watch(*job.locks))
    lost = False
    try:
        await asyncio.wait([task, watch], return_when=asyncio.FIRST_COMPLETED)
        lost = watch.done()
    finally:
        for each in (task, watch):
            each.cancel()
        await asyncio.gather(task, watch, return_exceptions=True)
        try:
            if job.finish is not None:
                await job.finish(0.0 if lost else patience)
        finally:
            for lock in job.locks:
                await locks.give_back(lock)
    if lost:
        log.error("locks lost, work stops until they are ours again", extra={"locks": job.locks})
        watch.result()
    task.result()


async def cut_short(work: Callable[[], Awaitable[None]], stop: asyncio.Event) -> None:
    """Do what does not look at `stop` itself."""
    await until(stop, asyncio.ensure_future(work()))
