"""Feedback: bounces, complaints and unsubscribe requests; and what a channel's own CLI commands can use.

Mail systems report failures hours after they accepted a message, by a message of their own. A channel that can read
those says what each means; the reader is known by a token that we signed, never by what a sender wrote.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from enum import StrEnum
from typing import Protocol, runtime_checkable

from bot.channel.port import Channel


class Feedback(StrEnum):
    """The kinds of feedback about a reader."""

    COMPLAINT = "complaint"
    """A spam complaint: unsubscribe, and put the address on the suppression list until they subscribe themselves."""
    UNSUBSCRIBE = "unsubscribe"
    """An unsubscribe request."""
    GONE = "gone"
    """A hard bounce: the address cannot be reached any more."""
    STRIKE = "strike"
    """A soft bounce; after three editions in a row over at least a week the reader is `gone`."""


@runtime_checkable
class WeighsBounces(Protocol):
    """A channel that understands what mail systems say, for services that report bounces by a webhook."""

    def weigh(self, declared: Feedback, reason: str) -> Feedback | None:
        """Classify a bounce that a service declares to be `declared`; None if it says nothing about the reader."""


class FeedbackHandler(Protocol):
    """Processes feedback in the core."""

    async def process(self, what: Feedback, purpose: str, token: str, reason: str, now: datetime) -> bool:
        """Apply feedback about the reader that a signed token names. Idempotent.

        Returns whether anything changed; False as well for a token that we did not sign, or of a reader who is gone.
        """


class OperatorTools(Protocol):
    """Helpers for a channel's own CLI commands; typer passes it as `context.obj`."""

    def execute(self, work: Callable[[Channel, FeedbackHandler], Awaitable[None]]) -> None:
        """Open the program with this channel only and run `work`; prints one sentence for an error."""

    def say(self, line: str) -> None:
        """Print a line to standard output."""

    def as_json(self, value: object) -> None:
        """Print a value for scripts to standard output."""
