"""The process that draws: started for some pictures and gone afterwards, its memory and its faults with it."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

from bot.media.picture_specs import Task

PATIENCE = 120.0
"""Seconds that one picture may take; the usual ones take a tenth of a second."""
ENDING = 5.0
"""Seconds that a process gets to end."""

NICE = 19
"""How far the process steps back behind what readers wait for: as far as it goes (nice(2))."""

Drawn = list[tuple[str, bytes]] | str
"""The files of a picture by name, or the sentence that says why there are none."""


class DrawingError(Exception):
    """The process that draws has ended or does not answer; the message is one sentence."""


async def draw(tasks: Sequence[Task]) -> AsyncGenerator[tuple[Task, Drawn]]:
    """Draw pictures in a process of their own, and give each when it is there. Raises DrawingError.

    Closing the iteration early (`contextlib.aclosing`) ends the process.
    """
    if not tasks:
        return
    context = multiprocessing.get_context("spawn")  # a fork would copy locks that other threads hold
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_run, args=(list(tasks), there), name="drawing", daemon=True)
    try:
        await asyncio.to_thread(process.start)
        there.close()
        for task in tasks:
            yield task, await asyncio.to_thread(_received, here)
    finally:
        await asyncio.shield(asyncio.to_thread(_end, process))
        here.close()


def _run(tasks: Sequence[Task], to: Connection) -> None:
    """The main loop of the drawing process; the libraries that draw are imported there alone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the program, which ends this process
    with suppress(OSError, AttributeError):
        os.nice(NICE)
    if sys.platform == "linux":  # there a process can draw only while nobody else wants the processor (sched(7))
        with suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    from bot.media.drawing import draw_all

    draw_all(tasks, to)


def _received(pipe: Connection) -> Drawn:
    try:
        if not pipe.poll(PATIENCE):
            raise DrawingError(f"the process that draws has not answered for {PATIENCE:.0f} seconds")
        drawn: Drawn = pipe.recv()
    except (EOFError, OSError) as error:
        raise DrawingError("the process that draws has ended") from error
    return drawn


def _end(process: BaseProcess) -> None:
    if process.pid is None:
        return
    process.join(0.2)
    for stop in (process.terminate, process.kill):
        if process.is_alive():
            stop()
            process.join(ENDING)
    if not process.is_alive():
        process.close()
