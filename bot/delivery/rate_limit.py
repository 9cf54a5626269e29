"""Pacing ahead of time: a service's rates are kept before it has to complain.

Only the holder of an account's lock sends, so the rates of an account are spent in one place. Answers to people
who are waiting go past the queue: of a broadcast, no more than one message is ever ahead of them.
"""

from __future__ import annotations

import asyncio
import math
from collections import OrderedDict, deque
from collections.abc import Sequence

from bot.channel import Pace, Rate

RECIPIENTS = 10_000
"""As many recipients' buckets are remembered; one that was not used for so long is full again."""
ANSWERS = 4
"""After so many answers in a row the broadcast has a turn, however many more are waited for."""
SLACK = 1.01
"""They are spaced so much wider than they need be: room in which what was late is caught up with."""
CATCH_UP = 3
"""What is late by no more than so many turns is caught up with; later than that, the spacing begins anew."""


class RateLimiter:
    """Lets sends pass at the pace that a channel declares."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._account = None if pace.account is None else RateWindow(pace.account)
        self._recipients: OrderedDict[str, Sequence[RateWindow]] = OrderedDict()
        self._gate = asyncio.Lock()
        self._urgent = 0
        self._in_a_row = 0
        """Answers since the last message of the broadcast."""
        self._calm = asyncio.Event()
        self._calm.set()

    async def acquire(self, to: str, *, urgent: bool = False) -> None:
        """Wait until a message to `to` may leave."""
        for gate in self._recipient(to):
            await gate.passed()
        if self._account is None:
            return
        if urgent:
            self._urgent += 1
            self._settle()
            try:
                await self._account.passed()
                self._in_a_row += 1
            finally:
                self._urgent -= 1
                self._settle()
            return
        async with self._gate:  # one message of the broadcast stands at the door, the others behind it
            await self._calm.wait()
            await self._account.passed()
            self._in_a_row = 0
            self._settle()

    def _settle(self) -> None:
        """Let the broadcast on while nobody waits for an answer, and after every few answers in any case."""
        if not self._urgent or self._in_a_row >= ANSWERS:
            self._calm.set()
        else:
            self._calm.clear()

    def _recipient(self, to: str) -> Sequence[RateWindow]:
        """The gates of one recipient, or of all that are paced with it."""
        own = () if self._pace.recipient is None else (self._pace.recipient,)
        rates = self._pace.kinds.get(self._pace.kind(to), own)
        if not rates:
            return ()
        who = self._pace.same(to)
        gates = self._recipients.get(who)
        if gates is None:
            gates = self._recipients[who] = [RateWindow(rate) for rate in rates]
            if len(self._recipients) > RECIPIENTS:
                self._recipients.popitem(last=False)
        self._recipients.move_to_end(who)
        return gates


class RateWindow:
    """Lets so many pass in any span of so many seconds, wherever it begins, in the order in which they came.

    Where they are to be spaced evenly, what was late because the machine was busy is caught up with, so that a long row
    of them takes no longer than it must; after a pause, though, they begin one by one.
    """

    def __init__(self, rate: Rate) -> None:
        self._seconds = rate.seconds
        self._apart = SLACK * rate.seconds / rate.count if rate.even else 0.0
        self._due = -math.inf
        self._passed: deque[float] = deque(maxlen=rate.count)
        self._turn = asyncio.Lock()

    async def passed(self) -> None:
        """Wait until one more may pass."""
        clock = asyncio.get_running_loop().time
        async with self._turn:
            room = self._passed[0] + self._seconds if len(self._passed) == self._passed.maxlen else -math.inf
            wait = max(self._due, room) - clock()
            if wait > 0:
                await asyncio.sleep(wait)
            now = clock()
            self._passed.append(now)
            late = now - self._due > CATCH_UP * self._apart
            self._due = (now if late else self._due) + self._apart
