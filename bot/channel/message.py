"""A message: a page composed for one channel, with its size limits and the channel's rate limits."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol


class Message(Protocol):
    """A page composed for one channel, ready to send; the core looks at its sizes only."""

    def sizes(self) -> Mapping[str, int]:
        """The message's sizes, by the quantities that the channel's `Limits` name."""

    def parts(self) -> Mapping[str, str]:
        """The message's parts as they would be sent, by name ("text", "html"), for `papers preview`."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Size limits of one message. The core shortens pages to fit; the channel only measures."""

    maxima: Mapping[str, int] = field(default_factory=dict)
    """The most that the service accepts of each quantity that `Message.sizes` reports."""
    text: int | None = None
    """Characters of one text about a paper before it is shortened at a sentence or a word; None for no limit."""
    preferred: Mapping[str, int] = field(default_factory=dict)
    """Sizes within which a message looks best: texts are shortened a little for it, but no paper is left out."""


def utf16_units(text: str) -> int:
    """The length of a text in UTF-16 code units, as services in JavaScript or Java count: an emoji is two."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


@dataclass(frozen=True, slots=True)
class Rate:
    """A rate limit: at most `count` messages in any `seconds`; `even` spaces them, otherwise bursts are allowed."""

    count: int
    seconds: float = 1.0
    even: bool = True


@dataclass(frozen=True, slots=True)
class Paid:
    """Messages beyond the account's rate that the service takes for money, each for `price` of its `currency`."""

    rate: Rate
    """How fast they may be, beside those that are free."""
    daily: int
    """The most that may be paid for in a day (UTC), by all processes together."""
    price: float
    currency: str


def _one_kind(to: str) -> str:  # noqa: ARG001 - a channel with several kinds of recipient looks at it
    return ""


@dataclass(frozen=True, slots=True)
class Pace:
    """A channel's rate limits; the core waits, so that the service does not have to refuse."""

    concurrency: int = 20
    """Sends in flight at once, and so the most whose outcome can be unknown after a crash."""
    account: Rate | None = None
    """For the whole account."""
    paid: Paid | None = None
    """What may be sent beyond that for money, where the operator wants it (`Personal.paid`)."""
    recipient: Rate | None = None
    """For one recipient."""
    kinds: Mapping[str, Sequence[Rate]] = field(default_factory=dict)
    """For one recipient of a kind, such as a group, in place of `recipient`."""
    kind: Callable[[str], str] = _one_kind
    """The kind of a recipient, a key of `kinds`."""
    same: Callable[[str], str] = str
    """What recipients share that have one limit together, such as the group of its topics."""
    exclusive: bool = True
    """Whether an account has one sending process at a time."""


@dataclass(frozen=True, slots=True)
class Personal:
    """The parts of a message that differ from reader to reader."""

    key: str
    """The delivery's key, the same on every attempt: makes a nonce or a Message-ID."""
    reader: str = ""
    """The reader's name in signed tokens (`bot.channel.tokens`); empty for messages to no subscriber."""
    repeat: int = 0
    """How often it was sent before without an answer."""
    links: Mapping[str, str] = field(default_factory=dict)
    """URLs of the reader's pages "unsubscribe" and "settings" and of the edition ("web"); empty without a server."""
    welcome: str = ""
    """When editions come, in words, with the reader's first one; empty with all others."""
    extras: Mapping[str, str] = field(default_factory=dict)
    """The subscription's values of the channel's own preferences (`Channel.extras`), by name."""
    paid: bool = False
    """Whether to send beyond the account's rate, for money: it was counted (`Pace.paid`)."""
