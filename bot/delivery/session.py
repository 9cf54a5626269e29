"""A channel and its login: logged in once, when it is first needed, and out at the end."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Self

from bot.channel import Channel, Finding, LoginError
from bot.delivery.paid_turns import paid_turns
from bot.delivery.rate_limit import RateLimiter
from bot.delivery.shared_rate import shared_rate
from bot.store import Store


class Session:
    """Logs a channel in on demand, so that an unreachable service holds up no other channel."""

    def __init__(self, channel: Channel, store: Store | None = None, account: str = "") -> None:
        """`store`: where processes that send with one account share its rate. `account`: its key, if it has one."""
        self.channel = channel
        self.account = account
        shared = None if store is None else shared_rate(store, channel)
        paid = None if store is None else paid_turns(store, channel)
        self.rate_limiter = RateLimiter(channel.pace, shared, paid)
        """The account's rate limits, shared by editions, answers and alerts."""
        self._stack = AsyncExitStack()
        self._opening = asyncio.Lock()
        self._open = False

    async def open(self) -> Channel:
        """The channel, logged in. Raises LoginError where the login is refused, else what the channel raises."""
        async with self._opening:
            if not self._open:
                await self._stack.enter_async_context(self.channel)
                self._open = True
        return self.channel

    async def findings(self) -> Sequence[Finding]:
        """Check the channel's account and service; a refused login is a finding too."""
        name = self.channel.name
        try:
            return await (await self.open()).check()
        except LoginError as error:
            return [Finding(name, False, str(error))]
        except Exception as error:  # noqa: BLE001 - any failure is a finding
            says = f"its service could not be asked ({type(error).__name__}); try again when it is reached"
            return [Finding(name, False, says)]

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._stack.aclose()
        self._open = False
