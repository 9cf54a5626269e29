"""What comes back: bounces, complaints, wishes to leave; and what a channel's own commands are lent.

Some services answer hours after they took a message, by a message of their own. A channel that can read those says
what each means; who it is about is known by a token that we signed, never by what a stranger wrote.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from bot.channel.port import Channel


class Feedback(StrEnum):
    """What a message that came back says of its reader."""

    COMPLAINT = "complaint"
    """They called it spam: unsubscribed, and never written to again unless they ask."""
    LEAVING = "leaving"
    """They want no more."""
    GONE = "gone"
    """They cannot be reached any more."""
    STRIKE = "strike"
    """They could not be reached this time; three editions in a row, and they are gone."""


class FeedbackHandler(Protocol):
    """The core's door for what comes back."""

    async def take(self, what: Feedback, purpose: str, token: str, reason: str, now: datetime) -> bool:
        """Draw the consequences for whoever a token names; whether they were drawn, and not for the first time.

        False where the token is not ours, or names somebody who is not there any more.
        """
        ...


class OperatorTools(Protocol):
    """What a channel's own commands are lent; typer finds it in their `context.obj`."""

    def execute(self, work: Callable[[Channel, FeedbackHandler], Awaitable[None]]) -> None:
        """Open the program with this channel alone, do `work`, and end; one sentence where something is wrong."""
        ...

    def say(self, line: str) -> None:
        """Say a line on standard output."""
        ...
