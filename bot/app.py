"""The composition root: read this and you know the system.

The publisher polls the feed and closes editions; a dispatcher per channel hands out what is due; channels listen
for what readers ask. All of them work on one database and know nothing of each other.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Protocol

from pydantic import BaseModel

from bot import settings
from bot.access import Access, Admission
from bot.channel import Channel, Kit
from bot.commands import WITHOUT_MODEL, Readers
from bot.dispatcher import Dispatcher
from bot.feed import Feed
from bot.heartbeat import beat
from bot.keeper import Keeper
from bot.locks import Locks, make_locks
from bot.model import Address, Cadence, Preferences, Style
from bot.notices import Notices
from bot.part import Part, cut_short, under_locks
from bot.pictures import collect
from bot.publisher import Progress, Publisher
from bot.render.templates import template
from bot.render.words import match
from bot.settings import Settings, SettingsError
from bot.store import Store, editions
from bot.store.memory import ChannelMemory
from bot.store.restore import settle_restored
from bot.supervisor import TICK, clock, pause, supervise, until
from bot.texts.client import Endpoint, Model
from bot.texts.fulltext import FullTexts
from bot.texts.source import Sources
from bot.writer import Writer

log = logging.getLogger(__name__)

CHANNELS = ("outbox", "site")
"""Every folder in channels/ that can be opened, in the order in which they are listed to people."""

STANDING_IN = "outbox"
"""The channel that is used where no account is configured."""

LONGEST_NAP = 60.0
"""Seconds after which the publisher looks at the clock again, so that a clock set forward is noticed."""

ROUND = 60.0
"""Seconds between two rounds of the keeper."""
WRITING_ROUND = 5.0
"""Seconds between two looks at whether texts are wanted, while none are."""
CACHE = "cache"
"""The folder below the program's home that keeps what can be fetched again: texts and pictures of papers."""

PATIENCE_WITH_MODEL = 600.0
"""Seconds that one run (`--once`) gives a language model before it delivers without it."""

PATIENCE = 4.0
"""Seconds that a send in flight is given when the program is told to stop."""


class ChannelSettings(Protocol):
    """What a channel's settings can say of themselves."""

    @property
    def configured(self) -> bool:
        """Whether the operator asked for this channel."""
        ...


class Role(StrEnum):
    """The parts of the work; one process may do one of them (`papers run --only`)."""

    POLL = "poll"
    DELIVER = "deliver"
    LISTEN = "listen"


