"""The composition root: read this and you know the system.

The publisher polls the feed and publishes editions, a dispatcher per channel delivers them, and channels listen for
readers' commands. All of them work on one database and know nothing of each other.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from bot import settings
from bot.channel import Mailing
from bot.channel_loader import (
    CACHE,
    accounts,
    configured,
    core_settings,
    count_accounts,
    media_folder,
    open_channel,
)
from bot.commands import ReaderCommands, styles_with
from bot.commands.process_feedback import FeedbackProcessor
from bot.delivery.alerts import Alert, Alerts
from bot.delivery.channel_jobs import ChannelJobs
from bot.delivery.dispatcher import Dispatcher
from bot.delivery.housekeeping import Housekeeping
from bot.delivery.listening import ListeningMonitor
from bot.delivery.page_completion import page_completer
from bot.delivery.recording_sender import recording_sender
from bot.delivery.rendering import FindRecording
from bot.delivery.session import Session
from bot.media.illustrator import Illustrator
from bot.media.media_store import MediaStore
from bot.media.speech.assembly import make_narrator
from bot.media.speech.recording_finder import RecordingFinder
from bot.model import Preferences
from bot.publishing.feed import Feed
from bot.publishing.past_lists import PastLists
from bot.publishing.poller import Progress
from bot.publishing.publisher import Publisher
from bot.render.words import match
from bot.rules.access import Access, Admission
from bot.runtime.clock import Clock
from bot.runtime.http import Fetcher
from bot.runtime.locks import Locks, make_locks
from bot.runtime.locks.role_names import ILLUSTRATE, KEEP, NARRATE, POLL, WRITE
from bot.runtime.supervisor import clock
from bot.service import Incoming, Service, Workers
from bot.settings import Settings, SettingsError
from bot.signing import SignedLinks
from bot.store import Store
from bot.store.restore import skip_restored
from bot.store.signing_key import load_secret
from bot.summaries.fulltext.library import PAUSE, FullTextLibrary
from bot.summaries.fulltext.prompt_source import PromptSources
from bot.summaries.llm import Endpoint, Model
from bot.summaries.paper_pictures import PaperPictures, thumbnail_file
from bot.summaries.second_opinion import SecondOpinion
from bot.summaries.wanted import WantedTexts
from bot.summaries.writer import Writer
from bot.web.application import MailAccess, WebContext, WebFiles, make_probes
from bot.web.health_server import HealthServer
from bot.web.metrics import Metrics
from bot.web.pages.recordings import Recordings
from bot.web.pages.thumbnails import Thumbnails
from bot.web.server import Web
from bot.web.settings import WebSettings
from bot.web.webhooks import ChannelHooks


@dataclass(frozen=True, slots=True)
class Base:
    """Dependencies that every part of the program shares: settings, database, locks, signed links."""

    home: Path
    environ: Mapping[str, str]
    core: Settings
    web: WebSettings
    channels: Sequence[str]
    """The names of the channels that are served."""
    store: Store
    locks: Locks
    links: SignedLinks
    stack: AsyncExitStack
    """Closes what was opened."""

    @property
    def media(self) -> MediaStore:
        """Pictures and recordings."""
        return MediaStore(media_folder(self.core, self.home))

    @property
    def has_pages(self) -> bool:
        """Whether the web pages are served."""
        return self.web.port is not None or bool(self.core.public_url)

    def under(self, role: str) -> Store:
        """The database for work that is written under the lock of a role alone."""
        return self.store.fenced(self.locks, partial(list, [role]))


@asynccontextmanager
async def open_app(
    home: Path, environ: Mapping[str, str], *, only: str | None = None, progress: Progress | None = None
) -> AsyncIterator[Service]:
    """Wire the program from the settings in `environ`, with all configured channels or `only` one.

    Raises SettingsError, StoreError.
    """
    async with AsyncExitStack() as stack:
        base = await _open_base(home, environ, stack, only)
        core = base.core
        feed = await stack.enter_async_context(Feed(core.feed_url.get_secret_value()))
        served = await accounts(base.channels, environ, base.store)
        sessions = []
        for each in served:
            channel = open_channel(each.channel, environ, home, base.store, base.links, each)
            sessions.append(await stack.enter_async_context(Session(channel, base.store, each.key)))
        alerts = Alerts(sessions, core.admins, match(core.default_language))
        alert = alerts.alert
        time = Clock({"database": base.store.server_time, "feed": feed.server_time}, alert)
        metrics, monitor = Metrics(base.store), ListeningMonitor(base.store, alert)
        names = [session.channel.name for session in sessions]
        workers = await _workers(base, feed, names, alert=alert, may_expire=time.may_expire, progress=progress)
        narrator = workers.narrator
        find = RecordingFinder(base.media, narrator.podcast, core.public_url).find if narrator.has_voice else None
        commands = _commands(base, sessions, workers, alert=alert, monitor=monitor, feed=feed, find=find)
        incoming = Incoming(commands, FeedbackProcessor(base.store, base.links))
        web = _web_context(base, sessions, workers, incoming, metrics=metrics, clock=time.now)
        jobs = _channel_jobs(
            base, sessions, alert=alert, monitor=monitor, metrics=metrics, time=time, workers=workers, find=find
        )
        yield Service(
            settings=core,
            store=base.store,
            locks=base.locks,
            clock=time,
            workers=workers,
            channel_jobs=jobs,
            incoming=incoming,
            alerts=alerts,
            status=metrics.status,
            web=Web(web) if base.has_pages else None,
            probes=_health_server(web),
        )


async def _open_base(home: Path, environ: Mapping[str, str], stack: AsyncExitStack, only: str | None) -> Base:
    """Read the settings, and open the database, brought up to date. Raises SettingsError, StoreError."""
    core, web = core_settings(environ), settings.read(WebSettings, environ)
    channels = [only] if only else configured(environ)
    store = Store.open(core.database_url.get_secret_value(), home, accounts=count_accounts(channels, environ))
    stack.push_async_callback(store.close)
    await store.migrate()
    await skip_restored(store, clock())
    locks = make_locks(store.engine.url, store.path)
    stack.push_async_callback(locks.close)
    links = SignedLinks(core.keys or [await load_secret(store)], core.public_url or None)
    return Base(home, environ, core, web, channels, store, locks, links, stack)


async def _workers(
    base: Base,
    feed: Feed,
    channels: Sequence[str],
    *,
    alert: Alert,
    may_expire: Callable[[], bool],
    progress: Progress | None,
) -> Workers:
    """Wire the jobs that make editions. Raises SettingsError."""
    core = base.core
    texts = await base.stack.enter_async_context(FullTextLibrary(base.home / CACHE))
    writer = await _writer(base, texts, alert)
    pictures = PaperPictures(WantedTexts(base.store), texts, base.home / CACHE)
    publisher = Publisher(
        base.under(POLL),
        feed,
        alert=alert,
        interval=core.poll_interval,
        closes=core.edition_closes,
        progress=progress,
    )
    housekeeping = Housekeeping(
        base.under(KEEP),
        alert,
        closes=core.edition_closes,
        channels=channels,
        keep=timedelta(days=core.keep_unsubscribed),
        may_expire=may_expire,
        drop_files=base.media.drop_old,
    )
    folder = media_folder(core, base.home)
    narrator = make_narrator(base.environ, folder, base.under(NARRATE), writes=writer.has_model)
    return Workers(publisher, housekeeping, writer, await _illustrator(base, writer), pictures, narrator)


def _channel_jobs(
    base: Base,
    sessions: Sequence[Session],
    *,
    alert: Alert,
    monitor: ListeningMonitor,
    metrics: Metrics,
    time: Clock,
    workers: Workers,
    find: FindRecording | None,
) -> Sequence[ChannelJobs]:
    """Wire the jobs of each channel."""
    return [
        ChannelJobs(
            session,
            Dispatcher(
                base.store,
                session.channel,
                base.locks,
                rate_limiter=session.rate_limiter,
                alert=alert,
                writes=workers.writer.has_model,
                links=base.links,
                observe=metrics.observe,
                may_expire=time.may_expire,
                find_recording=find,
            ),
            recording_sender(base.store, base.locks, session, find),
            page_completer(base.store, base.locks, session, workers.narrator.awaits),
            monitor=monitor,
            status=metrics.status,
            now=time.now,
        )
        for session in sessions
    ]


def _web_context(
    base: Base,
    sessions: Sequence[Session],
    workers: Workers,
    incoming: Incoming,
    *,
    metrics: Metrics,
    clock: Callable[[], datetime],
) -> WebContext:
    """Wire the dependencies of the web server."""
    visitors = base.store.for_visitors()
    base.stack.push_async_callback(visitors.close)
    mailing = [session for session in sessions if isinstance(session.channel, Mailing) and base.core.public_url]
    return WebContext(
        store=base.store,
        visitors=visitors,
        core=base.core,
        settings=base.web,
        channels=[session.channel for session in sessions],
        styles=styles_with(workers.writer.has_model),
        clock=clock,
        metrics=metrics,
        files=WebFiles(Thumbnails(base.home / CACHE), base.media, Recordings(base.media, workers.narrator.podcast)),
        mail=MailAccess(mailing[0], incoming.commands, incoming.feedback, base.links) if mailing else None,
        hooks=ChannelHooks(sessions, incoming.commands),
    )


def _commands(
    base: Base,
    sessions: Sequence[Session],
    workers: Workers,
    *,
    alert: Alert,
    monitor: ListeningMonitor,
    feed: Feed,
    find: FindRecording | None,
) -> ReaderCommands:
    """Wire the readers' commands, which all channels share."""
    core = base.core
    return ReaderCommands(
        base.store,
        [session.channel for session in sessions],
        fallback=Preferences(language=match(core.default_language), timezone=core.default_timezone),
        closes=core.edition_closes,
        access=Access(Admission(core.access), core.codes, core.allowed, core.admins),
        styles=styles_with(workers.writer.has_model),
        rate_limiters={session.channel.name: session.rate_limiter for session in sessions},
        alert=alert,
        monitor=monitor,
        past_list=PastLists(feed).of,
        find_recording=find,
        media=base.media.path,
        translate=workers.writer.translate_topics,
    )


async def _writer(base: Base, texts: FullTextLibrary, alert: Alert) -> Writer:
    """The writer of summaries, with the language model of the settings if there is one. Raises SettingsError."""
    core, store = base.core, base.under(WRITE)
    make = partial(Writer, store, concurrency=core.llm_concurrency, budget=core.llm_budget_tokens)
    if not core.endpoints:
        return make(None)
    model = await base.stack.enter_async_context(_model(core, core.endpoints))
    second = None
    if core.check_endpoints:
        second = SecondOpinion(store, await base.stack.enter_async_context(_model(core, core.check_endpoints)))
    return make(model, source=PromptSources(texts), second=second, alert=alert)


async def _illustrator(base: Base, writer: Writer) -> Illustrator:
    """Wire the job that draws pictures of editions, in every language if there are web pages."""
    cache = base.home / CACHE
    fetcher = await base.stack.enter_async_context(Fetcher(pause=PAUSE))
    fetch = partial(thumbnail_file, folder=cache, fetcher=fetcher)
    always = None if base.has_pages else [match(base.core.default_language)]
    return Illustrator(
        base.under(ILLUSTRATE),
        base.media,
        thumbnail=fetch,
        cache=cache,
        always=always,
        translate=writer.translate_keywords,
    )


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
