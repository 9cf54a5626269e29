"""The outcome of sending a message: the type says who caused it, and the core decides what follows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Sent:
    """The service accepted the message; `moved_to` is the recipient's new id where the service named one."""

    receipt: str | None = None
    moved_to: str | None = None


@dataclass(frozen=True, slots=True)
class Deferred:
    """Not sent, to be tried again: a temporary failure (a soft bounce, a flood wait, an outage, a failed login)."""

    reason: str
    retry_after: float | None = None
    """Seconds to wait, where the service asked for that."""
    scope: Literal["recipient", "channel"] = "recipient"
    """Whether one recipient has to wait or the whole channel."""
    slow_down: bool = False
    """Whether the service finds us too fast: the account's rate is lowered by a fifth for a minute."""
    unpaid: bool = False
    """Whether the service takes no money from the account now, so that nothing is paid for during a while."""
    strike: bool = False
    """Whether the reader's side caused it (a full mailbox); after three editions in a row over a week the reader is
    `gone`."""


@dataclass(frozen=True, slots=True)
class Gone:
    """The reader cannot be reached any more: blocked, deleted, or a hard bounce."""

    reason: str


@dataclass(frozen=True, slots=True)
class Barred:
    """We lack the right to post there; `place` is its display name, where that is known."""

    reason: str
    place: str | None = None


@dataclass(frozen=True, slots=True)
class Rejected:
    """The service refused the message itself; never the reader's fault."""

    reason: str
    judge: str | None = None
    """Where the message was refused as spam, the recipient's domain; several domains together halt the channel."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """The request was sent and no answer came: the message may have arrived."""

    reason: str


Outcome = Sent | Deferred | Gone | Barred | Rejected | Unknown
