"""The service: its jobs, what each does in a loop or once, and which locks each holds."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import partial

from bot.channel import AwaitsPictures, Channel
from bot.commands import ReaderCommands
from bot.commands.process_feedback import FeedbackProcessor
from bot.delivery.alerts import Alerts
from bot.delivery.channel_jobs import ChannelJobs
from bot.delivery.draining import drain_when_told
from bot.delivery.housekeeping import Housekeeping
from bot.media.illustrator import Illustrator
from bot.media.speech.narrator import Narrator
from bot.model import Address, Cadence, Preferences
from bot.publishing.heartbeat import beat
from bot.publishing.publisher import Publisher
from bot.render.words import match
from bot.runtime.clock import Clock
from bot.runtime.jobs import Job, cut_short, under_locks
from bot.runtime.locks import Locks, take_from_the_dead
from bot.runtime.locks.role_names import COLLECT, ILLUSTRATE, KEEP, NARRATE, POLL, WRITE
from bot.runtime.logs import logged_account
from bot.runtime.role_status import RoleStatus
from bot.runtime.supervisor import TICK, pause, supervise, until
from bot.settings import Settings
from bot.store import Store, edition_queries
from bot.summaries.paper_pictures import PaperPictures
from bot.summaries.writer import Writer
from bot.web.health_server import HealthServer
from bot.web.server import Web

log = logging.getLogger(__name__)

LONGEST_NAP = 60.0
"""Seconds that the publisher sleeps at most, so that it notices a clock that was set forward."""

HOUSEKEEPING_EVERY = 60.0
"""Seconds between two rounds of housekeeping."""
WRITING_EVERY = 5.0
"""Seconds between two checks for wanted texts, while there are none."""
ILLUSTRATING_EVERY = 15.0
"""Seconds between two looks for editions without pictures."""
DRAWING_PATIENCE = 300.0
"""Seconds that one run (`--once`) draws pictures, and as many that it fetches some, before it delivers without them."""
MODEL_PATIENCE = 600.0
"""Seconds that one run (`--once`) waits for the language model before it delivers without it."""

NARRATING_EVERY = 30.0
"""Seconds between two checks for recordings that are wanted, while there are none."""
VOICE_PATIENCE = 900.0
"""Seconds that one run (`--once`) spends on recordings, after everything has been delivered."""
PATIENCE = 3.0
"""Seconds that sends in flight get to end when the program is told to stop."""


class Role(StrEnum):
    """Groups of jobs; a process may run one of them alone (`papers run --only`)."""

    POLL = "poll"
    DELIVER = "deliver"
    LISTEN = "listen"
    WEB = "web"


@dataclass(frozen=True, slots=True)
class Workers:
    """The jobs that make editions, whatever channels there are."""

    publisher: Publisher
    housekeeping: Housekeeping
    writer: Writer
    illustrator: Illustrator
    paper_pictures: PaperPictures
    narrator: Narrator


@dataclass(frozen=True, slots=True)
class Incoming:
    """Handlers of what comes in: readers' commands, and feedback such as bounces."""

    commands: ReaderCommands
    feedback: FeedbackProcessor


