"""Alerts to the operator: into the log and to the addresses in ADMINS.

`alert()` only enqueues; a background job sends.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol

from bot.channel import LoginError, Page, Personal, Sent
from bot.channel.preference import N_
from bot.delivery.session import Session
from bot.model import Address, State, channel_of
from bot.render.edition_page import notice_page
from bot.render.fit import fit
from bot.render.words import Words, own_name, words
from bot.runtime.logs import logged_account

log = logging.getLogger(__name__)

MOST = 100
"""Alerts in the queue; when it is full, further ones are in the log alone."""
ABOUT_A_CHANNEL = {"channel not listening", "channel halted", "login refused"}
"""Alerts about a channel that may not be able to carry them: they go out on others that
this process works with, where admins have an address."""
SEND_SECONDS = 30.0
"""Seconds after which sending one alert is given up."""


@dataclass(frozen=True, slots=True)
class Setter:
    """The person who subscribed a group or channel, their language, and the display name of the place."""

    address: Address
    language: str
    place: str


class Alert(Protocol):
    """How any part of the program raises an alert."""

    def __call__(
        self, event: str, now: datetime, *, level: int = logging.INFO, setter: Setter | None = None, **fields: object
    ) -> None:
        """Log `event` with `fields` and alert the operator; `setter` is told as well."""


class Alerts:
    """The alert queue. `alert` may be called from anywhere on the event loop."""

    def __init__(self, sessions: Sequence[Session], admins: Sequence[Address], language: str) -> None:
        self._sessions = sessions
        self._admins = admins
        self._words = words(language)
        self._waiting: asyncio.Queue[tuple[Page, Sequence[Address]]] = asyncio.Queue(MOST)

    def alert(
        self, event: str, now: datetime, *, level: int = logging.INFO, setter: Setter | None = None, **fields: object
    ) -> None:
        """Log `event` and enqueue it for the admins, and for the `setter` of the place that it is about."""
        log.log(level, event, extra=fields)
        deaf = fields.get("channel") if event in ABOUT_A_CHANNEL else None
        elsewhere = [admin for admin in self._admins if any(each.channel.name != deaf for each in self._of(admin))]
        self._enqueue(text(event, fields, self._words), self._words, now, elsewhere or self._admins)
        if setter is not None:
            w = words(setter.language)
            self._enqueue(_to_setter(setter, w), w, now, [setter.address])

    def _enqueue(self, message: str, w: Words, now: datetime, to: Sequence[Address]) -> None:
        if to and not self._waiting.full():
            self._waiting.put_nowait((notice_page(message, w, now), to))

    async def run(self) -> None:
        """Send alerts until cancelled."""
        while True:
            await self._send(*await self._waiting.get())

    async def flush(self) -> None:
        """Send what is in the queue."""
        while not self._waiting.empty():
            await self._send(*self._waiting.get_nowait())

    async def _send(self, page: Page, to: Sequence[Address]) -> None:
        for each in to:
            for session in self._of(each):  # none is said by `papers doctor`
                with logged_account(session.account):
                    is_sent = await _is_sent(page, each, session)
                if is_sent:
                    break

    def _of(self, address: Address) -> Sequence[Session]:
        """The accounts that may reach an address, the likeliest first: we do not know which bots an admin started."""
        theirs = [each for each in self._sessions if channel_of(each.channel.name) == address.channel]
        return sorted(theirs, key=lambda each: each.channel.name != address.via)


async def _is_sent(page: Page, to: Address, session: Session) -> bool:
    """Try to send an alert by one account; whatever fails is logged."""
    name = session.channel.name
    try:
        async with asyncio.timeout(SEND_SECONDS):
            channel = await session.open()
            await session.rate_limiter.acquire(to.recipient, urgent=True)
            message = fit(page, channel.compose, channel.limits).message
            outcome = await channel.send(to.recipient, message, Personal(key=uuid.uuid4().hex))
    except LoginError:
        return False  # logged already where the channel is used
    except Exception:
        log.exception("alert failed, it is in the log only", extra={"channel": name})
        return False
    if not isinstance(outcome, Sent):
        log.warning("alert not sent", extra={"channel": name, "outcome": str(outcome)})
    return isinstance(outcome, Sent)


def log_alert(
    event: str,
    now: datetime,  # noqa: ARG001 - the log has its own clock
    *,
    level: int = logging.INFO,
    setter: Setter | None = None,  # noqa: ARG001 - only the operator reads the log
    **fields: object,
) -> None:
    """An `Alert` that only logs."""
    log.log(level, event, extra=fields)


def _to_setter(setter: Setter, w: Words) -> str:
    return w.gettext("alerts.place_barred_to_owner", place=setter.place)


SENTENCES = {
    "edition published": N_("alerts.edition_closed"),
    "edition finished": N_("alerts.edition_ended"),
    "announcement published": N_("alerts.announcement_started"),
    "announcement finished": N_("alerts.announcement_ended"),
    "channel not listening": N_("alerts.not_listening"),
    "channel listens again": N_("alerts.listens_again"),
    "channel halted": N_("alerts.channel_halted"),
    "channel resumed": N_("alerts.channel_resumed"),
    "chat paused, no right to post": N_("alerts.place_barred"),
    "login refused": N_("alerts.login_refused"),
    "most texts of a language are rejected": N_("alerts.texts_rejected"),
    "no edition, the feed lists no papers": N_("alerts.no_edition_empty"),
    "the list of a day cannot be read, closing goes on without it": N_("alerts.list_unreadable"),
    "clocks differ, nothing expires until they agree": N_("alerts.clocks_differ"),
    "the clock of this machine is wrong, those outside are used": N_("alerts.clock_wrong"),
    "clocks agree again": N_("alerts.clocks_agree"),
    "no edition, the feed is unreachable": N_("alerts.no_edition_unreachable"),
}
"""What the operator is told of each event; of another one, its name."""


def text(event: str, fields: Mapping[str, Any], w: Words) -> str:
    """An alert as one or two sentences for a person."""
    if event not in SENTENCES:
        return event
    filled = dict(fields)
    if "day" in fields:
        filled["day"] = w.day(date.fromisoformat(fields["day"]))
    if "language" in fields:
        filled["language"] = own_name(fields["language"])
    if "deliveries" in fields:
        filled["became"] = states_in_words(fields["deliveries"], w)
    return w.gettext(SENTENCES[event], **filled)


def states_in_words(became: Mapping[str, int], w: Words) -> str:
    """Counts of an edition's deliveries by state, as one line."""
    return " · ".join(
        w.gettext("alerts.state_count", state=_state(State(state), w), n=w.number(count))
        for state, count in became.items()
    )


def _state(state: State, w: Words) -> str:
    words = {
        State.OWED: w.gettext("delivery_state.owed"),
        State.SENDING: w.gettext("delivery_state.sending"),
        State.SENT: w.gettext("delivery_state.sent"),
        State.GONE: w.gettext("delivery_state.gone"),
        State.BARRED: w.gettext("delivery_state.barred"),
        State.REJECTED: w.gettext("delivery_state.rejected"),
        State.EXPIRED: w.gettext("delivery_state.expired"),
        State.SKIPPED: w.gettext("delivery_state.skipped"),
        State.UNKNOWN: w.gettext("delivery_state.unknown"),
    }
    return words[state]
