"""The time that services work by: this machine's clock, corrected by clocks outside it, and whether they agree.

A clock that is hours ahead would expire deliveries and fold editions for good. So each service compares its own with
the database server's and the feed's (HTTP `Date`), and while they differ it does nothing that cannot be undone.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from bot.runtime.supervisor import clock

log = logging.getLogger(__name__)

TOLERANCE = timedelta(minutes=2)
"""How far two clocks may be apart and still count as agreeing."""
MEASURE_EVERY = 60.0
"""Seconds between two comparisons."""
LONGEST_MEASURE = 10.0
"""Seconds that one clock outside may take to answer."""
EARLIEST = datetime(2025, 1, 1, tzinfo=UTC)
"""A server whose clock is before this time, which is before the program was written, does not know the time."""
PRECISION = timedelta(seconds=5)
"""An offset below this is none: HTTP dates count whole seconds, and answers take time. Corrected by it, a process that
starts a second later could believe that it is earlier."""

Source = Callable[[], Awaitable[datetime | None]]
"""Asks a clock outside for its time; None if it has none to give."""


class ClockError(Exception):
    """A clock outside differs so much that not even its certificate is valid by ours."""


class Tell(Protocol):
    """How the operator is told."""

    def __call__(self, event: str, now: datetime, *, level: int = logging.INFO, apart: str = "") -> None: ...


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of comparing clocks.

    `offset` is what to add to this machine's time. `in_doubt` says that clocks differ and nobody knows which is right.
    `apart` names the clocks that differ, with what to add to this machine's time to get theirs.
    `asked` are the clocks that answered.
    """

    offset: timedelta = timedelta()
    in_doubt: bool = False
    apart: str = ""
    asked: Sequence[str] = ()


def compare(outside: Mapping[str, timedelta | None]) -> Verdict:
    """Judge the offsets of clocks outside, the most trusted first; None is one that differs by an unknown time.

    Two clocks outside that agree are right, whatever this machine's says. Otherwise the first is used, and any two
    clocks that differ by more than `TOLERANCE` put the time in doubt.
    """
    known = [offset for offset in outside.values() if offset is not None]
    if not outside:
        return Verdict()
    offset = known[0] if known and abs(known[0]) > PRECISION else timedelta()
    off = {name: each for name, each in outside.items() if each is None or abs(each) > TOLERANCE}
    apart = "; ".join(f"{name}: {_in_words(each)}" for name, each in off.items())
    agree = len(known) == len(outside) > 1 and max(known) - min(known) <= TOLERANCE
    spread = [timedelta(), *known]
    in_doubt = not agree and (len(known) < len(outside) or max(spread) - min(spread) > TOLERANCE)
    if not in_doubt and not off:
        return Verdict(offset, asked=tuple(outside))
    every = "; ".join(f"{name}: {_in_words(each)}" for name, each in outside.items())
    return Verdict(offset, in_doubt, apart or every, tuple(outside))


def _in_words(offset: timedelta | None) -> str:
    if offset is None:
        return "certificate not valid by this machine's clock"
    seconds = round(offset.total_seconds())
    return f"{'+' if seconds >= 0 else '-'}{timedelta(seconds=abs(seconds))}"


class Clock:
    """The time by which a service works. Between comparisons it runs by the monotonic clock, which nobody sets.

    `sources` are the clocks outside, by the names under which the operator knows them, the most trusted first.
    """

    def __init__(
        self,
        sources: Mapping[str, Source],
        tell: Tell,
        *,
        wall: Callable[[], datetime] = clock,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sources = sources
        self._tell = tell
        self._wall = wall
        self._monotonic = monotonic
        self._anchor: tuple[datetime, float] | None = None
        self.verdict = Verdict()

    def now(self) -> datetime:
        """The time, in UTC: this machine's until the first comparison."""
        if self._anchor is None:
            return self._wall()
        at, then = self._anchor
        return at + timedelta(seconds=self._monotonic() - then)

    def may_expire(self) -> bool:
        """Whether the time is sure enough for what cannot be undone: expiring deliveries, folding editions."""
        return not self.verdict.in_doubt

    async def measure(self) -> Verdict:
        """Ask the clocks outside and compare. The operator is told when clocks begin to differ, and when they agree."""
        answers = await asyncio.gather(*(self._ask(source) for source in self._sources.values()))
        outside = {name: each for name, each in zip(self._sources, answers, strict=True) if each is not _SILENT}
        if not outside and (self.verdict.offset or self.verdict.in_doubt):
            return self.verdict  # silence proves nothing: the time runs on by the monotonic clock
        before, self.verdict = self.verdict, compare({name: _offset(each) for name, each in outside.items()})
        self._anchor = self._wall() + self.verdict.offset, self._monotonic()
        self._report(before)
        return self.verdict

    async def run(self, stop: asyncio.Event) -> None:
        """Compare every `MEASURE_EVERY` until told to stop."""
        while not stop.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(MEASURE_EVERY):
                    await stop.wait()
            if not stop.is_set():
                await self.measure()

    async def _ask(self, source: Source) -> object:
        """The offset of one clock outside; `_SILENT` if it does not say, None if it differs by an unknown time."""
        began, at = self._monotonic(), self._wall()
        try:
            async with asyncio.timeout(LONGEST_MEASURE):
                told = await source()
        except ClockError:
            return None
        except Exception:
            log.debug("a clock could not be asked", exc_info=True)
            return _SILENT
        if told is None or told < EARLIEST:
            return _SILENT
        return told - at - timedelta(seconds=(self._monotonic() - began) / 2)

    def _report(self, before: Verdict) -> None:
        now = self.now()
        if self.verdict.in_doubt and not before.in_doubt:
            self._tell(IN_DOUBT, now, level=logging.ERROR, apart=self.verdict.apart)
        elif self.verdict.apart and not before.apart:
            self._tell(IS_OFF, now, level=logging.WARNING, apart=self.verdict.apart)
        elif before.apart and not self.verdict.apart:
            self._tell(AGREED, now)


IN_DOUBT = "clocks differ, nothing expires until they agree"
IS_OFF = "the clock of this machine is wrong, those outside are used"
AGREED = "clocks agree again"
_SILENT = object()


def _offset(answer: object) -> timedelta | None:
    return answer if isinstance(answer, timedelta) else None
