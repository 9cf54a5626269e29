"""The status of this process's jobs: waiting for locks or working, and when each last completed a round."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from bot.runtime.locks.role_names import COLLECT, COMPLETE, FOLLOW, ILLUSTRATE, KEEP, LISTEN, NARRATE, POLL, WRITE

SLOW = {
    **dict.fromkeys((POLL, WRITE, KEEP, ILLUSTRATE, COLLECT, COMPLETE), 1800.0),
    **dict.fromkeys((NARRATE, FOLLOW), 14_400.0),
}
"""Seconds in which a job has to come round once, where that is long: a feed with much to read, a slow model.

One round of `narrate` is a whole recording by a slow voice, one of `follow` all recordings of an edition.
"""
USUAL = 300.0
"""The same for other jobs, which come round every second."""
ENDLESS = (LISTEN, "web", "health")
"""Jobs that do not come round: their channel says itself whether it listens (bot.delivery.listening)."""


@dataclass(slots=True)
class JobStatus:
    """One job. Times are seconds of the monotonic clock."""

    held_since: float | None = None
    """None while it waits for its locks."""
    turned_at: float | None = None
    """When it last completed or began a round of its loop, whether or not there was anything to do."""
    takeovers: int = 0
    """Times that it began to work since the process started."""

    def is_stuck(self, name: str, now: float) -> bool:
        """Whether the job works and has not come round for too long: a restart may mend that."""
        role = name.partition(":")[0]
        if self.held_since is None or role in ENDLESS:
            return False
        return now - max(self.held_since, self.turned_at or 0.0) > SLOW.get(role, USUAL)


class RoleStatus:
    """Keeps the status of every job of this process, by name."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._jobs: dict[str, JobStatus] = {}

    @property
    def jobs(self) -> Mapping[str, JobStatus]:
        """Every job that was started, by name."""
        return self._jobs

    def waits(self, name: str) -> None:
        """Note that a job waits for its locks."""
        self._jobs.setdefault(name, JobStatus()).held_since = None

    def works(self, name: str) -> None:
        """Note that a job has its locks."""
        job = self._jobs.setdefault(name, JobStatus())
        job.held_since, job.turned_at = self._clock(), None
        job.takeovers += 1

    def turned(self, name: str) -> None:
        """Note that a job came round."""
        self._jobs.setdefault(name, JobStatus()).turned_at = self._clock()

    def each_beginning(self, name: str, work: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
        """The work of a job, noted as a round each time it begins: a job that fails and tries again does not hang."""

        async def begin() -> None:
            if name.partition(":")[0] not in ENDLESS:
                self.turned(name)
            await work()

        return begin

    def seconds(self, since: float | None) -> float | None:
        """The seconds that have passed since a time of this clock; None for None."""
        return None if since is None else max(0.0, self._clock() - since)

    def stuck(self) -> list[str]:
        """The jobs that work and have not come round for too long."""
        now = self._clock()
        return [name for name, job in self._jobs.items() if job.is_stuck(name, now)]

    def report(self) -> dict[str, dict[str, object]]:
        """A report on each job, for health checks."""
        return {
            name: {
                "works": job.held_since is not None,
                "seconds_held": _rounded(self.seconds(job.held_since)),
                "seconds_since_turn": _rounded(self.seconds(job.turned_at)),
                "takeovers": job.takeovers,
            }
            for name, job in self._jobs.items()
        }


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 1)
