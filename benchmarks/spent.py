"""The processor time and the memory that some work takes, in a process of its own.

Of several tries the best counts, since this machine has others to serve as well.
"""

from __future__ import annotations

import multiprocessing
import resource
from collections.abc import Callable
from multiprocessing.connection import Connection

TRIES = 3
WHOSE = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)


def best(work: Callable[[], None]) -> tuple[float, float]:
    """The least processor time in seconds of several tries, and the most megabytes."""
    found = []
    for _ in range(TRIES):
        fresh = multiprocessing.get_context("spawn")
        here, there = fresh.Pipe()
        process = fresh.Process(target=_measure, args=(work, there))
        process.start()
        there.close()  # so that waiting ends with the process
        found.append(here.recv())
        process.join()
    return min(took for took, _ in found), max(size for _, size in found)


def _measure(work: Callable[[], None], told: Connection) -> None:
    """Do some work, and tell the processor time of it and its children, and the larger of their resident sizes."""
    before = _spent()
    work()
    told.send((_spent() - before, max(resource.getrusage(each).ru_maxrss for each in WHOSE) / 1024))


def _spent() -> float:
    found = [resource.getrusage(each) for each in WHOSE]
    return sum(each.ru_utime + each.ru_stime for each in found)
