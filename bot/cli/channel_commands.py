"""`papers <channel> …`: what the commands of one channel are given to work with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from bot.channel import Channel, FeedbackHandler
from bot.cli.console import as_json, say
from bot.cli.open_service import open_service
from bot.cli.startup import DONE, execute


class ChannelTools:
    """Implements bot.channel.OperatorTools: a channel's own commands find it in `context.obj`."""

    def __init__(self, channel: str) -> None:
        self._channel = channel

    def execute(self, work: Callable[[Channel, FeedbackHandler], Awaitable[None]]) -> None:
        """Open the program with this channel alone, do `work`, and exit."""
        execute(self._execute(work))

    async def _execute(self, work: Callable[[Channel, FeedbackHandler], Awaitable[None]]) -> int:
        async with open_service(only=self._channel) as service:
            await work(service.channels[0], service.incoming.feedback)
        return DONE

    def say(self, line: str) -> None:
        """Print a line on standard output."""
        say(line)

    def as_json(self, value: object) -> None:
        """Print a value for scripts on standard output."""
        as_json(value)
