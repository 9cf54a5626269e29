"""The service: every part of the work, what each does endlessly and what it does once, and under which locks."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import partial
from pathlib import Path

from bot.channel import Channel, LoginError
from bot.commands import ReaderCommands
from bot.commands.process_feedback import FeedbackProcessor
from bot.delivery.alerts import Alerts
from bot.delivery.dispatcher import Dispatcher
from bot.delivery.housekeeping import Housekeeping
from bot.delivery.session import Session
from bot.model import Address, Cadence, Preferences
from bot.publishing.feed import Feed
from bot.publishing.heartbeat import beat
from bot.publishing.publisher import Publisher
from bot.render.words import match
from bot.runtime.jobs import Job, cut_short, under_locks
from bot.runtime.locks import Locks
from bot.runtime.supervisor import TICK, clock, pause, supervise, until
from bot.settings import Settings
from bot.store import Store, edition_queries
from bot.summaries.writer import Writer
from bot.web.server import Web

log = logging.getLogger(__name__)

LONGEST_NAP = 60.0
"""Seconds after which the publisher looks at the clock again, so that a clock set forward is noticed."""

ROUND = 60.0
"""Seconds between two rounds of the keeper."""
WRITING_ROUND = 5.0
"""Seconds between two looks at whether texts are wanted, while none are."""
PATIENCE_WITH_MODEL = 600.0
"""Seconds that one run (`--once`) gives a language model before it delivers without it."""

PATIENCE = 4.0
"""Seconds that a send in flight is given when the program is told to stop."""


class Role(StrEnum):
    """The parts of the work; one process may do one of them (`papers run --only`)."""

    POLL = "poll"
    DELIVER = "deliver"
    LISTEN = "listen"
    WEB = "web"


@dataclass(slots=True)
class Service:
    """Everything, wired; `run` does it until told to stop, `once` does what is due now."""

    home: Path
    settings: Settings
    store: Store
    locks: Locks
    feed: Feed
    sessions: Sequence[Session]
    publisher: Publisher
    dispatchers: Sequence[Dispatcher]
    housekeeping: Housekeeping
    writer: Writer
    alerts: Alerts
    commands: ReaderCommands
    feedback: FeedbackProcessor
    web: Web | None = None
    """None where nothing says where to listen."""
    refused: set[tuple[str, str]] = field(default_factory=set)
    """The logins that services refused, each of which is told once."""

    @property
    def channels(self) -> Sequence[Channel]:
        """The channels that this process works with, logged in or not."""
        return [session.channel for session in self.sessions]

    async def once(
        self, now: datetime, roles: frozenset[Role] = frozenset(Role), stop: asyncio.Event | None = None
    ) -> None:
        """Poll, close what is due, deliver what is due, unless told to stop meanwhile.

        Raises HeldError where another process does so already.
        """
        stop = stop or asyncio.Event()
        await self.take_locks(roles, stop)
        for job in self._jobs(roles).values():
            if job.once is not None and not stop.is_set():
                work = partial(cut_short, partial(job.once, now), stop)
                await under_locks(self.locks, job, work, stop, patience=PATIENCE)
        await self._flush_alerts()

    async def run(self, stop: asyncio.Event, roles: frozenset[Role] = frozenset(Role)) -> None:
        """Do everything until told to stop; what is in flight is then finished and written down.

        A part whose lock another process holds waits until that is gone, and takes over.
        """
        async with asyncio.TaskGroup() as group:
            for name, job in self._jobs(roles).items():
                again = partial(supervise, name, partial(job.run, stop), stop)
                work = partial(under_locks, self.locks, job, again, stop, patience=PATIENCE)
                group.create_task(supervise(name, work, stop), name=name)
            group.create_task(supervise("notices", partial(self._send_alerts, stop), stop), name="notices")

    async def take_locks(self, roles: frozenset[Role], stop: asyncio.Event) -> None:
        """Take what `run` needs. Raises HeldError where another process does a part of it already."""
        locks = [lock for job in self._jobs(roles).values() for lock in job.locks]
        await until(stop, asyncio.ensure_future(self.locks.take(*locks)))

    def _jobs(self, roles: frozenset[Role]) -> dict[str, Job]:
        """What there is to do, by name."""
        jobs: dict[str, Job] = {}
        if Role.POLL in roles:
            jobs["poll"] = Job(["poll"], self._poll, self._poll_once)
            jobs["keep"] = Job(["keep"], self._keep, self._keep_once)
            if self.writer.has_model:
                jobs["write"] = Job(["write"], self._write, self._write_once, self.writer.finish)
        for dispatcher, session in zip(self.dispatchers, self.sessions, strict=True):
            if Role.DELIVER in roles:
                jobs[f"deliver:{dispatcher.channel.name}"] = Job(
                    dispatcher.roles,
                    partial(self._deliver, dispatcher, session),
                    partial(self._deliver_once, dispatcher, session),
                    partial(self._finish, dispatcher),
                )
        for session in self.sessions if Role.LISTEN in roles else ():
            role = f"listen:{session.channel.name}"
            jobs[role] = Job([role], partial(self._listen, session))
        if Role.WEB in roles and self.web is not None:
            jobs["web"] = Job([], self.web.run)  # any number of processes may serve the same pages
        return jobs

    async def _poll_once(self, now: datetime) -> None:
        if await self.publisher.poll(now):
            await self._beat()
        while await self.publisher.step(now):
            pass
        await self.welcome_residents(now)

    async def _keep_once(self, now: datetime) -> None:
        await self.housekeeping.step(now)

    async def _write(self, stop: asyncio.Event) -> None:
        while await until(stop, asyncio.ensure_future(self.writer.step(clock()))):
            await pause(TICK if self.writer.wrote else WRITING_ROUND, stop)

    async def _write_once(self, now: datetime) -> None:
        try:
            async with asyncio.timeout(PATIENCE_WITH_MODEL):
                while await self.writer.step(now):
                    pass
        except Exception:  # whatever is the matter with a model, editions go out
            log.exception("texts are left out")

    async def _deliver_once(self, dispatcher: Dispatcher, session: Session, now: datetime) -> None:
        try:
            await session.open()
        except LoginError as error:
            self._tell_refused(session, error)
            return
        except Exception:  # one service that is out of reach costs the readers of the others nothing
            log.exception("channel out of reach", extra={"channel": session.channel.name})
            return
        while await dispatcher.step(now, hurried=True) or dispatcher.busy:
            if dispatcher.busy:
                await dispatcher.landed.wait()

    async def _poll(self, stop: asyncio.Event) -> None:
        while await until(stop, asyncio.ensure_future(self._round())):  # a poll that is cut off has stored nothing
            at = await self.publisher.next_step(clock())
            await pause(min(max((at - clock()).total_seconds(), TICK), LONGEST_NAP), stop)

    async def _round(self) -> None:
        before = self.publisher.polled_at
        while await self.publisher.step(clock()):
            pass
        await self.welcome_residents(clock())
        if self.publisher.polled_at != before:
            await self._beat()

    async def _beat(self) -> None:
        if self.settings.heartbeat_url is not None:
            await beat(self.store, self.channels, self.settings.heartbeat_url.get_secret_value())

    async def _keep(self, stop: asyncio.Event) -> None:
        while await until(stop, asyncio.ensure_future(self.housekeeping.step(clock()))):
            await pause(ROUND, stop)

    async def _deliver(self, dispatcher: Dispatcher, session: Session, stop: asyncio.Event) -> None:
        if not await self._let_in(session, stop):
            return
        while not stop.is_set():
            if not await dispatcher.step(clock()):
                await pause(TICK, dispatcher.landed, stop)

    async def _finish(self, dispatcher: Dispatcher, patience: float) -> None:
        await dispatcher.finish(clock(), patience=patience)

    async def _send_alerts(self, stop: asyncio.Event) -> None:
        await until(stop, asyncio.ensure_future(self.alerts.run()))
        await self._flush_alerts()

    async def _flush_alerts(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                await self.alerts.flush()

    async def _listen(self, session: Session, stop: asyncio.Event) -> None:
        if not await self._let_in(session, stop):
            return
        try:
            await until(stop, asyncio.ensure_future(session.channel.listen(self.commands)))
        except LoginError as error:
            self._tell_refused(session, error)

    async def _let_in(self, session: Session, stop: asyncio.Event) -> bool:
        """Log in; False where the service will not have us, which ends this channel's work and nobody else's."""
        try:
            return await until(stop, asyncio.ensure_future(session.open()))
        except LoginError as error:
            self._tell_refused(session, error)
            return False

    def _tell_refused(self, session: Session, error: LoginError) -> None:
        name, reason = session.channel.name, str(error)
        if (name, reason) not in self.refused:  # listening and delivering meet the same fault
            self.refused.add((name, reason))
            self.alerts.alert("login refused", clock(), level=logging.ERROR, channel=name, reason=reason)

    async def welcome_residents(self, now: datetime) -> None:
        """Subscribe those who are there without having asked, as soon as there is an edition to greet them with."""
        async with self.store.read() as connection:
            if await edition_queries.latest_day(connection, Cadence.DAY) is None:
                return
        wanted = Preferences(language=match(self.settings.default_language), timezone=self.settings.default_timezone)
        for channel in self.channels:
            for recipient in channel.residents:
                await self.commands.subscribe(Address(channel.name, recipient), wanted, now)
