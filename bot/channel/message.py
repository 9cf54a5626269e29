"""A message: a page composed for one channel, what it may hold at most, and how fast messages may follow each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from bot.model import Extra


class Message(Protocol):
    """A page composed for one channel, ready to send, opaque to the core but for its size."""

    def sizes(self) -> Mapping[str, int]:
        """How large the message is, in the units that the channel's `Limits` name."""
        ...

    def parts(self) -> Mapping[str, str]:
        """The message as it would leave, part by part ("text", "html"), for `papers preview`."""
        ...


@dataclass(frozen=True, slots=True)
class Limits:
    """What one message may hold, as data: the core fits pages to it, the channel only measures.

    `maxima` names quantities that `Message.sizes` reports, with the most that the service takes of each.
    `text` is the most characters of one paper's text part before it is shortened at a sentence or a word.
    """

    maxima: Mapping[str, int] = field(default_factory=dict)
    text: int | None = None


def utf16_units(text: str) -> int:
    """How long services written in JavaScript or Java find a text: an emoji counts two.

    It stands here because channels measure with it and the core shortens with it, and both read this file.
    """
    return len(text) + sum(character > "\uffff" for character in text)


@dataclass(frozen=True, slots=True)
class Rate:
    """So many messages in any span of so many seconds, evenly spaced, or else as fast as they come."""

    count: int
    seconds: float = 1.0
    even: bool = True


def _one_kind(to: str) -> str:  # noqa: ARG001 - a channel with several kinds of recipient looks at it
    return ""


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a channel may be used, as data: the core keeps to it ahead of time.

    `concurrency` is how many sends may be in flight at once, and so how many can be in doubt after a crash.
    `account` is the rate of the whole account, `recipient` of one recipient, `kinds` those of one recipient of some
    kind (a group), as `kind` tells them apart; `same` gives what recipients have in common that are paced as one (the
    topics of a group). `exclusive` channels have one sender at a time per account.
    """

    concurrency: int = 20
    account: Rate | None = None
    recipient: Rate | None = None
    kinds: Mapping[str, Sequence[Rate]] = field(default_factory=dict)
    kind: Callable[[str], str] = _one_kind
    same: Callable[[str], str] = str
    exclusive: bool = True


@dataclass(frozen=True, slots=True)
class Personal:
    """What differs per reader: the delivery's key, the same on every repeat, and links.

    The key makes a nonce or a Message-ID; `repeat` counts how often it was sent already without an answer; `extras`
    are those of the channel's that the subscription has. `links` has "unsubscribe" and "settings", pages of this
    reader, and "web", the same for everybody; it is empty where there is no web side.
    """

    key: str
    reader: str = ""
    """What tokens call the reader (`bot.channel.tokens`); empty for what is no subscriber's."""
    repeat: int = 0
    links: Mapping[str, str] = field(default_factory=dict)
    extras: Mapping[Extra, str] = field(default_factory=dict)
