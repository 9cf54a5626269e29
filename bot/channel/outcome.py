"""What became of sending a message. Who is to blame is said in the type, and the core draws the consequences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Sent:
    """The service took the message; `moved_to` is the recipient's new id where it told one."""

    receipt: str | None = None
    moved_to: str | None = None


@dataclass(frozen=True, slots=True)
class Deferred:
    """Later: a busy recipient, or the whole channel (flood wait, outage, our login); in `retry_after` s.

    `strike` says that the reader is to blame (a full mailbox): three editions in a row, and they are gone.
    """

    reason: str
    retry_after: float | None = None
    scope: Literal["recipient", "channel"] = "recipient"
    strike: bool = False


@dataclass(frozen=True, slots=True)
class Gone:
    """The reader cannot be reached any more."""

    reason: str


@dataclass(frozen=True, slots=True)
class Barred:
    """We have no right to post there; `place` is what people call it, where that is known."""

    reason: str
    place: str | None = None


@dataclass(frozen=True, slots=True)
class Rejected:
    """Our message is bad; never the reader's fault.

    `judge` is set where the service takes us for spam: the recipient's domain, which tells one strict judge from
    a verdict.
    """

    reason: str
    judge: str | None = None


@dataclass(frozen=True, slots=True)
class Unknown:
    """The request left and no answer came."""

    reason: str


Outcome = Sent | Deferred | Gone | Barred | Rejected | Unknown
