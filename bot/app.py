"""The composition root: read this and you know the system.

The publisher polls the feed and publishes editions, a dispatcher per channel delivers them, and channels listen for
readers' commands. All of them work on one database and know nothing of each other.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Protocol

from pydantic import BaseModel

from bot import settings
from bot.channel import Channel, Kit, Mailing
from bot.commands import ReaderCommands, styles_with
from bot.commands.process_feedback import FeedbackProcessor
from bot.delivery.alerts import Alert, Alerts
from bot.delivery.dispatcher import Dispatcher
from bot.delivery.housekeeping import Housekeeping
from bot.delivery.listening import ListeningMonitor
from bot.delivery.recording_sender import recording_senders
from bot.delivery.rendering import FindRecording
from bot.delivery.session import Session
from bot.media.illustrator import Illustrator
from bot.media.media_store import MediaStore
from bot.media.speech.assembly import make_narrator, speech_settings
from bot.media.speech.recording_finder import RecordingFinder
from bot.media.speech.settings import SpeechSettings
from bot.model import Address, Preferences
from bot.publishing.feed import Feed
from bot.publishing.past_lists import PastLists
from bot.publishing.poller import Progress
from bot.publishing.publisher import Publisher
from bot.render.branding import LogoError, branding, read_logo
from bot.render.catalogue import languages
from bot.render.templates import template
from bot.render.words import match
from bot.rules.access import Access, Admission
from bot.runtime.clock import Clock
from bot.runtime.http import Fetcher
from bot.runtime.locks import make_locks
from bot.runtime.supervisor import clock
from bot.service import Service
from bot.settings import Settings, SettingsError
from bot.signing import SignedLinks
from bot.store import Store
from bot.store.channel_memory import ChannelMemory
from bot.store.restore import skip_restored
from bot.store.signing_key import load_secret, make_secret
from bot.summaries.fulltext.library import PAUSE, FullTextLibrary
from bot.summaries.fulltext.prompt_source import PromptSources
from bot.summaries.llm import Endpoint, Model
from bot.summaries.paper_pictures import collect, thumbnail_file
from bot.summaries.second_opinion import SecondOpinion
from bot.summaries.writer import Writer
from bot.web.application import MailAccess, WebContext, make_probes
from bot.web.health_server import HealthServer
from bot.web.metrics import Metrics
from bot.web.pages.recordings import Recordings
from bot.web.pages.thumbnails import Thumbnails
from bot.web.server import Web
from bot.web.settings import WebSettings
from bot.web.webhooks import ChannelHooks

log = logging.getLogger(__name__)

CHANNELS = ("telegram", "discord", "email", "outbox", "site")
"""The channels there are, by the names of their folders, in the order in which they are listed to people."""

FALLBACK_CHANNEL = "outbox"
"""The channel that is used if none is configured."""

FENCED = ("poll", "keep", "write", "illustrate", "narrate")
"""Roles whose work is written under their lock alone; deliveries are under that of their owner."""

CACHE = "cache"
"""The folder, below the program's home, of files that can be fetched again: full texts and pictures of papers."""


class ChannelSettings(Protocol):
    """What the core asks of a channel's settings."""

    @property
    def configured(self) -> bool:
        """Whether the operator has set this channel up."""


