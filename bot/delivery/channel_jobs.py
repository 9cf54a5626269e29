"""The jobs of one channel: log in, deliver, listen. A service that refuses our login, or is down, holds up no other."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial

from bot.channel import Channel, Commands, LoginError
from bot.delivery.dispatcher import Dispatcher
from bot.delivery.listening import ListeningMonitor
from bot.delivery.page_completion import PageCompleter
from bot.delivery.recording_sender import RecordingSender
from bot.delivery.session import Session
from bot.runtime.jobs import Job
from bot.runtime.locks.role_names import DELIVER, LISTEN, role_of
from bot.runtime.role_status import RoleStatus
from bot.runtime.supervisor import TICK, backoffs, pause, until

log = logging.getLogger(__name__)


class ChannelJobs:
    """Delivers and listens on one channel."""

    def __init__(
        self,
        session: Session,
        dispatcher: Dispatcher,
        recordings: RecordingSender | None,
        pages: PageCompleter | None = None,
        *,
        monitor: ListeningMonitor,
        status: RoleStatus,
        now: Callable[[], datetime],
    ) -> None:
        """`recordings` sends editions read aloud, None where there are none or the channel does not play them.

        `pages` writes pages that stay again, None where the channel has none.
        """
        self.session = session
        self.channel: Channel = session.channel
        self.dispatcher = dispatcher
        self.recordings = recordings
        self.follow_ups = [each for each in (recordings, pages) if each is not None]
        """What comes after deliveries, each under a lock of its own."""
        self.delivers, self.listens = role_of(DELIVER, self.channel.name), role_of(LISTEN, self.channel.name)
        """The names of its jobs."""
        self._monitor, self._status, self._now = monitor, status, now

    def deliver_job(self) -> Job:
        """Delivers what is due on the channel."""
        dispatcher = self.dispatcher
        return Job(
            dispatcher.roles, self._deliver, self._deliver_once, self._finish, dispatcher.cut_off, self.session.account
        )

    def listen_job(self, commands: Commands) -> Job:
        """Receives what readers write, and has `commands` answer it."""
        return Job([self.listens], partial(self._listen, commands), account=self.session.account)

    async def _deliver(self, stop: asyncio.Event) -> None:
        log_in = partial(self._log_in, stop)
        await self._despite_refusals(stop, self._status.each_beginning(self.delivers, log_in))
        while not stop.is_set():
            worked = await self.dispatcher.step(self._now())
            self._status.turned(self.delivers)
            if not worked:
                await pause(TICK, self.dispatcher.attempt_ended, stop)

    async def _deliver_once(self, now: datetime) -> None:
        try:
            await self.session.open()
        except LoginError as error:
            self._monitor.refused(self.channel.name, str(error), now)
            return
        except Exception:  # one unreachable service must not stop the others
            log.exception("channel unreachable, its deliveries wait", extra={"channel": self.channel.name})
            return
        while await self.dispatcher.step(now, await_texts=False) or self.dispatcher.busy:
            if self.dispatcher.busy:
                await self.dispatcher.attempt_ended.wait()

    async def _finish(self, patience: float) -> None:
        await self.dispatcher.finish(self._now(), patience=patience)

    async def _listen(self, commands: Commands, stop: asyncio.Event) -> None:
        self._monitor.begin(self.channel.name)
        await self._despite_refusals(stop, partial(self._log_in_and_listen, commands, stop))

    async def _log_in_and_listen(self, commands: Commands, stop: asyncio.Event) -> None:
        name = self.channel.name
        try:
            await self._log_in(stop)
            if not stop.is_set() and await until(stop, asyncio.ensure_future(self.channel.listen(commands))):
                await self._monitor.working(name, self._now())  # it receives nothing, and is not meant to
        except LoginError as error:
            self._monitor.refused(name, str(error), self._now())
            await self._monitor.failed(name, str(error), self._now(), told=True)
            raise
        except Exception as error:
            # Only a ConnectionError of our own has a message that is fit to be shown.
            reason = str(error) if type(error) is ConnectionError else type(error).__name__
            await self._monitor.failed(name, reason, self._now())
            raise

    async def _log_in(self, stop: asyncio.Event) -> None:
        await until(stop, asyncio.ensure_future(self.session.open()))

    async def _despite_refusals(self, stop: asyncio.Event, work: Callable[[], Awaitable[None]]) -> None:
        """Do the work, again with backoff while the service refuses our login: a revoked token may be valid later."""
        waits = backoffs()
        while not stop.is_set():
            try:
                await work()
                return
            except LoginError as error:
                self._monitor.refused(self.channel.name, str(error), self._now())
            await pause(next(waits), stop)
