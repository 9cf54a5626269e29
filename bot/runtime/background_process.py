"""Runs work that takes a processor for seconds in a process of its own, with the lowest priority.

In a thread it would take turns with the event loop, and its memory would stay.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import TypeVar, cast

NICE = 19
"""The lowest priority that there is (nice(2)): readers wait for everything else."""
ENDING = 5.0
"""Seconds that a process gets to end."""

T = TypeVar("T")


class BackgroundError(Exception):
    """The process has ended or does not answer; the message is one sentence."""


def lower_priority(pid: int = 0) -> None:
    """Give a process, by default this one, the lowest priority."""
    with suppress(OSError, AttributeError):
        os.setpriority(os.PRIO_PROCESS, pid, NICE)
    if sys.platform == "linux":  # there it can work only while nobody else wants the processor (sched(7))
        with suppress(OSError):
            os.sched_setscheduler(pid, os.SCHED_IDLE, os.sched_param(0))


@asynccontextmanager
async def background(work: Callable[..., None], *given: object) -> AsyncIterator[Connection]:
    """Run `work(*given, pipe)` in a background process; gives the pipe to read from (`received`).

    The process is ended with the block, whether it is done or not. All that it is given must be picklable.
    Raises BackgroundError where it cannot be started, for want of memory, processes or open files.
    """
    context = multiprocessing.get_context("spawn")  # a fork would copy locks that other threads hold
    with _as_background_error():
        here, there = context.Pipe(duplex=False)
    process = context.Process(target=_begin, args=(work, given, there), name="background", daemon=True)
    starting = asyncio.ensure_future(asyncio.to_thread(_start, process, there))
    with here:
        try:
            with _as_background_error():
                await asyncio.shield(starting)
            yield here
        finally:
            await asyncio.shield(_end_started(process, starting))


@contextmanager
def _as_background_error() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise BackgroundError(f"a background process cannot be started ({error.strerror})") from error


async def in_background(work: Callable[[], T], *, seconds: float) -> T:
    """What `work` returns, run in a background process; it and its result must be picklable.

    Raises what it raises; BackgroundError where its process cannot be started, ends, or takes longer than `seconds`.
    """
    async with background(_send_result, work) as pipe:
        result = await received(pipe, seconds)
    if isinstance(result, Exception):
        raise result
    return cast("T", result)


async def received(pipe: Connection, seconds: float) -> object:
    """What the process sends next. Raises BackgroundError where nothing comes for that long."""
    try:
        if not await asyncio.to_thread(pipe.poll, seconds):
            raise BackgroundError(f"a background process has not answered for {seconds:.0f} seconds")
        return await asyncio.to_thread(pipe.recv)
    except (EOFError, OSError) as error:
        raise BackgroundError("a background process has ended") from error


def _begin(work: Callable[..., None], given: Sequence[object], pipe: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the program, which ends this process
    lower_priority()
    work(*given, pipe)


def _send_result(work: Callable[[], object], pipe: Connection) -> None:
    try:
        result = work()
    except Exception as error:  # noqa: BLE001 - handed over to who waits
        result = error
    with suppress(OSError):  # nobody waits for it any more
        pipe.send(result)
    pipe.close()


def _start(process: BaseProcess, pipe: Connection) -> None:
    """Start a process, then close our copy of its end of the pipe, also if the caller was cancelled meanwhile.

    The pipe is handed on by its descriptor number. Closed any earlier, that may be the number of another file by then.
    """
    with pipe:
        process.start()


async def _end_started(process: BaseProcess, starting: asyncio.Future[None]) -> None:
    await asyncio.wait([starting])
    if starting.exception() is None:
        await asyncio.to_thread(_end, process)


def _end(process: BaseProcess) -> None:
    process.join(0.2)
    for stop in (process.terminate, process.kill):
        if process.is_alive():
            stop()
            process.join(ENDING)
    if not process.is_alive():
        process.close()
