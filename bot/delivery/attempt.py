"""One attempt at a delivery: wait for the pace, compose, send. Whatever goes wrong comes back as a result."""

from __future__ import annotations

import asyncio
import logging
import math
from dataclasses import replace

from bot.channel import Barred, Channel, Deferred, Gone, Message, Outcome, Personal, Rejected, Sent, Unknown
from bot.delivery.rate_limit import RateLimiter
from bot.delivery.rendering import Renderings
from bot.model import Delivery
from bot.rules.outcomes import NothingToSend, Recalled, RenderFailed, Result, blot, short
from bot.runtime.text import printable
from bot.runtime.timing import Observe, Timed, timed, unobserved
from bot.signing import SignedLinks, token_name
from bot.store import Store

log = logging.getLogger(__name__)

LONGEST_RETRY = 24 * 3600.0
OUTCOMES = (Sent, Deferred, Gone, Barred, Rejected, Unknown)


class Attempts:
    """Attempts deliveries on one channel."""

    def __init__(
        self,
        store: Store,
        channel: Channel,
        *,
        rate_limiter: RateLimiter | None = None,
        writes: bool = False,
        links: SignedLinks | None = None,
        observe: Observe = unobserved,
    ) -> None:
        self._channel = channel
        self._observe = observe
        self._links = links
        self._rate_limiter = rate_limiter or RateLimiter(channel.pace)
        self._renderings = Renderings(store, channel, writes=writes, observe=observe)
        self.waits = self._renderings.waits
        self._at_home: set[asyncio.Task[None]] = set()

    def recall(self) -> None:
        """Call back every attempt whose message has not left yet."""
        for task in self._at_home:
            task.cancel()

    async def make(self, delivery: Delivery) -> Result:
        """Attempt one delivery. Runs in a task of its own; cancelled before anything has left, it is recalled."""
        task = asyncio.current_task()
        assert task is not None
        self._at_home.add(task)
        try:
            message = await self._renderings.message(delivery)
            hint = await self._renderings.hint(delivery) if message is None else None
            personal = self._personal(delivery, await self._renderings.slug(delivery))
            # Last of all: what came between its turn and its leaving would bring it closer to the next.
            if message is not None or hint is not None:
                await self._rate_limiter.acquire(delivery.to)
        except asyncio.CancelledError:
            return Recalled()
        except Exception as error:  # noqa: BLE001 - whatever a template does, it costs its variant alone
            return RenderFailed(f"cannot be composed ({type(error).__name__})")
        finally:
            self._at_home.discard(task)
        if message is not None:
            return await self._send(delivery, message, personal)
        outcome = Sent() if hint is None else await self._send(delivery, hint, personal)
        return NothingToSend() if isinstance(outcome, Sent) else outcome

    async def _send(self, delivery: Delivery, message: Message, personal: Personal) -> Outcome:
        try:
            with timed(self._observe, Timed.SEND, self._channel.name):
                return sound(await self._channel.send(delivery.to, message, personal), delivery.to)
        except asyncio.CancelledError:
            return Unknown("the program was stopped before the service had answered")
        except (Exception, BaseExceptionGroup) as error:  # it should not raise; nobody knows what it had sent
            log.exception("channel failed", extra={"channel": self._channel.name, "delivery": delivery.id})
            return Unknown(f"the channel failed ({type(error).__name__})")

    def _personal(self, delivery: Delivery, slug: str | None) -> Personal:
        """What of a message is this reader's alone."""
        reader = token_name(delivery.subscriber_id, delivery.subscribed_at)
        links = {} if self._links is None else self._links.of(reader, delivery.preferences.language, slug)
        key = f"{delivery.edition_id}.{delivery.subscriber_id}"
        return Personal(key, reader=reader, repeat=delivery.repeats, links=links, extras=delivery.extras)


def sound(outcome: object, to: str) -> Outcome:
    """An outcome that can be stored and shown, whatever a service put into it: clean, bounded, without the reader."""
    if not isinstance(outcome, OUTCOMES):
        return Unknown(f"the channel answered with {type(outcome).__name__}, which says nothing")
    if isinstance(outcome, Sent):
        receipt = None if outcome.receipt is None else _clean(outcome.receipt)
        moved_to = None if outcome.moved_to is None else _clean(outcome.moved_to)
        return Sent(receipt, moved_to)
    reason = blot(_clean(outcome.reason), to)
    if isinstance(outcome, Deferred):
        return replace(outcome, reason=reason, retry_after=_seconds(outcome.retry_after))
    return replace(outcome, reason=reason)


def _clean(text: object) -> str:
    """Text that every database takes: no control characters, no half characters."""
    whole = str(text).encode("utf-8", "replace").decode("utf-8")
    return short(printable(whole))


def _seconds(wait: float | None) -> float | None:
    if wait is None or math.isnan(wait) or wait <= 0:
        return None
    return min(wait, LONGEST_RETRY)
