"""A rush: messages go out one after the other and are accepted, so that a turn need not look at anything else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.channel import Sent
from bot.model import Delivery
from bot.rules.outcomes import ChannelState, Result
from bot.store.turns import Place, Turn

LONGEST = timedelta(seconds=30)
"""How long it goes on without a turn that stores the counts of answers and looks for deliveries to repeat."""


@dataclass(slots=True)
class Rush:
    """A dispatcher's state between two full turns, while every message is accepted."""

    state: ChannelState | None = None
    """The channel's state as it was read last; None while there is no rush."""
    since: datetime | None = None
    uncounted: list[Delivery] = field(default_factory=list)
    """Accepted and recorded, and not yet counted in the channel's state. If the process dies, so do the counts."""

    reached: Place | None = None
    """Up to where it has claimed. What others put before that waits until the rush is over."""
    looks_next: bool = False
    """Whether the next turn has to look at everything."""

    def goes_on(self, results: Iterable[tuple[Delivery, Result]], now: datetime) -> bool:
        """Whether the next turn may be one of a rush: nothing waits, nothing failed, nobody moved."""
        state = self.state
        if state is None or self.looks_next or self.since is None or not self.since <= now < self.since + LONGEST:
            return False
        if state.failures or state.rejected_in_a_row or state.halted_at is not None:
            return False
        if state.waits_until is not None and now < state.waits_until:
            return False
        return all(isinstance(result, Sent) and result.moved_to is None for _, result in results)

    def begin(self, state: ChannelState | None, now: datetime) -> None:
        """Begin where the channel was found in this state, and something to claim; with None, end."""
        self.state, self.since, self.reached = state, now, None

    def looked(self, state: ChannelState | None, now: datetime, *, counted: int) -> None:
        """Note a turn that looked at everything and `counted` answers; `state` is None where it claimed nothing."""
        self.begin(state, now)
        self.looks_next = False
        del self.uncounted[:counted]

    def took(self, turn: Turn, recorded: Sequence[Delivery], limit: int) -> None:
        """Note a turn of the rush, which `recorded` these; it ends with the turn that claims less than its limit."""
        self.looks_next, self.reached = not turn.is_plain, turn.reached
        self.state = turn.state if turn.is_plain and len(turn.claimed) >= limit else None
        self.uncounted += recorded