@asynccontextmanager
async def open_app(
    home: Path, environ: Mapping[str, str], *, only: str | None = None, progress: Progress | None = None
) -> AsyncIterator[Service]:
    """Wire the program from the settings in `environ`, with all configured channels or `only` one.

    Raises SettingsError, StoreError.
    """
    core, web_settings = core_settings(environ), settings.read(WebSettings, environ)
    async with AsyncExitStack() as stack:
        store = Store.open(core.database_url.get_secret_value(), home)
        stack.push_async_callback(store.close)
        await store.migrate()
        await skip_restored(store, clock())
        locks = make_locks(store.engine.url, store.path)
        stack.push_async_callback(locks.close)
        feed = await stack.enter_async_context(Feed(core.feed_url.get_secret_value()))
        under = {role: store.fenced(locks, partial(list, [role])) for role in FENCED}
        links = SignedLinks(core.keys or [await load_secret(store)], core.public_url or None)
        names = [only] if only else configured(environ)
        channels = [open_channel(name, environ, home, store, links) for name in names]
        sessions = [await stack.enter_async_context(Session(channel, store)) for channel in channels]
        alerts = Alerts(sessions, core.admins, match(core.default_language))
        time = Clock({"database": store.server_time, "feed": feed.server_time}, alerts.alert)
        writer = await _writer(core, home, under["write"], stack, alerts)
        narrator = make_narrator(environ, media_folder(core, home), under["narrate"], writes=writer.has_model)
        feedback, metrics = FeedbackProcessor(store, links), Metrics(store)
        monitor = ListeningMonitor(store, alerts.alert)
        find = RecordingFinder(narrator.media, narrator.podcast, core.public_url).find if narrator.has_voice else None
        commands = _commands(
            core, home, store, sessions, writer, alert=alerts.alert, monitor=monitor, feed=feed, find=find
        )
        dispatch = partial(
            Dispatcher,
            alert=alerts.alert,
            writes=writer.has_model,
            links=links,
            observe=metrics.observe,
            may_expire=time.may_expire,
            find_recording=find,
        )
        publish = partial(Publisher, interval=core.poll_interval, closes=core.edition_closes, progress=progress)
        mailing = next((session for session in sessions if isinstance(session.channel, Mailing)), None)
        has_pages = web_settings.port is not None or bool(core.public_url)
        visitors = store.for_visitors()
        stack.push_async_callback(visitors.close)
        web = WebContext(
            store=store,
            visitors=visitors,
            core=core,
            settings=web_settings,
            channels=channels,
            styles=styles_with(writer.has_model),
            clock=time.now,
            metrics=metrics,
            thumbnails=Thumbnails(home / CACHE),
            media=MediaStore(media_folder(core, home)),
            recordings=Recordings(narrator.media, narrator.podcast),
            mail=MailAccess(mailing, commands, feedback, links) if mailing and core.public_url else None,
            hooks=ChannelHooks(sessions, commands),
        )
        yield Service(
            home=home,
            settings=core,
            store=store,
            locks=locks,
            clock=time,
            sessions=sessions,
            publisher=publish(under["poll"], feed, alert=alerts.alert),
            dispatchers=[dispatch(store, each.channel, locks, rate_limiter=each.rate_limiter) for each in sessions],
            housekeeping=Housekeeping(
                under["keep"],
                alerts.alert,
                closes=core.edition_closes,
                channels=names,
                keep=timedelta(days=core.keep_unsubscribed),
                may_expire=time.may_expire,
            ),
            writer=writer,
            illustrator=await _illustrator(core, home, under["illustrate"], stack, has_pages=has_pages),
            narrator=narrator,
            recording_senders=recording_senders(store, locks, sessions, find),
            alerts=alerts,
            monitor=monitor,
            feedback=feedback,
            commands=commands,
            status=metrics.status,
            probes=_health_server(web),
            web=Web(web) if has_pages else None,
        )


def _commands(
    core: Settings,
    home: Path,
    store: Store,
    sessions: Sequence[Session],
    writer: Writer,
    *,
    alert: Alert,
    monitor: ListeningMonitor,
    feed: Feed,
    find: FindRecording | None,
) -> ReaderCommands:
    """What readers can ask on every channel."""
    return ReaderCommands(
        store,
        [session.channel for session in sessions],
        fallback=Preferences(language=match(core.default_language), timezone=core.default_timezone),
        closes=core.edition_closes,
        access=Access(Admission(core.access), core.codes, core.allowed, core.admins),
        styles=styles_with(writer.has_model),
        rate_limiters={session.channel.name: session.rate_limiter for session in sessions},
        alert=alert,
        monitor=monitor,
        past_list=PastLists(feed).of,
        find_recording=find,
        media=MediaStore(media_folder(core, home)).path,
        translate=writer.translate_topics,
    )


async def _writer(core: Settings, home: Path, store: Store, stack: AsyncExitStack, alerts: Alerts) -> Writer:
    """The writer of summaries, with the language model of the settings if there is one. Raises SettingsError."""
    make = partial(Writer, store, concurrency=core.llm_concurrency, budget=core.llm_budget_tokens)
    if not core.endpoints:
        return make(None)
    model = await stack.enter_async_context(_model(core, core.endpoints))
    second = None
    if core.check_endpoints:
        second = SecondOpinion(store, await stack.enter_async_context(_model(core, core.check_endpoints)))
    texts = await stack.enter_async_context(FullTextLibrary(home / CACHE))
    pictures = partial(collect, texts, home / CACHE)
    return make(model, source=PromptSources(texts), second=second, collect=pictures, alert=alerts.alert)


