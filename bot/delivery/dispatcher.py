"""The dispatcher: claims due deliveries of one channel, sends them and records the outcomes.

A send keeps its slot from the commit of `sending` to the commit of its outcome, so a crash never leaves more
deliveries in doubt than the channel's concurrency. Outcomes that wait at the same moment share one commit.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.channel import Channel, Deferred, Rejected, Sent
from bot.delivery.alerts import Alert, Setter, log_alert
from bot.delivery.answers import count_accepted, count_answer, held_back
from bot.delivery.attempt import Attempts
from bot.delivery.rate_limit import RateLimiter
from bot.delivery.rendering import FindRecording, Renderings
from bot.delivery.subscriber_changes import change_subscriber, end_after_strikes
from bot.model import Delivery, State
from bot.rules.outcomes import (
    ChannelState,
    Consequence,
    RenderFailed,
    Result,
    changes_only_counts,
    consequence,
    in_time,
    next_channel_state,
    postpone_until,
    repeat_at,
)
from bot.runtime.locks import OWNER, Locks
from bot.runtime.timing import Observe, ignore_timing
from bot.signing import SignedLinks
from bot.store import (
    Store,
    channel_state,
    claiming,
    fallbacks,
    recording,
    unconfirmed,
)

log = logging.getLogger(__name__)

SWEEP = timedelta(seconds=5)
"""Time between two searches for deliveries whose process died or that may be sent again."""
SUMMARY = timedelta(seconds=1)
"""Time between two log lines about how deliveries ended, in a rush."""
EXPECTED = {State.SKIPPED, State.OWED}  # states that are no warning


@dataclass(slots=True)
class _Ended:
    """One attempt that came back, what follows from it, and what to report once that is committed."""

    delivery: Delivery
    result: Result
    follows: Consequence
    is_barred: bool = False
    setter: Setter | None = None
    """Who set the chat up that does not let us post, if known."""
    fell_back: bool = False
    """Whether this rejection made the rendering fall back."""


class Dispatcher:
    """Delivers on one channel. `step` does one turn; sends go on in the background and set `attempt_ended`."""

    def __init__(
        self,
        store: Store,
        channel: Channel,
        locks: Locks,
        *,
        rate_limiter: RateLimiter | None = None,
        alert: Alert = log_alert,
        writes: bool = False,
        links: SignedLinks | None = None,
        observe: Observe = ignore_timing,
        may_expire: Callable[[], bool] = lambda: True,
        find_recording: FindRecording | None = None,
    ) -> None:
        """`writes`: a model writes texts, which deliveries wait for. While `may_expire` says no, nothing expires.

        `find_recording` finds editions that are read aloud.
        """
        self.channel = channel
        self.owner = uuid.uuid4().hex
        self.attempt_ended = asyncio.Event()
        self._alert = alert
        self._may_expire = may_expire
        self._store = store
        self._locks = locks
        self._renderings = Renderings(store, channel, writes=writes, observe=observe, find_recording=find_recording)
        self._attempts = Attempts(
            channel, self._renderings, rate_limiter or RateLimiter(channel.pace), links=links, observe=observe
        )
        self._in_flight: dict[int, asyncio.Task[None]] = {}
        self._results: list[tuple[Delivery, Result]] = []
        self._recording: list[tuple[Delivery, Result]] = []
        """The results that the current turn writes down."""
        self._in_doubt = False
        """Whether the last turn failed, so that nobody knows if its transaction was committed."""
        self._unreported: Counter[str] = Counter()
        """States of deliveries that ended since the last summary in the log."""
        self._reported_at: datetime | None = None
        self._swept_at: datetime | None = None
        self._repeats_sought_at: datetime | None = None

    @property
    def busy(self) -> bool:
        """Whether any send is in flight or not yet recorded."""
        return bool(self._in_flight or self._results or self._recording)

    @property
    def roles(self) -> list[str]:
        """The locks that delivering on this channel needs."""
        exclusive = [f"deliver:{self.channel.name}"] if self.channel.pace.exclusive else []
        return [*exclusive, f"{OWNER}{self.owner}"]

    async def step(self, now: datetime, *, claim: bool = True, await_texts: bool = True) -> bool:
        """Record what came back, then (with `claim`) claim what is due for the free slots and start sending it.

        Without `await_texts` no delivery waits for a model: there may be no next step. Returns whether there was
        anything to do. The caller holds the locks of `roles`.
        """
        doubted = await self._sweep(now) if claim else 0
        self.attempt_ended.clear()
        turn = asyncio.ensure_future(self._turn(now, claim=claim, await_texts=await_texts))
        try:
            claimed = await asyncio.shield(turn)
        except BaseException:
            # A transaction cut off in the middle would keep SQLite locked: let it finish first.
            await asyncio.wait([turn])
            if turn.cancelled() or turn.exception() is not None:
                self._results[:0] = self._recording  # perhaps not recorded: the next turn does it again
            self._in_doubt = True  # what was claimed will not be started
            raise
        finally:
            self._recording = []
        self._in_doubt = False
        for delivery in claimed or ():
            task = asyncio.create_task(self._attempt(delivery), name=f"{self.channel.name} {delivery.id}")
            self._in_flight[delivery.id] = task
        return bool(doubted) or claimed is not None

    async def finish(self, now: datetime, *, patience: float) -> None:
        """Stop: recall what was not handed over yet, wait `patience` seconds for the rest, record everything."""
        self._attempts.recall()
        if self._in_flight:
            await asyncio.wait(self._in_flight.values(), timeout=patience)
        for task in self._in_flight.values():
            task.cancel()
        await asyncio.gather(*self._in_flight.values(), return_exceptions=True)
        await self.step(now, claim=False)

    async def _turn(self, now: datetime, *, claim: bool, await_texts: bool) -> list[Delivery] | None:
        """One transaction: record, requeue what may be repeated, claim. None where there was nothing to do."""
        free = self.channel.pace.concurrency - len(self._in_flight) if claim else 0
        if not (self._results or self._in_doubt or (free > 0 and await self._is_due(now, free))):
            return None
        name = self.channel.name
        async with self._store.write() as connection:
            if self._in_doubt:  # what was claimed then was never started
                ours = [*self._in_flight, *(delivery.id for delivery, _ in self._results)]
                await claiming.release(connection, name, owner=self.owner, but=ours)
            before = await channel_state.load(connection, name, lock=True)
            results = self._take_results()
            free = self.channel.pace.concurrency - len(self._in_flight) if claim else 0
            state, ended = await self._record(connection, before, results, now)
            if claim and self.channel.repeats_unknown and self._seeks_repeats(results, now):
                for delivery in await unconfirmed.repeatable(connection, name, now=now):
                    await unconfirmed.repeat(connection, delivery, repeat_at(delivery, now))
            limit = state.may_claim(now, free, len(self._in_flight))
            claimed = await self._claim(connection, state, now, limit, await_texts=await_texts)
            if claimed:
                state = state.after_claim(now)
            elif free > 0 and limit == 0 and self._may_expire():  # the channel is waiting or halted, not merely busy
                await claiming.expire(connection, name, now=now)
            if state != before:
                await channel_state.save(connection, name, state)
        self._report_ended(ended, now, at_once=not claimed)
        self._report_state(before, state, now)
        return claimed

    def _take_results(self) -> Sequence[tuple[Delivery, Result]]:
        """What has come back, also while the transaction was being opened: recording more costs no more."""
        self._recording, self._results = self._results, []
        self.attempt_ended.clear()
        return self._recording

    def _seeks_repeats(self, results: Sequence[tuple[Delivery, Result]], now: datetime) -> bool:
        """Whether to look for deliveries to repeat: whenever there is time, in a rush every few seconds."""
        if results and self._repeats_sought_at is not None and now < self._repeats_sought_at + SWEEP:
            return False
        self._repeats_sought_at = now
        return True

    async def _claim(
        self, connection: AsyncConnection, state: ChannelState, now: datetime, limit: int, *, await_texts: bool
    ) -> list[Delivery]:
        """Claim what is due, but postpone what would wake its reader or whose texts are still being written."""
        name, expires = self.channel.name, self._may_expire()
        claimed = await claiming.claim(connection, name, owner=self.owner, now=now, limit=limit, expires=expires)
        later = held_back(self.channel, state, claimed, now)
        later |= {delivery.id: at for delivery in claimed if (at := postpone_until(delivery, now)) is not None}
        for delivery in claimed if await_texts else ():
            if (at := await self._renderings.texts_pending_until(connection, delivery, now)) is not None:
                later.setdefault(delivery.id, at)
        if later:
            await claiming.postpone(connection, later, owner=self.owner, expires=expires)
        return [delivery for delivery in claimed if delivery.id not in later]

    async def _is_due(self, now: datetime, free: int) -> bool:
        async with self._store.read() as connection:
            state = await channel_state.load(connection, self.channel.name)
            if not state.may_claim(now, free, len(self._in_flight)):
                return False
            at = await claiming.next_due(connection, self.channel.name, after=None if self._may_expire() else now)
            if at is not None and at <= now:
                return True
            return self.channel.repeats_unknown and await unconfirmed.any_repeatable(
                connection, self.channel.name, now=now
            )

    async def _sweep(self, now: datetime) -> int:
        """Mark as unknown what dead processes had in flight. Owners are listed before their locks are tried."""
        if self._swept_at is not None and self._swept_at <= now < self._swept_at + SWEEP:
            return 0
        async with self._store.read() as connection:
            owners = await unconfirmed.owners_in_flight(connection, self.channel.name)
        doubted = 0
        for owner in owners - {self.owner}:
            if await self._locks.is_free(f"{OWNER}{owner}", at_once=self.channel.pace.exclusive):
                async with self._store.write() as connection:
                    doubted += await unconfirmed.mark_unknown(connection, self.channel.name, owner, now=now)
        self._swept_at = now
        if doubted:
            event = "sending process died, its deliveries are marked unknown"
            log.warning(event, extra={"channel": self.channel.name, "count": doubted})
        return doubted

    async def _attempt(self, delivery: Delivery) -> None:
        """Attempt one delivery; its result waits to be recorded."""
        try:
            result = await self._attempts.make(delivery)
            self._results.append((delivery, result))
        finally:
            # Not in a done callback: that runs a round of the loop later, when the next turn still finds all slots
            # taken; half of all turns claimed nothing.
            self._in_flight.pop(delivery.id, None)
        self.attempt_ended.set()

    async def _record(
        self,
        connection: AsyncConnection,
        state: ChannelState,
        results: Sequence[tuple[Delivery, Result]],
        now: datetime,
    ) -> tuple[ChannelState, list[_Ended]]:
        """Write down what follows from results; the channel's state then, and what to report after the commit."""
        name, sure = self.channel.name, self._may_expire()
        ended = [_Ended(each, result, consequence(in_time(each, sure), result, now)) for each, result in results]
        for each in ended:
            if each.follows.status is not None or each.follows.moved_to is not None:
                change = await change_subscriber(
                    connection, each.delivery, each.result, each.follows, channel=name, now=now
                )
                each.is_barred, each.setter = change
        endings = {each.delivery.id: each.follows for each in ended}
        await recording.record(connection, endings, owner=self.owner, now=now)
        accepted = 0  # in a row, counted together
        for each in ended:
            delivery, result, bad_renderings = each.delivery, each.result, 0
            del endings[delivery.id]  # what is left is counted later
            if isinstance(result, Sent) and changes_only_counts(state):
                accepted += 1
                continue
            state, accepted = count_accepted(state, accepted, now), 0
            # A service's verdict counts once per reader; a page that we cannot render counts with every attempt.
            counts = isinstance(result, RenderFailed) or (isinstance(result, Rejected) and not delivery.rejections)
            if counts and not delivery.fell_back and await fallbacks.count_rejection(connection, delivery.id):
                each.fell_back = True
                bad_renderings = await fallbacks.count_fallen_back(connection, name, delivery.edition_id)
            state = await count_answer(connection, self.channel, state, delivery, result, now=now, later=endings)
            state = next_channel_state(state, delivery, result, now, bad_renderings=bad_renderings)
            if isinstance(result, Deferred) and result.strike:
                await end_after_strikes(connection, delivery, result.reason, now)
        return count_accepted(state, accepted, now), ended

    def _report_ended(self, ended: Sequence[_Ended], now: datetime, *, at_once: bool) -> None:
        """Log how deliveries ended: those that went well in a summary, since a line costs more than the rest of a send.

        The summary comes `at_once` where nothing follows, in a rush once a second: a line per turn costs a tenth of it.
        """
        for each in ended:
            state, reason = each.follows.state, each.follows.reason
            self._unreported[state.value] += 1
            if state is State.SENT and not log.isEnabledFor(logging.DEBUG):
                continue
            fields: dict[str, object] = {"channel": self.channel.name, "subscriber": each.delivery.subscriber_id}
            if each.is_barred:
                event = "chat paused, no right to post"
                self._alert(event, now, level=logging.WARNING, setter=each.setter, reason=reason, **fields)
            level = logging.DEBUG if state is State.SENT else logging.INFO if state in EXPECTED else logging.WARNING
            log.log(level, "delivery ended", extra={**fields, "state": state.value, "reason": reason})
            if each.fell_back:
                is_note = each.delivery.is_note
                event = "announcement rejected" if is_note else "rendering rejected, falls back to headline"
                log.error(event, extra={**fields, "edition": each.delivery.edition_id, "reason": reason})
        if self._unreported and (at_once or self._reported_at is None or now >= self._reported_at + SUMMARY):
            log.info("deliveries ended", extra={"channel": self.channel.name, **self._unreported})
            self._unreported.clear()
            self._reported_at = now

    def _report_state(self, before: ChannelState, after: ChannelState, now: datetime) -> None:
        """Alert when the channel halts or resumes, and log when it starts to wait."""
        if after.halted_at and not before.halted_at:
            self._alert("channel halted", now, level=logging.ERROR, channel=self.channel.name, reason=after.halted_for)
        if before.halted_at and not after.halted_at:
            self._alert("channel resumed", now, channel=self.channel.name)
        if after.waits_until and after.waits_until != before.waits_until:
            until = after.waits_until.isoformat(timespec="seconds")
            log.warning("channel waits", extra={"channel": self.channel.name, "until": until, "for": after.waits_for})
        if after.counts.waiting - before.counts.waiting:
            log.warning("a domain waits", extra={"channel": self.channel.name, "counts": after.counts.in_words(now)})
