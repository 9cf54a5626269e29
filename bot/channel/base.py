"""Base class for channels: the parts of the port that most channels do alike."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Self

from bot.channel.message import Limits, Message, Pace, Personal
from bot.channel.outcome import Outcome
from bot.channel.page import Page
from bot.channel.port import Commands, Finding
from bot.channel.preference import Preference


class BaseChannel(ABC):
    """A channel that needs no login, receives nothing and has no extras (see `bot.channel.Channel` for each member).

    A channel overrides what is different for it; `name`, `recipient`, `compose` and `send` have no default.
    """

    name: str
    limits: Limits = Limits()
    pace: Pace = Pace()
    extras: Sequence[Preference] = ()
    residents: Sequence[str] = ()
    repeats_unknown: bool = True
    rehearsal: bool = False
    shows_pictures: bool = False

    @abstractmethod
    def recipient(self, written: str) -> str:
        """A recipient's id in the one form in which it is stored. Raises ValueError, whose message is a sentence."""

    def judge(self, recipient: str) -> str | None:  # noqa: ARG002 - for channels whose recipients have own servers
        """Nobody apart: the service as a whole decides."""
        return None

    def typed(self, line: str, language: str) -> str:  # noqa: ARG002 - for channels where commands have another form
        """The line itself."""
        return line

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        return None

    async def listen(self, commands: Commands) -> None:  # noqa: ARG002 - for channels that receive
        """Return at once: nothing is received."""
        return

    @abstractmethod
    def compose(self, page: Page) -> Message:
        """Turn a page into this channel's markup."""

    @abstractmethod
    async def send(self, to: str, message: Message, personal: Personal) -> Outcome:
        """Send to one recipient. Never raises for what the service answered."""

    async def check(self) -> Sequence[Finding]:
        """Nothing to check."""
        return []