@dataclass(slots=True)
class Service:
    """The whole program, wired. `run` works until told to stop, `once` does what is due now."""

    settings: Settings
    store: Store
    locks: Locks
    clock: Clock
    workers: Workers
    channel_jobs: Sequence[ChannelJobs]
    incoming: Incoming
    alerts: Alerts
    status: RoleStatus
    web: Web | None = None
    """None without WEB_PORT or PUBLIC_URL."""
    probes: HealthServer | None = None
    """None without HEALTH_PORT."""
    drain: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the process is to claim nothing more, finish what is in flight, and stop."""

    @property
    def channels(self) -> Sequence[Channel]:
        """The channels that this process works with, logged in or not."""
        return [each.channel for each in self.channel_jobs]

    async def once(
        self, now: datetime, roles: frozenset[Role] = frozenset(Role), stop: asyncio.Event | None = None
    ) -> None:
        """Poll, publish and deliver what is due at `now`, unless told to stop.

        Raises HeldError if another process is already running one of the jobs.
        """
        stop = stop or asyncio.Event()
        await self.take_locks(roles, stop)
        await self._each_once(self._jobs(roles).values(), now, stop)
        await self._flush_alerts()

    async def first_round(self, now: datetime, roles: frozenset[Role], stop: asyncio.Event) -> None:
        """Poll, publish, and show the first edition on this machine, before `run` asks other services for anything.

        A relay may take a minute to answer, and pictures some seconds to be drawn.

        Raises nothing but what the database and the locks raise.
        """
        later = {ILLUSTRATE, COLLECT, NARRATE}
        later |= {follow_up.role for each in self.channel_jobs for follow_up in each.follow_ups}
        later |= {each.delivers for each in self.channel_jobs if not each.channel.rehearsal}
        jobs = self._jobs(roles)
        await self._each_once([jobs[name] for name in jobs if name not in later], now, stop)

    async def _each_once(self, jobs: Iterable[Job], now: datetime, stop: asyncio.Event) -> None:
        for job in jobs:
            if job.once is not None and not stop.is_set():
                work = partial(cut_short, partial(job.once, now), stop)
                with logged_account(job.account):
                    await under_locks(self.locks, job, work, stop, patience=PATIENCE)

    async def run(self, stop: asyncio.Event, roles: frozenset[Role] = frozenset(Role)) -> None:
        """Run all jobs until told to stop; sends in flight are then finished and recorded.

        A job whose lock another process holds waits as a standby, and takes over when the lock is free.
        """
        async with asyncio.TaskGroup() as group:
            group.create_task(supervise("clock", partial(self.clock.run, stop), stop), name="clock")
            dispatchers = [each.dispatcher for each in self.channel_jobs]
            drain = partial(drain_when_told, self.store, dispatchers, self.drain, stop)
            group.create_task(supervise("drain", drain, stop), name="drain")
            for name, job in self._jobs(roles).items():
                again = partial(self._work, name, job, stop)
                work = partial(under_locks, self.locks, job, again, stop, patience=PATIENCE)
                with logged_account(job.account):  # a task keeps what holds where it is created
                    group.create_task(supervise(name, work, stop), name=name)
            group.create_task(supervise("alerts", partial(self._send_alerts, stop), stop), name="alerts")

    async def _work(self, name: str, job: Job, stop: asyncio.Event) -> None:
        """Run a job that has its locks."""
        self.status.works(name)
        try:
            await supervise(name, self.status.each_beginning(name, partial(job.run, stop)), stop)
        finally:
            self.status.waits(name)

    async def take_locks(self, roles: frozenset[Role], stop: asyncio.Event) -> None:
        """Take the locks that `run` needs. Raises HeldError if another process holds one."""
        locks = [lock for job in self._jobs(roles).values() for lock in job.roles()]
        await until(stop, asyncio.ensure_future(take_from_the_dead(self.locks, *locks)))

    def _jobs(self, roles: frozenset[Role]) -> dict[str, Job]:
        """The jobs of these roles, by name, in the order in which `once` does them."""
        jobs = self._editions_jobs() if Role.POLL in roles else {}
        for each in self.channel_jobs if Role.DELIVER in roles else ():
            jobs[each.delivers] = each.deliver_job()
        if Role.POLL in roles and self.workers.narrator.has_voice:
            narrate = self.workers.narrator.step
            once = partial(self._bounded, VOICE_PATIENCE, narrate, "reading aloud failed")
            # After all deliveries, with `--once` too.
            jobs[NARRATE] = Job([NARRATE], partial(self._again, NARRATE, narrate, NARRATING_EVERY), once)
        for each in self.channel_jobs if Role.DELIVER in roles else ():
            for follow_up in each.follow_ups:
                again = partial(self._again, follow_up.role, follow_up.step, NARRATING_EVERY)
                jobs[follow_up.role] = Job([follow_up.role], again, follow_up.once, account=each.session.account)
        for each in self.channel_jobs if Role.LISTEN in roles else ():
            jobs[each.listens] = each.listen_job(self.incoming.commands)
        if Role.WEB in roles and self.web is not None:
            jobs["web"] = Job([], self.web.run)  # without a lock: any number of processes may serve pages
        if self.probes is not None:
            jobs["health"] = Job([], self.probes.run)
        return jobs

    def _editions_jobs(self) -> dict[str, Job]:
        """The jobs that make editions ready to be delivered."""
        keep, writer = self.workers.housekeeping.step, self.workers.writer
        jobs = {
            POLL: Job([POLL], self._poll, self._poll_once),
            KEEP: Job([KEEP], partial(self._again, KEEP, keep, HOUSEKEEPING_EVERY), keep),
        }
        if writer.has_model:
            failed = "text generation failed, delivering without it"
            once = partial(self._bounded, MODEL_PATIENCE, writer.step, failed)
            jobs[WRITE] = Job([WRITE], self._write, once, writer.finish)
        if self.web is not None or any(channel.shows_pictures for channel in self.channels):
            draw = self.workers.illustrator.step
            once = partial(self._bounded, DRAWING_PATIENCE, draw, "drawing pictures failed, delivering without them")
            jobs[ILLUSTRATE] = Job([ILLUSTRATE], partial(self._again, ILLUSTRATE, draw, ILLUSTRATING_EVERY), once)
        if any(isinstance(channel, AwaitsPictures) for channel in self.channels):
            fetch = self.workers.paper_pictures.step
            once = partial(self._bounded, DRAWING_PATIENCE, fetch, "fetching pictures failed, delivering without them")
            jobs[COLLECT] = Job([COLLECT], partial(self._again, COLLECT, fetch, ILLUSTRATING_EVERY), once)
        return jobs

    async def _again(
        self, name: str, step: Callable[[datetime], Awaitable[object]], every: float, stop: asyncio.Event
    ) -> None:
        """Take a step of a job `every` that many seconds until told to stop; one under way is cut off then."""
        while await until(stop, asyncio.ensure_future(step(self.clock.now()))):
            self.status.turned(name)
            await pause(every, stop)

    async def _poll_once(self, now: datetime) -> None:
        if await self.workers.publisher.poller.poll(now):
            await self._beat()
        while await self.workers.publisher.step(now):
            pass
        await self.welcome_residents(now)

    async def _write(self, stop: asyncio.Event) -> None:
        while await until(stop, asyncio.ensure_future(self.workers.writer.step(self.clock.now()))):
            self.status.turned(WRITE)
            await pause(0.0 if self.workers.writer.wrote else WRITING_EVERY, stop)

    async def _bounded(
        self, seconds: float, step: Callable[[datetime], Awaitable[object]], failed: str, now: datetime
    ) -> None:
        """Take a step while there is something to do, for `seconds` at most; a failure is logged and spoils nothing."""
        try:
            async with asyncio.timeout(seconds):
                while await step(now):
                    pass
        except Exception:
            log.exception(failed)

    async def _poll(self, stop: asyncio.Event) -> None:
        while await until(stop, asyncio.ensure_future(self._round())):  # a poll that is cut off has stored nothing
            self.status.turned(POLL)
            at = await self.workers.publisher.poller.next_poll(self.clock.now())
            await pause(min(max((at - self.clock.now()).total_seconds(), TICK), LONGEST_NAP), stop)

    async def _round(self) -> None:
        before = self.workers.publisher.poller.polled_at
        while await self.workers.publisher.step(self.clock.now()):
            pass
        await self.welcome_residents(self.clock.now())
        if self.workers.publisher.poller.polled_at != before:
            await self._beat()

    async def _beat(self) -> None:
        if self.settings.heartbeat_url is not None:
            await beat(self.store, self.channels, self.settings.heartbeat_url.get_secret_value())

    async def _send_alerts(self, stop: asyncio.Event) -> None:
        await until(stop, asyncio.ensure_future(self.alerts.run()))
        await self._flush_alerts()

    async def _flush_alerts(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                await self.alerts.flush()

    async def welcome_residents(self, now: datetime) -> None:
        """Subscribe the channels' built-in recipients as soon as there is an edition to welcome them with."""
        async with self.store.read() as connection:
            if await edition_queries.latest_day(connection, Cadence.DAY) is None:
                return
        wanted = Preferences(language=match(self.settings.default_language), timezone=self.settings.default_timezone)
        for channel in self.channels:
            for recipient in channel.residents:
                await self.incoming.commands.subscribe(Address(channel.name, recipient), wanted, now)
