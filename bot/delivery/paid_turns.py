"""Turns of the broadcast that an account pays for, where its own rate would have it wait (`bot.channel.Paid`)."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import date
from functools import partial

from bot.channel import Channel, Paid
from bot.delivery.rate_limit import RateWindow
from bot.runtime.supervisor import clock
from bot.store import DatabaseFault, NoConnectionError, OutOfReachError, Store, paid_sends

log = logging.getLogger(__name__)

AHEAD = 0.1
"""Seconds of the paid rate that are counted at once: what is lost if the process is killed."""
CLOSED_SECONDS = 600.0
"""Seconds until it is tried again whether the day's number is over, or the account has money."""

SECOND = 1.1
"""Seconds for which the service still counts a paid message, so that one which is not paid for would be refused.

After as many seconds a free message is taken as arrived, answered or not.
"""
ANSWERED = 120.0
"""Seconds after the last paid message by which all are taken as answered, also one whose end nobody noted."""

Count = Callable[[int], Awaitable[int]]
"""Given a number of sends, counts them where all processes see it; returns how many may be made (`paid_sends`)."""


class PaidTurns:
    """Says whether one more message may be paid for. For one event loop, and one caller at a time."""

    def __init__(self, paid: Paid, count: Count) -> None:
        self._window = RateWindow(paid.rate)
        self._block = max(1, round(AHEAD * paid.rate.count / paid.rate.seconds))
        self._count = count
        self._left = 0
        self._day: date | None = None
        """The day (UTC) for which those that are left were counted: no other day has them."""
        self._closed_until = self._taken = self._last = self._free_begun = -math.inf
        self._in_flight = self._free_in_flight = 0
        self._free_answered = asyncio.Event()
        self._free_answered.set()

    @property
    def settles_in(self) -> float:
        """Seconds until a message need not be paid for, if the account's rate allows it: those before it count."""
        now = asyncio.get_running_loop().time()
        if self._in_flight and now < self._taken + ANSWERED:
            return SECOND
        return self._last + SECOND - now

    async def settled(self) -> None:
        """Wait until a message need not be paid for; at most until the last one that was is taken as answered."""
        while (wait := self.settles_in) > 0:  # noqa: ASYNC110 - time alone ends it
            await asyncio.sleep(wait)

    async def take(self) -> bool:
        """Count one message, and wait until the paid rate allows it. False: send at the free rate.

        Free messages that were noted with `begun_free` are answered by then, or the last of them left `SECOND` ago: one
        that is overtaken by many paid ones would be refused. Answers and alerts are not noted, and may be overtaken.
        """
        if asyncio.get_running_loop().time() < self._closed_until:
            return False
        today = clock().date()
        if not self._left or self._day != today:
            self._left, self._day = 0, today
            try:
                self._left = await self._count(self._block)
            except (DatabaseFault, NoConnectionError, OutOfReachError, OSError) as error:
                log.warning("paid sends cannot be counted, none is paid for", extra={"reason": type(error).__name__})
            if not self._left:
                self.close()
                return False
        self._left -= 1
        with suppress(TimeoutError):
            async with asyncio.timeout_at(self._free_begun + SECOND):
                await self._free_answered.wait()
        await self._window.wait()
        now = asyncio.get_running_loop().time()
        self._in_flight = self._in_flight + 1 if now < self._taken + ANSWERED else 1
        self._taken = now
        return True

    def begun_free(self) -> None:
        """Note that a message is on its way which is not paid for."""
        self._free_begun = asyncio.get_running_loop().time()
        self._free_in_flight += 1
        self._free_answered.clear()

    def ended(self, *, paid: bool) -> None:
        """Note that a message has been answered, or was not sent after all."""
        if paid:
            self._in_flight = max(0, self._in_flight - 1)
            self._last = asyncio.get_running_loop().time()
            return
        self._free_in_flight = max(0, self._free_in_flight - 1)
        if not self._free_in_flight:
            self._free_answered.set()

    def close(self) -> None:
        """Pay for nothing for a while: the day's number is over, or the account cannot pay."""
        self._closed_until = asyncio.get_running_loop().time() + CLOSED_SECONDS


def paid_turns(store: Store, channel: Channel) -> PaidTurns | None:
    """The paid turns of a channel's account; None where nothing is paid for."""
    paid = channel.pace.paid
    if paid is None:
        return None
    return PaidTurns(paid, partial(_count, store, channel.name, paid.daily))


async def _count(store: Store, account: str, daily: int, wanted: int) -> int:
    return await paid_sends.count(store, account, wanted, daily)
