"""What a dispatcher's turn is while messages go out one after the other and are accepted: one trip to the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.model import Delivery
from bot.rules.outcomes import ChannelState

Place = tuple[datetime, int]
"""A place in the order in which deliveries are due: the time, and the id of one that is due then."""
Accepted = Sequence[tuple[Delivery, str | None]]
"""Deliveries that their service accepted, each with its receipt."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What one turn found."""

    state: ChannelState
    claimed: list[Delivery]
    is_plain: bool = True
    """False where something was due that must not be sent: a turn that looks at everything has to follow."""
    reached: Place | None = None
    """The last that was claimed; None on SQLite, whose index holds nothing that is not owed any more."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What one turn is to do."""

    owner: str
    accepted: Accepted
    """Are recorded, those that are still `owner`'s."""
    busy: Sequence[int]
    """The ids of deliveries that stay in flight."""
    limit: int
    """Deliveries to claim at most."""
    now: datetime
    expires: bool
    """Whether what is past its time expires; if not, it stays owed."""
    reached: Place | None = None
    """Where to go on; None to look from the beginning."""


class Turns(Protocol):
    """Takes such turns on one channel. Nothing but acceptance is recorded, and the channel's state is only read."""

    async def take(self, wanted: Wanted, shown: Mapping[str, int]) -> Turn:
        """Record, claim and load in one transaction, under the leases whose numbers are `shown`.

        Raises LostError where a lease is over, else DatabaseFault; nobody knows then what was committed.
        """
        ...

    async def close(self) -> None:
        """Give back what is kept between turns, such as a connection."""
        ...
