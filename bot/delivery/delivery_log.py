"""How deliveries ended and how their channel fares, for the log and the operator."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.channel import Sent
from bot.delivery.alerts import Alert, Setter
from bot.model import Delivery, State
from bot.rules.outcomes import ChannelState, Consequence, Result

log = logging.getLogger(__name__)

SUMMARY = timedelta(seconds=1)
"""Time between two log lines about how deliveries ended, in a rush."""
EXPECTED = {State.SKIPPED, State.OWED}  # states that are no warning


@dataclass(slots=True)
class Ended:
    """One attempt that came back, what follows from it, and what to report once that is committed."""

    delivery: Delivery
    result: Result
    follows: Consequence
    is_barred: bool = False
    setter: Setter | None = None
    """Who set the chat up that does not let us post, if known."""
    fell_back: bool = False
    """Whether this rejection made the rendering fall back."""


class DeliveryLog:
    """Reports on one channel, once what happened is committed."""

    def __init__(self, channel: str, alert: Alert) -> None:
        self._channel, self._alert = channel, alert
        self._unreported: Counter[str] = Counter()
        """States of deliveries that ended since the last summary in the log."""
        self._reported_at: datetime | None = None

    def ended(self, ended: Sequence[Ended], now: datetime, *, at_once: bool) -> None:
        """Log how deliveries ended: those that went well in a summary, since a line costs more than the rest of a send.

        The summary comes `at_once` where nothing follows, in a rush once a second: a line per turn costs a tenth of it.
        """
        for each in ended:
            state, reason = each.follows.state, each.follows.reason
            self._unreported[state.value] += 1
            if state is State.SENT and not log.isEnabledFor(logging.DEBUG):
                continue
            fields: dict[str, object] = {"channel": self._channel, "subscriber": each.delivery.reader.id}
            if each.is_barred:
                event = "chat paused, no right to post"
                self._alert(event, now, level=logging.WARNING, setter=each.setter, reason=reason, **fields)
            level = logging.DEBUG if state is State.SENT else logging.INFO if state in EXPECTED else logging.WARNING
            log.log(level, "delivery ended", extra={**fields, "state": state.value, "reason": reason})
            if each.fell_back:
                is_note = each.delivery.is_note
                event = "announcement rejected" if is_note else "rendering rejected, falls back to headline"
                log.error(event, extra={**fields, "edition": each.delivery.edition_id, "reason": reason})
        self._summarize(now, at_once=at_once)

    def accepted(self, accepted: Sequence[Delivery], now: datetime, *, at_once: bool) -> None:
        """The same for messages that were all accepted."""
        if log.isEnabledFor(logging.DEBUG):
            self.ended([Ended(each, Sent(), Consequence(State.SENT)) for each in accepted], now, at_once=at_once)
            return
        if accepted:
            self._unreported[State.SENT.value] += len(accepted)
        self._summarize(now, at_once=at_once)

    def _summarize(self, now: datetime, *, at_once: bool) -> None:
        if self._unreported and (at_once or self._reported_at is None or now >= self._reported_at + SUMMARY):
            log.info("deliveries ended", extra={"channel": self._channel, **self._unreported})
            self._unreported.clear()
            self._reported_at = now

    def state(self, before: ChannelState, after: ChannelState, now: datetime) -> None:
        """Alert when the channel halts or resumes, and log when it starts to wait."""
        if after.halted_at and not before.halted_at:
            self._alert("channel halted", now, level=logging.ERROR, channel=self._channel, reason=after.halted_for)
        if before.halted_at and not after.halted_at:
            self._alert("channel resumed", now, channel=self._channel)
        if after.waits_until and after.waits_until != before.waits_until:
            until = after.waits_until.isoformat(timespec="seconds")
            log.warning("channel waits", extra={"channel": self._channel, "until": until, "for": after.waits_for})
        if after.counts.waiting - before.counts.waiting:
            log.warning("a domain waits", extra={"channel": self._channel, "counts": after.counts.in_words(now)})
