"""A channel and its login: logged in when it is first needed, once, and out again at the end."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Self

from bot.channel import Channel, Finding, LoginError
from bot.delivery.rate_limit import RateLimiter


class Session:
    """Logs a channel in on demand, so that a service that is out of reach holds up nobody but itself."""

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.rate_limiter = RateLimiter(channel.pace)
        """The account's rates, spent in one place by editions, answers and notices alike."""
        self._stack = AsyncExitStack()
        self._opening = asyncio.Lock()
        self._open = False

    async def open(self) -> Channel:
        """The channel, logged in. Raises LoginError where the service refuses us, else what went wrong this time."""
        async with self._opening:
            if not self._open:
                await self._stack.enter_async_context(self.channel)
                self._open = True
        return self.channel

    async def findings(self) -> Sequence[Finding]:
        """What the channel says of its account and service; that they do not let us in is a finding like others."""
        name = self.channel.name
        try:
            return await (await self.open()).check()
        except LoginError as error:
            return [Finding(name, False, str(error))]
        except Exception as error:  # noqa: BLE001 - whatever a service does to us is what is looked for
            says = f"its service could not be asked ({type(error).__name__}); try again when it is reached"
            return [Finding(name, False, says)]

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._stack.aclose()
        self._open = False