@dataclass(slots=True)
class App:
    """Everything, wired."""

    home: Path
    settings: Settings
    store: Store
    locks: Locks
    feed: Feed
    channels: Sequence[Channel]
    publisher: Publisher
    dispatchers: Sequence[Dispatcher]
    keeper: Keeper
    writer: Writer
    notices: Notices
    commands: Readers

    async def once(
        self, now: datetime, roles: frozenset[Role] = frozenset(Role), stop: asyncio.Event | None = None
    ) -> None:
        """Poll, close what is due, deliver what is due, unless told to stop meanwhile.

        Raises HeldError where another process does so already.
        """
        stop = stop or asyncio.Event()
        await self.take_locks(roles, stop)
        for part in self._parts(roles).values():
            if part.once is not None and not stop.is_set():
                work = partial(cut_short, partial(part.once, now), stop)
                await under_locks(self.locks, part, work, stop, patience=PATIENCE)
        await self._flush_notices()

    async def run(self, stop: asyncio.Event, roles: frozenset[Role] = frozenset(Role)) -> None:
        """Do everything until told to stop; what is in flight is then finished and written down.

        A part whose lock another process holds waits until that is gone, and takes over.
        """
        async with asyncio.TaskGroup() as group:
            for name, part in self._parts(roles).items():
                again = partial(supervise, name, partial(part.run, stop), stop)
                work = partial(under_locks, self.locks, part, again, stop, patience=PATIENCE)
                group.create_task(supervise(name, work, stop), name=name)
            group.create_task(supervise("notices", partial(self._give_notice, stop), stop), name="notices")

    async def take_locks(self, roles: frozenset[Role], stop: asyncio.Event) -> None:
        """Take what `run` needs. Raises HeldError where another process does a part of it already."""
        locks = [lock for part in self._parts(roles).values() for lock in part.locks]
        await until(stop, asyncio.ensure_future(self.locks.take(*locks)))

    def _parts(self, roles: frozenset[Role]) -> dict[str, Part]:
        """What there is to do, by name."""
        parts: dict[str, Part] = {}
        if Role.POLL in roles:
            parts["poll"] = Part(["poll"], self._poll, self._poll_once)
            parts["keep"] = Part(["keep"], self._keep, self._keep_once)
            if self.writer.has_model:
                parts["write"] = Part(["write"], self._write, self._write_once, self.writer.finish)
        for dispatcher in self.dispatchers if Role.DELIVER in roles else ():
            parts[f"deliver:{dispatcher.channel.name}"] = Part(
                dispatcher.roles,
                partial(self._deliver, dispatcher),
                partial(self._deliver_once, dispatcher),
                partial(self._finish, dispatcher),
            )
        for channel in self.channels if Role.LISTEN in roles else ():
            parts[f"listen:{channel.name}"] = Part([f"listen:{channel.name}"], partial(self._listen, channel))
        return parts

    async def _poll_once(self, now: datetime) -> None:
        if await self.publisher.poll(now):
            await self._beat()
        while await self.publisher.step(now):
            pass
        await self.welcome_residents(now)

    async def _keep_once(self, now: datetime) -> None:
        await self.keeper.step(now)

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

    async def _deliver_once(self, dispatcher: Dispatcher, now: datetime) -> None:
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
        while await until(stop, asyncio.ensure_future(self.keeper.step(clock()))):
            await pause(ROUND, stop)

    async def _deliver(self, dispatcher: Dispatcher, stop: asyncio.Event) -> None:
        while not stop.is_set():
            if not await dispatcher.step(clock()):
                await pause(TICK, dispatcher.landed, stop)

    async def _finish(self, dispatcher: Dispatcher, patience: float) -> None:
        await dispatcher.finish(clock(), patience=patience)

    async def _give_notice(self, stop: asyncio.Event) -> None:
        await until(stop, asyncio.ensure_future(self.notices.run()))
        await self._flush_notices()

    async def _flush_notices(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                await self.notices.flush()

    async def _listen(self, channel: Channel, stop: asyncio.Event) -> None:
        await until(stop, asyncio.ensure_future(channel.listen(self.commands)))

    async def welcome_residents(self, now: datetime) -> None:
        """Subscribe those who are there without having asked, as soon as there is an edition to greet them with."""
        async with self.store.read() as connection:
            if await editions.latest_day(connection, Cadence.DAY) is None:
                return
        wanted = Preferences(language=match(self.settings.default_language), timezone=self.settings.default_timezone)
        for channel in self.channels:
            for recipient in channel.residents:
                await self.commands.subscribe(Address(channel.name, recipient), wanted, now)


@asynccontextmanager
async def open_app(
    home: Path, environ: Mapping[str, str], *, only: str | None = None, progress: Progress | None = None
) -> AsyncIterator[App]:
    """Wire everything from the settings in `environ`, with the channels that are configured, or just `only` one.

    Raises SettingsError, StoreError.
    """
    core = settings.read(Settings, environ)
    async with AsyncExitStack() as stack:
        store = Store.open(core.database_url.get_secret_value(), home)
        stack.push_async_callback(store.close)
        await store.migrate()
        await settle_restored(store, clock())
        locks = make_locks(store.engine.url, store.path)
        stack.push_async_callback(locks.close)
        feed = await stack.enter_async_context(Feed(core.feed_url.get_secret_value()))
        channels = [
            await stack.enter_async_context(open_channel(name, environ, home, store))
            for name in ([only] if only else configured(environ))
        ]
        language = match(core.default_language)
        writer = await _writer(core, home, store, stack)
        notices = Notices(channels, core.admins, language)
        yield App(
            home=home,
            settings=core,
            store=store,
            locks=locks,
            feed=feed,
            channels=channels,
            publisher=Publisher(
                store,
                feed,
                interval=core.poll_interval,
                closes=core.edition_closes,
                progress=progress,
                tell=notices.tell,
            ),
            dispatchers=[
                Dispatcher(store, channel, locks, tell=notices.tell, writes=writer.has_model) for channel in channels
            ],
            keeper=Keeper(store, notices.tell, closes=core.edition_closes),
            writer=writer,
            notices=notices,
            commands=Readers(
                store,
                channels,
                fallback=Preferences(language=language, timezone=core.default_timezone),
                closes=core.edition_closes,
                access=Access(Admission(core.access), core.codes, core.allowed, core.admins),
                styles=tuple(Style) if writer.has_model else WITHOUT_MODEL,
            ),
        )


async def _writer(core: Settings, home: Path, store: Store, stack: AsyncExitStack) -> Writer:
    """Who has texts written, with the model of the settings where there is one; it is imported only then."""
    make = partial(Writer, store, concurrency=core.llm_concurrency, budget=core.llm_budget_tokens)
    if not core.endpoints:
        return make(None)
    named = [Endpoint(*each) for each in core.endpoints]
    try:
        model = await stack.enter_async_context(Model(named, timeout=core.llm_timeout.total_seconds()))
    except ValueError as error:
        raise SettingsError(f"{error}.") from None
    texts = await stack.enter_async_context(FullTexts(home / CACHE))
    return make(model, source=Sources(texts, window=core.llm_window), collect=partial(collect, texts, home / CACHE))


def configured(environ: Mapping[str, str]) -> list[str]:
    """The channels that the operator set up, or the one that needs no setting up."""
    return [name for name in CHANNELS if channel_settings(name, environ).configured] or [STANDING_IN]


def channel_settings(name: str, environ: Mapping[str, str]) -> ChannelSettings:
    """A channel's own settings. Raises SettingsError."""
    found: ChannelSettings = settings.read(settings_class(name), environ)  # type: ignore[assignment]
    return found


def settings_class(name: str) -> type[BaseModel]:
    """The class that a channel's settings are read into."""
    found: type[BaseModel] = import_module(f"channels.{name}").Settings
    return found


def recipients(environ: Mapping[str, str], home: Path, store: Store) -> Callable[[Address], Address]:
    """What brings addresses into the form in which they are stored; no channel logs in for it.

    It raises ValueError, with a sentence, for what is no address of a channel there is.
    """
    channels: dict[str, Channel] = {}

    def stored_form(address: Address) -> Address:
        if address.channel not in CHANNELS:
            raise ValueError(f"there is no channel {address.channel!r}; there are: {', '.join(CHANNELS)}")
        if address.channel not in channels:
            channels[address.channel] = open_channel(address.channel, environ, home, store)
        return Address(address.channel, channels[address.channel].recipient(address.recipient))

    return stored_form


def open_channel(name: str, environ: Mapping[str, str], home: Path, store: Store) -> Channel:
    """A channel, not yet logged in. Raises SettingsError."""
    if name not in CHANNELS:
        raise SettingsError(f"There is no channel named {name}; there are: {', '.join(CHANNELS)}.")
    kit = Kit(home=home, pictures=home / CACHE, memory=ChannelMemory(store, name), template=template)
    opened: Channel = import_module(f"channels.{name}").open(channel_settings(name, environ), kit)
    return opened
