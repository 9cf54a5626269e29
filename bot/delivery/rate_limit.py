"""The rate limiter: keeps a service's rate limits before the service has to enforce them.

Only the holder of an account's lock sends, so an account's rates are spent in one place. Answers to people who are
waiting overtake the broadcast: at most one of its messages is ever ahead of them.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING

from bot.channel import Pace, Rate
from bot.delivery.shared_rate import SLOW_SECONDS, SLOWER, AccountRate
from bot.runtime.recent import Recent

if TYPE_CHECKING:
    from bot.delivery.paid_turns import PaidTurns

RECIPIENTS = 10_000
"""Recipients whose rate windows are remembered; the least recently used are dropped, and may send again by then."""
ANSWERS = 4
"""Answers in a row after which the broadcast gets a turn, however many more are waiting."""
SLACK = 1.01
"""Factor by which even spacing is wider than the rate demands, so that late sends can catch up."""
TURN_LASTS = 0.05
"""Seconds for which a turn at the account's rate may be taken; a message that leaves later owes the rate another."""
CATCH_UP = 3
"""Turns that a send may be late and still catch up; later than that, the spacing starts over."""


class RateLimiter:
    """Delays sends so that they keep the rates that a channel declares (`bot.channel.Pace`)."""

    def __init__(self, pace: Pace, account: AccountRate | None = None, paid: PaidTurns | None = None) -> None:
        """`account` keeps the account's rate where other processes send with it too, `paid` says what may exceed it."""
        self._pace = pace
        self._paid = paid
        self._free_turn: asyncio.Task[float] | None = None
        """The broadcast's next turn at the account's rate, while messages before it are paid for; when it came."""
        self._account = account or (None if pace.account is None else RateWindow(pace.account))
        self._is_unlimited = self._account is None and pace.recipient is None and not pace.kinds
        self._recipients: Recent[str, Sequence[RateWindow]] = Recent(RECIPIENTS)
        self._broadcast = asyncio.Lock()
        self._urgent = 0
        self._urgent_in_a_row = 0
        """Urgent sends since the last one of the broadcast."""
        self._broadcast_may_go = asyncio.Event()
        self._broadcast_may_go.set()

    async def acquire(self, to: str, *, urgent: bool = False, may_pay: bool = False) -> bool:
        """Wait until a message to the recipient `to` may be sent; `urgent` overtakes the broadcast.

        Returns whether it has to be paid for, which only a caller with `may_pay` is asked to do; others wait until
        nothing is paid for, and urgent ones do not even that. Who is not urgent notes with `ended` when the message was
        answered, so that no paid one overtakes it.
        """
        if self._is_unlimited:
            return False
        for window in self._windows(to):
            await window.wait()
        if self._account is None:
            return False
        if urgent:
            self._urgent += 1
            self._settle()
            try:
                await self._account.wait()
                self._urgent_in_a_row += 1
            finally:
                self._urgent -= 1
                self._settle()
            return False
        if self._paid is not None and not may_pay:  # out of the queue, which would stand still behind it
            await self._paid.settled()
        async with self._broadcast:  # one message of the broadcast waits for its turn, the others queue behind it
            await self._broadcast_may_go.wait()
            paid = await self._broadcast_turn(self._account, may_pay=may_pay)
            self._urgent_in_a_row = 0
            self._settle()
            return paid

    async def _broadcast_turn(self, account: AccountRate, *, may_pay: bool) -> bool:
        """Wait for the next turn, which is free if the account's rate allows it now. Returns whether it is paid for.

        While others are paid for all are: the service counts them together, and refuses one that is not.
        """
        if self._paid is None:
            await account.wait()
            return False
        if self._free_turn is None or (self._free_turn.done() and self._free_turn.exception()):
            self._free_turn = asyncio.create_task(_turn(account), name="free turn")
            await asyncio.sleep(0)
        must_pay = not self._free_turn.done() or self._paid.settles_in > 0
        if may_pay and must_pay and await self._paid.take():
            return True
        await self._paid.settled()
        came = await asyncio.shield(self._free_turn)
        self._free_turn = None
        if asyncio.get_running_loop().time() > came + TURN_LASTS:
            self._free_turn = asyncio.create_task(_turn(account, owed=1), name="free turn")
        self._paid.begun_free()
        return False

    def ended(self, *, paid: bool) -> None:
        """Note that a message that was not urgent has been answered, or was not sent after all."""
        if self._paid is not None:
            self._paid.ended(paid=paid)

    def stop_paying(self) -> None:
        """Pay for nothing during a while: the service takes no money."""
        if self._paid is not None:
            self._paid.close()

    def slow_down(self) -> None:
        """Use less of the account's rate for a minute: the service found us too fast."""
        if self._account is not None:
            self._account.slow_down()

    def _settle(self) -> None:
        """Let the broadcast go on while no urgent send waits, and after every few urgent sends in any case."""
        if not self._urgent or self._urgent_in_a_row >= ANSWERS:
            self._broadcast_may_go.set()
        else:
            self._broadcast_may_go.clear()

    def _windows(self, to: str) -> Sequence[RateWindow]:
        """The rate windows of one recipient, or of the group of recipients that shares its limits."""
        own = () if self._pace.recipient is None else (self._pace.recipient,)
        rates = self._pace.kinds.get(self._pace.kind(to), own)
        if not rates:
            return ()
        who = self._pace.same(to)
        windows = self._recipients.get(who)
        if windows is None:
            windows = self._recipients.put(who, [RateWindow(rate) for rate in rates])
        return windows


async def _turn(account: AccountRate, owed: int = 0) -> float:
    """Wait for a turn at an account's rate; when it came, by the loop's clock.

    The first `owed` turns are spent on messages that left without one, so that the rate counts them as well.
    """
    for _ in range(owed + 1):
        await account.wait()
    return asyncio.get_running_loop().time()


class RateWindow:
    """A sliding-window rate limit: at most `count` sends in any `seconds`, in the order in which they were asked for.

    An `even` rate is spaced evenly. What was late because the machine was busy is caught up with, so that a long
    queue takes no longer than it must; after a pause the spacing starts over.
    """

    def __init__(self, rate: Rate) -> None:
        self._seconds = rate.seconds
        self._apart = SLACK * rate.seconds / rate.count if rate.even else 0.0
        self._due = -math.inf
        self._sent: deque[float] = deque(maxlen=rate.count)
        self._lock = asyncio.Lock()
        self._slow_until = -math.inf

    def slow_down(self) -> None:
        """Space an even rate wider for a while, beginning with the next send."""
        self._slow_until = asyncio.get_running_loop().time() + SLOW_SECONDS

    async def wait(self) -> None:
        """Wait until one more send is allowed."""
        clock = asyncio.get_running_loop().time
        async with self._lock:
            room = self._sent[0] + self._seconds if len(self._sent) == self._sent.maxlen else -math.inf
            delay = max(self._due, room) - clock()
            if delay > 0:
                await asyncio.sleep(delay)
            now = clock()
            self._sent.append(now)
            apart = self._apart / SLOWER if now < self._slow_until else self._apart
            late = now - self._due > CATCH_UP * apart
            self._due = (now if late else self._due) + apart
