"""Where a message goes: a person's chat with the bot, a group, a topic of a group, a channel."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

_WRITTEN = re.compile(r"(-?[1-9]\d{0,18})(?:/([1-9]\d{0,9}))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class ChatAddress:
    """A chat by Telegram's id, and one of its topics; `42`, `-1001234567890` or `-1001234567890/45` when written.

    People have positive ids, groups and channels negative ones.
    """

    chat: int
    topic: int | None = None

    @classmethod
    def parse(cls, written: str) -> Self:
        """Read a written place. Raises ValueError, whose message is a sentence, for what is none."""
        found = _WRITTEN.fullmatch(written.strip())
        if not found or (found[2] and int(found[1]) > 0):
            raise ValueError(
                f"{written!r} is no chat of Telegram's: a person's id such as 42, a group's such as -1001234567890, "
                "or a group's and its topic's such as -1001234567890/45"
            )
        return cls(int(found[1]), int(found[2]) if found[2] else None)

    @property
    def is_shared(self) -> bool:
        """Whether more people than one read here."""
        return self.chat < 0

    def __str__(self) -> str:
        return f"{self.chat}" if self.topic is None else f"{self.chat}/{self.topic}"


def chat_of(to: str) -> str:
    """What is paced as one: a group and all its topics."""
    return to.partition("/")[0]


SHARED = "shared"
"""What `kind_of` calls groups and channels."""


def kind_of(to: str) -> str:
    """What kind of recipient this is, for its pace: Telegram allows groups and channels less than people."""
    return SHARED if to.startswith("-") else ""
