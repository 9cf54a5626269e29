"""Notices: what the operator has to know, into the log and to the addresses in ADMINS.

Telling costs nothing and waits for nobody; a part of its own carries notices out.
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
from bot.delivery.session import Session
from bot.model import Address, State
from bot.render.edition_page import notice_page
from bot.render.fit import fit
from bot.render.words import Words, words

log = logging.getLogger(__name__)

MOST = 100
"""So many notices wait to be carried out; what comes on top is in the log alone."""
SEND_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Setter:
    """Who set up a place that many share, the language to tell them in, and what people call the place."""

    address: Address
    language: str
    place: str


class Alert(Protocol):
    """How a part of the program gives notice of something."""

    def __call__(
        self,
        event: str,
        now: datetime,
        *,
        level: int = logging.INFO,
        setter: Setter | None = None,
        **fields: object,
    ) -> None:
        """Say what happened; `setter` is to know it beside the operator."""
        ...


class Alerts:
    """Tells the operator. `alert` may be called from anywhere on the event loop."""

    def __init__(self, sessions: Sequence[Session], admins: Sequence[Address], language: str) -> None:
        self._sessions = {session.channel.name: session for session in sessions}
        self._admins = admins
        self._words = words(language)
        self._waiting: asyncio.Queue[tuple[Page, Sequence[Address]]] = asyncio.Queue(MOST)

    def alert(
        self,
        event: str,
        now: datetime,
        *,
        level: int = logging.INFO,
        setter: Setter | None = None,
        **fields: object,
    ) -> None:
        """Write a notice into the log and put it down for the admins, and for who set up the place that it is about."""
        log.log(level, event, extra=fields)
        self._put_down(text(event, fields, self._words), self._words, now, self._admins)
        if setter is not None:
            w = words(setter.language)
            self._put_down(_to_setter(setter, w), w, now, [setter.address])

    def _put_down(self, says: str, w: Words, now: datetime, to: Sequence[Address]) -> None:
        if to and not self._waiting.full():
            self._waiting.put_nowait((notice_page(says, w, now), to))

    async def run(self) -> None:
        """Carry notices out for ever."""
        while True:
            await self._send(*await self._waiting.get())

    async def flush(self) -> None:
        """Carry out what is waiting."""
        while not self._waiting.empty():
            await self._send(*self._waiting.get_nowait())

    async def _send(self, page: Page, to: Sequence[Address]) -> None:
        for each in to:
            session = self._sessions.get(each.channel)
            if session is None:
                continue  # `papers doctor` says so
            try:
                async with asyncio.timeout(SEND_SECONDS):
                    channel = await session.open()
                    await session.rate_limiter.acquire(each.recipient, urgent=True)
                    message = fit(page, channel.compose, channel.limits).message
                    outcome = await channel.send(each.recipient, message, Personal(key=uuid.uuid4().hex))
            except LoginError:
                continue  # said already, by whoever wanted to send or listen
            except Exception:
                log.exception("notice failed", extra={"channel": each.channel})
            else:
                if not isinstance(outcome, Sent):
                    log.warning("notice not sent", extra={"channel": each.channel, "outcome": str(outcome)})


def into_log(
    event: str,
    now: datetime,  # noqa: ARG001 - the log has a clock of its own
    *,
    level: int = logging.INFO,
    setter: Setter | None = None,  # noqa: ARG001 - nobody beside the operator reads a log
    **fields: object,
) -> None:
    """What `alert` does where nobody is to be told."""
    log.log(level, event, extra=fields)


def _to_setter(setter: Setter, w: Words) -> str:
    return w.gettext(
        "Editions cannot be posted in {place} any more: the right to post there is missing. "
        "Give it back, and editions come again.",
        place=setter.place,
    )


def text(event: str, fields: Mapping[str, Any], w: Words) -> str:
    """A notice as one or two sentences for a person."""
    fields = dict(fields) | {"day": w.day(date.fromisoformat(fields["day"])) if "day" in fields else ""}
    match event:
        case "edition starts":
            return w.gettext("The edition of {day} is closed. Papers: {papers}. Readers: {audience}.", **fields)
        case "edition ends":
            became = states_in_words(fields["became"], w)
            return w.gettext("The edition of {day} has been dealt with. {became}", day=fields["day"], became=became)
        case "announcement starts":
            return w.gettext("An announcement is on its way. Readers: {audience}.", **fields)
        case "announcement ends":
            became = states_in_words(fields["became"], w)
            return w.gettext(
                "The announcement of {day} has been dealt with. {became}", day=fields["day"], became=became
            )
        case "channel halted":
            return w.gettext(
                "The channel {channel} has halted, because its service refuses what we send: {reason}. "
                "One delivery is tried every 30 minutes; “papers resume {channel}” starts it again.",
                **fields,
            )
        case "channel resumed":
            return w.gettext("The channel {channel} delivers again.", **fields)
        case "no right to post":
            return w.gettext(
                "A place that {channel} delivers to does not let us post, and is paused until it does: {reason}.",
                **fields,
            )
        case "login refused":
            return w.gettext("The channel {channel} is not let in by its service and stays away: {reason}", **fields)
        case "no papers listed":
            return w.gettext("There is no edition of {day}: the feed lists no papers of that day.", **fields)
        case "feed out of reach":
            return w.gettext("There is no edition of {day}: the feed has been out of reach since.", **fields)
        case _:
            return event


def states_in_words(became: Mapping[str, int], w: Words) -> str:
    """What became of an edition's deliveries: how many stand how."""
    return " · ".join(
        w.gettext("{state}: {n}", state=_state(State(state), w), n=w.number(count)) for state, count in became.items()
    )


def _state(state: State, w: Words) -> str:
    words = {
        State.OWED: w.pgettext("what became of a delivery", "still owed"),
        State.SENDING: w.pgettext("what became of a delivery", "being sent"),
        State.SENT: w.pgettext("what became of a delivery", "sent"),
        State.GONE: w.pgettext("what became of a delivery", "reader gone"),
        State.BARRED: w.pgettext("what became of a delivery", "no right to post"),
        State.REJECTED: w.pgettext("what became of a delivery", "rejected"),
        State.EXPIRED: w.pgettext("what became of a delivery", "expired"),
        State.SKIPPED: w.pgettext("what became of a delivery", "skipped"),
        State.UNKNOWN: w.pgettext("what became of a delivery", "end unknown"),
    }
    return words[state]
