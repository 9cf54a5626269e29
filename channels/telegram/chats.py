"""Addresses of chats: a private chat, a group, a topic of a group, a channel."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

from bot.model import Address

CHANNEL = "telegram"
"""The channel's name, and that of its first bot."""
_WRITTEN = re.compile(r"(-?[1-9]\d{0,18})(?:/([1-9]\d{0,9}))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class ChatAddress:
    """A chat id and perhaps a topic id, written `42`, `-1001234567890` or `-1001234567890/45`.

    People have positive ids, groups and channels negative ones.
    """

    id: int
    topic: int | None = None

    @classmethod
    def parse(cls, written: str) -> Self:
        """Read a written address.

        Raises:
            ValueError: it is not one; the message is a sentence for the operator.
        """
        found = _WRITTEN.fullmatch(written.strip())
        if not found or (found[2] and int(found[1]) > 0):
            raise ValueError(
                f"{written!r} is not a Telegram chat: use a person's id such as 42, a group's such as -1001234567890, "
                "or a group's with a topic such as -1001234567890/45"
            )
        return cls(int(found[1]), int(found[2]) if found[2] else None)

    @property
    def is_shared(self) -> bool:
        """Whether it is a group or a channel, which several people read."""
        return self.id < 0

    def through(self, account: str) -> Address:
        """The subscription's address, reached by the bot of this name: CHANNEL, or `telegram.987654321`."""
        return Address(CHANNEL, f"{self}", None if account == CHANNEL else account)

    def __str__(self) -> str:
        return f"{self.id}" if self.topic is None else f"{self.id}/{self.topic}"


def chat_of(recipient: str) -> str:
    """The chat a recipient is in: the topics of a group share the group's rate limit."""
    return recipient.partition("/")[0]


SHARED = "shared"
"""The kind of groups and channels, for the rate limiter."""


def kind_of(recipient: str) -> str:
    """The recipient's kind for the rate limiter: `SHARED` for groups and channels, empty for people."""
    return SHARED if recipient.startswith("-") else ""
