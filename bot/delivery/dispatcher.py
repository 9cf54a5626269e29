"""The dispatcher: claims due deliveries of one channel, sends them and records the outcomes.

A send keeps its slot from the commit of `sending` to the commit of its outcome, so a crash never leaves more
deliveries in doubt than the channel's concurrency. Outcomes that wait at the same moment share one commit.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.channel import Channel, Deferred, Rejected, Sent
from bot.delivery.alerts import Alert, log_alert
from bot.delivery.answers import count_accepted, count_answer, count_many, held_back
from bot.delivery.attempt import Attempts
from bot.delivery.dead_senders import SWEEP, DeadSenders
from bot.delivery.delivery_log import DeliveryLog, Ended
from bot.delivery.rate_limit import RateLimiter
from bot.delivery.rendering import FindRecording, Renderings
from bot.delivery.rush import Rush
from bot.delivery.subscriber_changes import change_subscriber, end_after_strikes
from bot.model import Delivery
from bot.rules.outcomes import (
    ChannelState,
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
from bot.runtime.locks.role_names import DELIVER, role_of
from bot.runtime.timing import Observe, ignore_timing
from bot.signing import SignedLinks
from bot.store import Store, channel_state, claiming, fallbacks, recording, unconfirmed
from bot.store.pipelined_turns import PipelinedTurns
from bot.store.sqlite_turns import SqliteTurns
from bot.store.turns import Turns, Wanted

log = logging.getLogger(__name__)


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
        self.draining = False
        """Whether nothing more is claimed: what is in flight is finished, and recorded."""
        self._log = DeliveryLog(channel.name, alert)
        self._may_expire = may_expire
        self._store = store.fenced(locks, self.roles)
        self._locks = locks
        self._dead = DeadSenders(self._store, locks, channel.name)
        self._renderings = Renderings(store, channel, writes=writes, observe=observe, find_recording=find_recording)
        self._attempts = Attempts(
            channel,
            self._renderings,
            rate_limiter or RateLimiter(channel.pace),
            may_begin=self._may_begin,
            links=links,
            observe=observe,
        )
        self.hurries = True
        """Whether turns in a rush are one trip to the database, without a look at anything else."""
        self._turns: Turns = (
            PipelinedTurns(store, channel.name) if store.path is None else SqliteTurns(store, channel.name)
        )
        self._rush = Rush()
        self._in_flight: dict[int, asyncio.Task[None]] = {}
        self._results: list[tuple[Delivery, Result]] = []
        self._recording: list[tuple[Delivery, Result]] = []
        """Those that the current turn writes down."""
        self._takes_turn = False
        self._in_doubt = False
        """Whether the last turn failed, so that nobody knows if its transaction was committed."""
        self._cut_off = False
        """Whether the locks were lost since the last `finish`."""
        self._repeats_sought_at: datetime | None = None

    @property
    def busy(self) -> bool:
        """Whether any send is in flight or not yet recorded, or a turn under way, which may have claimed some."""
        return bool(self._takes_turn or self._in_flight or self._results or self._recording)

    def roles(self) -> list[str]:
        """The locks that delivering on this channel needs."""
        exclusive = [role_of(DELIVER, self.channel.name)] if self.channel.pace.exclusive else []
        return [*exclusive, f"{OWNER}{self.owner}"]

    def _may_begin(self) -> bool:
        """Whether the locks last long enough for a send; not in the last moments of a lease."""
        return not self._cut_off and self._locks.may_begin(*self.roles())

    async def step(self, now: datetime, *, claim: bool = True, await_texts: bool = True) -> bool:
        """Record what came back, then (with `claim`) claim what is due for the free slots and start sending it.

        Without `await_texts` no delivery waits for a model: there may be no next step. Returns whether there was
        anything to do. The caller holds the locks of `roles`.
        """
        doubted = await self._dead.mark(self.owner, now) if claim else 0
        self.attempt_ended.clear()
        self._takes_turn = True
        turn = asyncio.ensure_future(self._turn(now, claim=claim, await_texts=await_texts))
        try:
            claimed = await asyncio.shield(turn)
        except BaseException:
            # A transaction cut off in the middle would keep SQLite locked: let it finish first.
            await asyncio.wait([turn])
            if turn.cancelled() or turn.exception() is not None:
                self._results[:0] = self._recording  # perhaps not recorded: the next turn does it again
            self._in_doubt = True  # what was claimed will not be started
            await self._turns.close()
            raise
        finally:
            self._recording, self._takes_turn = [], False
        self._in_doubt = False
        for delivery in claimed or ():
            self._in_flight[delivery.id] = asyncio.create_task(self._attempt(delivery))
        if self._rush.state is None:
            await self._turns.close()
        return bool(doubted) or claimed is not None

    def cut_off(self) -> None:
        """Break off whatever is in flight, at once: the locks are lost, and another process may send."""
        self._cut_off = True
        for task in self._in_flight.values():
            task.cancel()

    async def finish(self, now: datetime, *, patience: float) -> None:
        """Stop: recall what was not handed over yet, wait `patience` seconds for the rest, record everything.

        After `cut_off` nothing is recorded, for the rows may be another's by now: what this owner had in flight is
        found as that of a dead one, and the dispatcher goes on under a new name.
        """
        self._attempts.recall()
        if self._in_flight:
            await asyncio.wait(self._in_flight.values(), timeout=patience)
        for task in self._in_flight.values():
            task.cancel()
        await asyncio.gather(*self._in_flight.values(), return_exceptions=True)
        await self._turns.close()
        if self._cut_off:
            self._rush = Rush()
            self.owner, self._cut_off, self._in_doubt = uuid.uuid4().hex, False, False
            self._results.clear()
            return
        await self.step(now, claim=False)

    async def _turn(self, now: datetime, *, claim: bool, await_texts: bool) -> list[Delivery] | None:
        """One transaction: record, requeue what may be repeated, claim. None where there was nothing to do."""
        claim = claim and not self.draining and self._may_begin()
        free = self.channel.pace.concurrency - len(self._in_flight) if claim else 0
        is_left = self._results or self._in_doubt or self._rush.uncounted
        if not is_left and not (free > 0 and await self._is_due(now, free)):
            return None
        if free > 0 and self.hurries and not self._in_doubt and self._rush.goes_on(self._results, now):
            return await self._turn_in_a_rush(now, await_texts=await_texts)
        name = self.channel.name
        async with self._store.write() as connection:
            if self._in_doubt:  # what was claimed then was never started
                ours = [*self._in_flight, *(delivery.id for delivery, _ in self._results)]
                await claiming.release(connection, name, owner=self.owner, but=ours)
            before = await channel_state.load(connection, name, lock=True)
            uncounted = list(self._rush.uncounted)
            results = self._take_results()
            free = self.channel.pace.concurrency - len(self._in_flight) if claim else 0
            counted = count_many(self.channel, before, uncounted, now)
            state, ended = await self._record(connection, counted, results, now)
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
        self._rush.looked(state if claimed else None, now, counted=len(uncounted))
        self._log.ended(ended, now, at_once=not claimed)
        self._log.state(before, state, now)
        return claimed

    async def _turn_in_a_rush(self, now: datetime, *, await_texts: bool) -> list[Delivery]:
        """A turn in which nothing but acceptance came back: one trip to the database, without the channel's row."""
        accepted = [(each, result.receipt) for each, result in self._take_results() if isinstance(result, Sent)]
        limit = self.channel.pace.concurrency - len(self._in_flight)
        wanted = Wanted(self.owner, accepted, list(self._in_flight), limit, now, self._may_expire(), self._rush.reached)
        turn = await self._turns.take(wanted, self._locks.shown(*self.roles()))
        claimed = turn.claimed
        later = held_back(self.channel, turn.state, claimed, now)
        may_wait = await_texts and await self._renderings.may_any_wait(claimed, now)
        if later or may_wait or any(postpone_until(each, now) is not None for each in claimed):
            async with self._store.write() as connection:
                claimed = await self._postpone(connection, claimed, later, now, await_texts=await_texts)
        recorded = [each for each, _ in accepted]
        self._rush.took(turn, recorded, limit)
        self._log.accepted(recorded, now, at_once=not claimed)
        return claimed

    def _take_results(self) -> Sequence[tuple[Delivery, Result]]:
        """Take the results so far, including those that came while the transaction was being opened."""
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
        return await self._postpone(connection, claimed, later, now, await_texts=await_texts)

    async def _postpone(
        self,
        connection: AsyncConnection,
        claimed: Sequence[Delivery],
        later: dict[int, datetime],
        now: datetime,
        *,
        await_texts: bool,
    ) -> list[Delivery]:
        """Give back what was claimed and has to wait, at least until the instants in `later`; returns the rest."""
        later |= {delivery.id: at for delivery in claimed if (at := postpone_until(delivery, now)) is not None}
        for delivery in claimed if await_texts else ():
            if (at := await self._renderings.texts_pending_until(connection, delivery, now)) is not None:
                later.setdefault(delivery.id, at)
        if later:
            until = [(each, later[each.id]) for each in claimed if each.id in later]
            await claiming.postpone(connection, until, owner=self.owner, expires=self._may_expire())
        return [delivery for delivery in claimed if delivery.id not in later]

    async def _is_due(self, now: datetime, free: int) -> bool:
        """Whether there is anything to claim or to repeat; the former begins a rush."""
        async with self._store.read() as connection:
            state = await channel_state.load(connection, self.channel.name)
            if not state.may_claim(now, free, len(self._in_flight)):
                return False
            at = await claiming.next_due(connection, self.channel.name, after=None if self._may_expire() else now)
            if at is not None and at <= now:
                self._rush.begin(state, now)
                return True
            self._rush.begin(None, now)
            return self.channel.repeats_unknown and await unconfirmed.any_repeatable(
                connection, self.channel.name, now=now
            )

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
    ) -> tuple[ChannelState, list[Ended]]:
        """Write down what follows from results; the channel's state then, and what to report after the commit."""
        name, sure = self.channel.name, self._may_expire()
        ended = [Ended(each, result, consequence(in_time(each, sure), result, now)) for each, result in results]
        for each in ended:
            if each.follows.status is not None or each.follows.moved_to is not None:
                change = await change_subscriber(
                    connection, each.delivery, each.result, each.follows, channel=name, now=now
                )
                each.is_barred, each.setter = change
        endings = {each.delivery.id: each.follows for each in ended}
        await recording.record(connection, [(each.delivery, each.follows) for each in ended], owner=self.owner, now=now)
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