async def _illustrator(
    core: Settings, home: Path, store: Store, stack: AsyncExitStack, *, has_pages: bool
) -> Illustrator:
    """What draws the pictures of editions, for pages in every language. A poster's thumbnail is fetched if missing."""
    fetcher = await stack.enter_async_context(Fetcher(pause=PAUSE))
    fetch = partial(thumbnail_file, folder=home / CACHE, fetcher=fetcher)
    always = None if has_pages else [match(core.default_language)]
    return Illustrator(store, MediaStore(media_folder(core, home)), thumbnail=fetch, cache=home / CACHE, always=always)


def media_folder(core: Settings, home: Path) -> Path:
    """The folder of pictures and recordings (MEDIA_DIR)."""
    return home / core.media_dir.expanduser()


def _model(core: Settings, endpoints: Sequence[tuple[str, str, str]]) -> Model:
    """The client of these endpoints. Raises SettingsError."""
    try:
        return Model(
            [Endpoint(*each) for each in endpoints], timeout=core.llm_timeout.total_seconds(), window=core.llm_window
        )
    except ValueError as error:
        raise SettingsError(f"{error}.") from None


def _health_server(web: WebContext) -> HealthServer | None:
    """The server of the probes alone, if HEALTH_PORT is set."""
    if web.settings.health_port is None:
        return None
    return HealthServer(web.settings.health_host, web.settings.health_port, make_probes(web, tells_jobs=True))


def core_settings(environ: Mapping[str, str]) -> Settings:
    """The core's settings, with a default language that there is; sentences use their name. Raises SettingsError."""
    core = settings.read(Settings, environ)
    branding.name = core.newsletter_name
    if not match(core.default_language, default=""):
        raise SettingsError(f"DEFAULT_LANGUAGE must be one of {', '.join(languages())}; see .env.example.")
    return core


def use_logo(core: Settings, home: Path) -> tuple[int, int] | None:
    """Read the logo for the whole program; its width and height, None without one. Raises SettingsError."""
    try:
        logo = branding.logo = read_logo(home / core.logo) if core.logo else None
    except LogoError as error:
        raise SettingsError(f"LOGO {error}; see .env.example.") from None
    return None if logo is None else (logo.width, logo.height)


def settings_classes() -> list[type[BaseModel]]:
    """The classes that all settings are read into: the core's, the web server's and each channel's."""
    return [Settings, WebSettings, SpeechSettings, *map(settings_class, CHANNELS)]


def configured(environ: Mapping[str, str]) -> list[str]:
    """The names of the channels that are set up, or FALLBACK_CHANNEL."""
    return [name for name in CHANNELS if channel_settings(name, environ).configured] or [FALLBACK_CHANNEL]


def channel_settings(name: str, environ: Mapping[str, str]) -> ChannelSettings:
    """A channel's own settings. Raises SettingsError."""
    found: ChannelSettings = settings.read(settings_class(name), environ)  # type: ignore[assignment]
    return found


def settings_class(name: str) -> type[BaseModel]:
    """The class that a channel's settings are read into."""
    found: type[BaseModel] = import_module(f"channels.{name}").Settings
    return found


def recipients(environ: Mapping[str, str], home: Path, store: Store) -> Callable[[Address], Address]:
    """A function that normalises addresses as they are stored. No channel logs in for it.

    The function raises ValueError, with a sentence, for an address that no channel accepts.
    """
    channels: dict[str, Channel] = {}

    def stored_form(address: Address) -> Address:
        if address.channel not in CHANNELS:
            raise ValueError(f"there is no channel {address.channel!r}; there are: {', '.join(CHANNELS)}")
        if address.channel not in channels:
            channels[address.channel] = open_channel(address.channel, environ, home, store)
        return Address(address.channel, channels[address.channel].recipient(address.recipient))

    return stored_form


def open_channel(
    name: str, environ: Mapping[str, str], home: Path, store: Store, links: SignedLinks | None = None
) -> Channel:
    """A channel, not logged in yet. Without `links` it signs with a throw-away key. Raises SettingsError."""
    if name not in CHANNELS:
        raise SettingsError(f"There is no channel named {name}; there are: {', '.join(CHANNELS)}.")
    core = settings.read(Settings, environ)
    kit = Kit(
        home=home,
        pictures=home / CACHE,
        memory=ChannelMemory(store, name),
        template=template,
        links=links or SignedLinks([make_secret()], core.public_url or None),
        media=MediaStore(media_folder(core, home)).path,
        reads_aloud=speech_settings(environ).configured,
        logo=use_logo(core, home),
    )
    opened: Channel = import_module(f"channels.{name}").open(channel_settings(name, environ), kit)
    return opened
