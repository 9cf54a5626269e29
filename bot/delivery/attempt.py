"""One attempt at a delivery: render, wait for the rate limiter, send. Whatever goes wrong comes back as a result."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from time import perf_counter

from bot.channel import Barred, Channel, Deferred, Gone, Message, Outcome, Personal, Rejected, Sent, Unknown
from bot.delivery.rate_limit import RateLimiter
from bot.delivery.rendering import Renderings
from bot.model import Cadence, Delivery, Preferences, Reason
from bot.render.preference_values import schedule_in_words
from bot.render.words import words
from bot.rules.outcomes import LONGEST_REASON, NothingToSend, Recalled, RenderFailed, Result, redact, short
from bot.runtime.text import printable
from bot.runtime.timing import Observe, Timed, ignore_timing
from bot.signing import SignedLinks, token_name

log = logging.getLogger(__name__)

LONGEST_RETRY = 24 * 3600.0
"""Seconds that a service may ask us to wait; longer waits are cut."""
OUTCOMES = (Sent, Deferred, Gone, Barred, Rejected, Unknown)


class Attempts:
    """Attempts deliveries on one channel."""

    def __init__(
        self,
        channel: Channel,
        renderings: Renderings,
        rate_limiter: RateLimiter,
        *,
        may_begin: Callable[[], bool] = lambda: True,
        links: SignedLinks | None = None,
        observe: Observe = ignore_timing,
    ) -> None:
        self._channel = channel
        self._renderings = renderings
        self._rate_limiter = rate_limiter
        self._may_begin = may_begin
        self._links = links
        self._observe = observe
        self._recallable: set[asyncio.Task[None]] = set()

    def recall(self) -> None:
        """Cancel every attempt whose message was not handed to the service yet."""
        for task in self._recallable:
            task.cancel()

    async def make(self, delivery: Delivery) -> Result:
        """Attempt one delivery, in a task of its own: cancelled before the message is handed over, it is recalled."""
        task = asyncio.current_task()
        assert task is not None
        self._recallable.add(task)
        try:
            rendered = await self._renderings.render(delivery)
            personal = self._personal(delivery, rendered.slug)
            # Last, so that nothing comes between the limiter's turn and the send and brings it closer to the next.
            may_send = self._rate_limiter.acquire
            if rendered.message is not None and await may_send(delivery.reader.to, may_pay=True):
                personal = replace(personal, paid=True)
        except asyncio.CancelledError:
            return Recalled()
        except Exception as error:  # noqa: BLE001 - whatever a template raises costs its rendering alone
            return RenderFailed(f"{Reason.NOT_RENDERED.text} ({type(error).__name__})")
        finally:
            self._recallable.discard(task)
        if rendered.message is None:
            return NothingToSend()
        try:
            if not self._may_begin():
                return Recalled()
            outcome = await self._send(delivery, rendered.message, personal)
        finally:
            self._rate_limiter.ended(paid=personal.paid)
        return NothingToSend() if rendered.is_hint and isinstance(outcome, Sent) else outcome

    async def _send(self, delivery: Delivery, message: Message, personal: Personal) -> Outcome:
        began = perf_counter()
        try:
            outcome = sanitized(await self._channel.send(delivery.reader.to, message, personal), delivery.reader.to)
        except asyncio.CancelledError:
            return Unknown("the program was stopped before the service had answered")
        except (Exception, BaseExceptionGroup) as error:  # channels should not raise; nobody knows what was sent
            event = "channel raised an error, delivery is marked unknown"
            log.exception(event, extra={"channel": self._channel.name, "delivery": delivery.id})
            return Unknown(f"the channel failed ({type(error).__name__})")
        finally:  # a context manager costs more than the rest of a send
            self._observe(Timed.SEND, self._channel.name, perf_counter() - began)
        if isinstance(outcome, Deferred) and outcome.slow_down:
            self._rate_limiter.slow_down()
        if isinstance(outcome, Deferred) and outcome.unpaid:
            self._rate_limiter.stop_paying()
        return outcome

    def _personal(self, delivery: Delivery, slug: str | None) -> Personal:
        """The parts of a message that are this reader's alone."""
        reader = token_name(delivery.reader.id, delivery.reader.subscribed_at)
        links = {} if self._links is None else self._links.of(reader, delivery.reader.preferences.language, slug)
        wanted = delivery.reader.preferences
        welcome = ""
        if delivery.reader.is_first:
            welcome = _schedule(wanted.language, wanted.cadence, wanted.hour, wanted.weekdays, wanted.timezone)
        key = f"{delivery.edition_id}.{delivery.reader.id}"
        return Personal(
            key, reader=reader, repeat=delivery.repeats, links=links, welcome=welcome, extras=delivery.reader.extras
        )


@lru_cache(maxsize=4096)
def _schedule(language: str, cadence: Cadence, hour: int, weekdays: int, timezone: str) -> str:
    """When a reader's editions come, in words; cached, since after an import everybody's edition is the first."""
    wanted = Preferences(language=language, cadence=cadence, hour=hour, weekdays=weekdays, timezone=timezone)
    return schedule_in_words(wanted, words(language))


def sanitized(outcome: object, to: str) -> Outcome:
    """An outcome that can be stored and shown, whatever the service sent: bounded, printable, without the recipient."""
    if not isinstance(outcome, OUTCOMES):
        return Unknown(f"the channel answered with {type(outcome).__name__}, which says nothing")
    if isinstance(outcome, Sent):
        receipt = None if outcome.receipt is None else _clean(outcome.receipt)
        moved_to = None if outcome.moved_to is None else _clean(outcome.moved_to)
        return outcome if receipt is outcome.receipt and moved_to is None else Sent(receipt, moved_to)
    reason = redact(_clean(outcome.reason), to)
    if isinstance(outcome, Deferred):
        return replace(outcome, reason=reason, retry_after=_seconds(outcome.retry_after))
    return replace(outcome, reason=reason)


def _clean(text: object) -> str:
    """Text that every database accepts: no control characters, no lone surrogates."""
    if isinstance(text, str) and text.isascii() and text.isprintable() and " " not in text:
        return text[:LONGEST_REASON]  # a receipt, as nearly all are
    whole = str(text).encode("utf-8", "replace").decode("utf-8")
    return short(printable(whole))


def _seconds(wait: float | None) -> float | None:
    if wait is None or math.isnan(wait) or wait <= 0:
        return None
    return min(wait, LONGEST_RETRY)
