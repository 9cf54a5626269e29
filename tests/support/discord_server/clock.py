"""The server's clock, which a test may stop or move forward."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

EPOCH = 1_420_070_400_000
"""Milliseconds at which Discord's ids begin (reference#snowflakes)."""


class Clock:
    """The service's time, and the ids that are made of it."""

    def __init__(self) -> None:
        self._ahead = 0.0
        self._stopped: float | None = None
        self._last = 0

    @property
    def seconds(self) -> float:
        """Now, in seconds of Unix time."""
        return (time.time() if self._stopped is None else self._stopped) + self._ahead

    @property
    def now(self) -> datetime:
        """Now, as a moment in UTC."""
        return datetime.fromtimestamp(self.seconds, UTC)

    def stop(self) -> None:
        """Let it stand still from now on, but for being moved."""
        if self._stopped is None:
            self._stopped = time.time()

    def move(self, ahead: timedelta | float) -> None:
        """Move the clock forward by so much, in seconds where it is a number."""
        step = ahead.total_seconds() if isinstance(ahead, timedelta) else ahead
        if step < 0:
            raise ValueError("this clock only moves forward: ids are ordered by time")
        self._ahead += step

    def snowflake(self) -> int:
        """A new id, greater than all before it, whose time is now."""
        self._last = max(self._last + 1, (int(self.seconds * 1000) - EPOCH) << 22)
        return self._last


def stamp(moment: datetime) -> str:
    """A moment as Discord writes it."""
    return moment.isoformat(timespec="microseconds")
