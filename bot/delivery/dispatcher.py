"""The dispatcher hands out what is due on one channel: claim, compose, send, record.

A send keeps its slot from the commit of `sending` to the commit of its outcome, so that what is in doubt after a
crash is never more than the channel's concurrency. Outcomes that wait at the same moment share one commit.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.channel import Barred, Channel, Deferred, Gone, Rejected
from bot.delivery.alerts import Alert, Setter, into_log
from bot.delivery.attempt import Attempts
from bot.delivery.rate_limit import RateLimiter
from bot.model import Delivery, Reason, State, Status
from bot.rules.outcomes import STRIKES, ChannelState, RenderFailed, Result, consequence, put_off, repeat_at, stand
from bot.runtime.locks import OWNER, Locks
from bot.runtime.timing import Observe, unobserved
from bot.signing import SignedLinks
from bot.store import (
    Store,
    channel_state,
    claiming,
    fallbacks,
    pending_deliveries,
    reader_history,
    shared_places,
    subscriber_queries,
)

log = logging.getLogger(__name__)

SWEEP = timedelta(seconds=5)
"""How often to look for deliveries whose sender is gone."""
SUMMARY = timedelta(seconds=1)
"""How often to say in a rush how deliveries ended."""

Landed = tuple[Delivery, Result]


class Dispatcher:
    """Delivers on one channel. `step` does one turn; what it starts lands on its own and sets `landed`."""

    def __init__(
        self,
        store: Store,
        channel: Channel,
        locks: Locks,
        *,
        rate_limiter: RateLimiter | None = None,
        alert: Alert = into_log,
        writes: bool = False,
        links: SignedLinks | None = None,
        observe: Observe = unobserved,
    ) -> None:
        self._alert = alert
        self.channel = channel
        self.owner = uuid.uuid4().hex
        self.landed = asyncio.Event()
        self._store = store
        self._locks = locks
        self._attempts = Attempts(
            store, channel, rate_limiter=rate_limiter, writes=writes, links=links, observe=observe
        )
        self._flying: dict[int, asyncio.Task[None]] = {}
        self._results: list[Landed] = []
        self._taken: list[Landed] = []
        """What the present turn writes down."""
        self._in_doubt = False
        """Whether the last turn failed, and nobody knows if its transaction was committed."""
        self._landed_so: Counter[str] = Counter()
        """How deliveries ended that nothing was said about yet."""
        self._summed_up_at: datetime | None = None
        self._swept_at: datetime | None = None
        self._doubts_sought_at: datetime | None = None

    @property
    def busy(self) -> bool:
        """Whether any send is in flight or not yet written down."""
        return bool(self._flying or self._results or self._taken)

    async def step(self, now: datetime, *, claim: bool = True, hurried: bool = False) -> bool:
        """Write down what came back, then (with `claim`) take what is due into the free slots and start it.

        `hurried` waits for nobody's words: there may be no next step. True where there was anything to do. The caller
        holds the locks of `roles`.
        """
        doubted = await self._sweep(now) if claim else 0
        self.landed.clear()
        acquire = asyncio.ensure_future(self._turn(now, claim=claim, hurried=hurried))
        try:
            claimed = await asyncio.shield(acquire)
        except BaseException:
            # A transaction that is cut off in the middle would keep SQLite locked: it comes to its end first.
            await asyncio.wait([acquire])
            if acquire.cancelled() or acquire.exception() is not None:
                self._results[:0] = self._taken  # perhaps not written down: the next turn does it again
            self._in_doubt = True  # what was claimed will not be started
            raise
        finally:
            self._taken = []
        self._in_doubt = False
        for delivery in claimed or ():
            task = asyncio.create_task(self._deliver(delivery), name=f"{self.channel.name} {delivery.id}")
            self._flying[delivery.id] = task
        return bool(doubted) or claimed is not None

    async def finish(self, now: datetime, *, patience: float) -> None:
        """Stop: call back what has not left yet, wait up to `patience` seconds for the rest, write everything down."""
        self._attempts.recall()
        if self._flying:
            await asyncio.wait(self._flying.values(), timeout=patience)
        for task in self._flying.values():
            task.cancel()
        await asyncio.gather(*self._flying.values(), return_exceptions=True)
        await self.step(now, claim=False)

    @property
    def roles(self) -> list[str]:
        """The locks that delivering on this channel needs."""
        alone = [f"deliver:{self.channel.name}"] if self.channel.pace.exclusive else []
        return [*alone, f"{OWNER}{self.owner}"]

    async def _turn(self, now: datetime, *, claim: bool, hurried: bool) -> list[Delivery] | None:
        """One transaction: record, send again what may be lost, claim. None where there was nothing to do."""
        free = self.channel.pace.concurrency - len(self._flying) if claim else 0
        if not (self._results or self._in_doubt or (free > 0 and await self._is_due(now, free))):
            return None
        name = self.channel.name
        async with self._store.write() as connection:
            if self._in_doubt:  # what was claimed then and never started had not left
                ours = [*self._flying, *(delivery.id for delivery, _ in self._results)]
                await claiming.release(connection, name, owner=self.owner, but=ours)
            before = await channel_state.load(connection, name, lock=True)
            results = self._take()
            free = self.channel.pace.concurrency - len(self._flying) if claim else 0
            stands, said = await self._record(connection, before, results, now)
            if claim and self.channel.repeats_unknown and self._looks_for_doubts(results, now):
                for delivery in await claiming.unknown(connection, name, now=now):
                    await claiming.repeat(connection, delivery, repeat_at(delivery, now))
            limit = stands.may_claim(now, free, len(self._flying))
            claimed = await self._claim(connection, now, limit, hurried=hurried)
            if claimed:
                stands = stands.probing(now)
            elif free > 0 and limit == 0:  # the channel waits; with all slots taken it only works
                await claiming.expire(connection, name, now=now)
            if stands != before:
                await channel_state.save(connection, name, stands)
        for say in said:
            say()
        self._notice(before, stands, now)
        self._sum_up(now, at_once=not claimed)
        return claimed

    def _sum_up(self, now: datetime, *, at_once: bool) -> None:
        """Say how deliveries ended; in a rush once in a while: a line for each turn would cost a tenth of it."""
        if self._landed_so and (at_once or self._summed_up_at is None or now >= self._summed_up_at + SUMMARY):
            log.info("deliveries", extra={"channel": self.channel.name, **self._landed_so})
            self._landed_so.clear()
            self._summed_up_at = now

    def _take(self) -> Sequence[Landed]:
        """What has come back, also while the transaction was being opened: one turn costs as much as another."""
        self._taken, self._results = self._results, []
        self.landed.clear()
        return self._taken

    def _looks_for_doubts(self, results: Sequence[Landed], now: datetime) -> bool:
        """Whether to look for what may be sent again: whenever there is time, in a rush every few seconds."""
        if results and self._doubts_sought_at is not None and now < self._doubts_sought_at + SWEEP:
            return False
        self._doubts_sought_at = now
        return True

    async def _claim(self, connection: AsyncConnection, now: datetime, limit: int, *, hurried: bool) -> list[Delivery]:
        """Claim what is due, but for readers whom it would wake up, so late, or whose words are still being written."""
        claimed = await claiming.claim(connection, self.channel.name, owner=self.owner, now=now, limit=limit)
        later = {delivery.id: at for delivery in claimed if (at := put_off(delivery, now)) is not None}
        for delivery in claimed if not hurried else ():
            if (at := await self._attempts.waits(connection, delivery, now)) is not None:
                later.setdefault(delivery.id, at)
        if later:
            await claiming.put_off(connection, later, owner=self.owner)
        return [delivery for delivery in claimed if delivery.id not in later]

    async def _is_due(self, now: datetime, free: int) -> bool:
        async with self._store.read() as connection:
            stands = await channel_state.load(connection, self.channel.name)
            if not stands.may_claim(now, free, len(self._flying)):
                return False
            at = await claiming.next_due(connection, self.channel.name)
            if at is not None and at <= now:
                return True
            return self.channel.repeats_unknown and await claiming.has_unknown(connection, self.channel.name, now=now)

    async def _sweep(self, now: datetime) -> int:
        """Mark as unknown what others had in flight when they went; listed first, whatever follows."""
        if self._swept_at is not None and self._swept_at <= now < self._swept_at + SWEEP:
            return 0
        async with self._store.read() as connection:
            owners = await claiming.owners(connection, self.channel.name)
        doubted = 0
        for owner in owners - {self.owner}:
            if await self._locks.is_free(f"{OWNER}{owner}", at_once=self.channel.pace.exclusive):
                async with self._store.write() as connection:
                    doubted += await claiming.doubt(connection, self.channel.name, owner, now=now)
        self._swept_at = now
        if doubted:
            log.warning("deliveries in doubt", extra={"channel": self.channel.name, "count": doubted})
        return doubted

    async def _deliver(self, delivery: Delivery) -> None:
        """Attempt one delivery; what became of it waits to be written down."""
        try:
            result = await self._attempts.make(delivery)
            self._results.append((delivery, result))
        finally:
            # A callback of the task's would run a round of the loop later, when the next turn has begun and finds
            # all slots taken still: half of all turns handed out nothing.
            self._flying.pop(delivery.id, None)
        self.landed.set()

    async def _record(
        self, connection: AsyncConnection, stands: ChannelState, results: Sequence[Landed], now: datetime
    ) -> tuple[ChannelState, list[Callable[[], None]]]:
        """Write down what became of attempts; how the channel stands then, and what to say once it is committed."""
        endings: list[claiming.Ending] = []
        said: list[Callable[[], None]] = []
        for delivery, result in results:
            follows = consequence(delivery, result, now)
            endings.append(
                claiming.Ending(
                    delivery.id, follows.state, follows.reason, follows.receipt, follows.next_at, follows.rejections
                )
            )
            touches = follows.status is not None or follows.moved_to is not None
            theirs = touches and await claiming.is_theirs(connection, delivery)
            if theirs and follows.status is not None and follows.reason is not None:
                if isinstance(result, Barred):
                    await subscriber_queries.bar(connection, delivery.subscriber_id, follows.reason)
                    known = await shared_places.setter(connection, delivery.subscriber_id)
                    place = result.place or f"{self.channel.name}:{delivery.to}"
                    setter = None if known is None else Setter(*known, place)
                    said.append(partial(self._alert_barred, delivery, follows.reason, setter, now))
                else:
                    await subscriber_queries.set_status(
                        connection, delivery.subscriber_id, follows.status, follows.reason
                    )
                gone = isinstance(result, Gone)
                ended, why = (State.GONE, follows.reason) if gone else (State.SKIPPED, Reason.NO_RIGHT)
                await pending_deliveries.end(connection, delivery.subscriber_id, ended, why, now=now)
            if theirs and follows.moved_to is not None:
                await subscriber_queries.move(connection, delivery.subscriber_id, follows.moved_to)
            said.append(partial(_log, self.channel.name, delivery, follows.state, follows.reason))
        if endings:
            said.append(partial(self._landed_so.update, [ending.state.value for ending in endings]))
        await claiming.record(connection, endings, owner=self.owner, now=now)
        for delivery, result in results:
            fallen = 0
            # A service's verdict counts once for each reader; what we cannot make ourselves is nobody's verdict.
            counts = isinstance(result, RenderFailed) or (isinstance(result, Rejected) and not delivery.rejections)
            if counts and not delivery.fallen and await fallbacks.count(connection, delivery.id):
                assert isinstance(result, Rejected | RenderFailed)
                fallen = await fallbacks.fallen(connection, self.channel.name, delivery.edition_id)
                said.append(partial(_log_fallen, self.channel.name, delivery, result.reason))
            stands = stand(stands, delivery, result, now, bad_renderings=fallen)
            if isinstance(result, Deferred) and result.strike and await claiming.is_theirs(connection, delivery):
                await self._strike(connection, delivery, result.reason, now)
        return stands, said

    async def _strike(self, connection: AsyncConnection, delivery: Delivery, reason: str, now: datetime) -> None:
        """Let go of a reader whom several editions in a row did not reach."""
        if await reader_history.strikes(connection, delivery.subscriber_id, delivery.edition_id) >= STRIKES:
            await subscriber_queries.set_status(connection, delivery.subscriber_id, Status.GONE, reason)
            await pending_deliveries.end(connection, delivery.subscriber_id, State.GONE, reason, now=now)

    def _alert_barred(self, delivery: Delivery, reason: str, setter: Setter | None, now: datetime) -> None:
        self._alert(
            "no right to post",
            now,
            level=logging.WARNING,
            setter=setter,
            channel=self.channel.name,
            subscriber=delivery.subscriber_id,
            reason=reason,
        )

    def _notice(self, before: ChannelState, after: ChannelState, now: datetime) -> None:
        """Say what changed in how the channel stands, once."""
        if after.halted_at and not before.halted_at:
            self._alert("channel halted", now, level=logging.ERROR, channel=self.channel.name, reason=after.halted_for)
        if before.halted_at and not after.halted_at:
            self._alert("channel resumed", now, channel=self.channel.name)
        if after.waits_until and after.waits_until != before.waits_until:
            until = after.waits_until.isoformat(timespec="seconds")
            log.warning("channel waits", extra={"channel": self.channel.name, "until": until, "for": after.waits_for})


def _log(channel: str, delivery: Delivery, state: State, reason: str | None) -> None:
    """Say what became of a delivery, but not of each that went well: a line costs more than all else about it."""
    if state is State.SENT and not log.isEnabledFor(logging.DEBUG):
        return
    fields = {"channel": channel, "subscriber": delivery.subscriber_id, "state": state.value, "reason": reason}
    level = logging.DEBUG if state is State.SENT else logging.INFO if state in QUIET else logging.WARNING
    log.log(level, "delivery", extra=fields)


def _log_fallen(channel: str, delivery: Delivery, reason: str) -> None:
    fields = {"channel": channel, "edition": delivery.edition_id, "reason": reason}
    said = "announcement refused" if delivery.is_note else "variant refused, falls back to headline"
    log.error(said, extra=fields)


QUIET = {State.SKIPPED, State.OWED}
