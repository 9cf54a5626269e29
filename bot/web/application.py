"""The web application: its pages, feeds, probes and webhooks, wired together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from aiohttp import web

from bot.channel import Channel, CommandName, DeepLinking, Inviting
from bot.commands import ReaderCommands
from bot.commands.process_feedback import FeedbackProcessor
from bot.delivery.session import Session
from bot.media.media_store import MediaStore
from bot.model import Style, channel_of
from bot.render.words import match
from bot.settings import Settings
from bot.signing import SignedLinks
from bot.store import Store
from bot.web.metrics import Metrics
from bot.web.middleware import LARGEST_BODY, Middleware, client_of
from bot.web.pages.contents import Pages
from bot.web.pages.drawn_pictures import PictureFinder
from bot.web.pages.edition_feeds import EditionFeeds
from bot.web.pages.feed_builder import FeedBuilder
from bot.web.pages.layout import LayoutMaker
from bot.web.pages.logo_route import logo_routes
from bot.web.pages.podcast_routes import PodcastRoutes
from bot.web.pages.public import PublicRoutes, style_sheet
from bot.web.pages.recordings import Recordings
from bot.web.pages.report_route import ReportRoute
from bot.web.pages.search_page import SearchPages
from bot.web.pages.site_files import SiteFiles
from bot.web.pages.subscribe_box import Invitation, SubscribeForm, SubscribeOffers
from bot.web.pages.thumbnail_routes import ThumbnailRoutes
from bot.web.pages.thumbnails import Thumbnails
from bot.web.pages.topic_pages import TopicPages
from bot.web.probes import ProbeRoutes
from bot.web.settings import USUAL_PORT, WebSettings
from bot.web.subscriptions.forms import FormPages
from bot.web.subscriptions.outgoing_mail import OutgoingMail
from bot.web.subscriptions.routes import routes
from bot.web.urls import Urls
from bot.web.webhooks import ChannelHooks, WebhookRoutes


@dataclass(frozen=True, slots=True)
class MailAccess:
    """Dependencies of subscribing on the web: a channel that sends mails, the readers' commands, and signed links."""

    session: Session
    commands: ReaderCommands
    feedback: FeedbackProcessor
    links: SignedLinks


@dataclass(frozen=True, slots=True)
class WebFiles:
    """The files that the web server serves."""

    thumbnails: Thumbnails | None = None
    """Pictures of papers."""
    media: MediaStore | None = None
    """Pictures of editions."""
    recordings: Recordings | None = None
    """None where nothing is read aloud."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebContext:
    """The dependencies of the web server. `styles` are those that visitors may choose, the usual one first."""

    store: Store
    visitors: Store
    """The same database for what visitors look at, with a pool and deadlines of its own."""
    core: Settings
    settings: WebSettings
    channels: Sequence[Channel]
    styles: Sequence[Style]
    clock: Callable[[], datetime]
    metrics: Metrics
    files: WebFiles
    mail: MailAccess | None = None
    """None if nobody can subscribe by mail."""
    hooks: ChannelHooks | None = None
    """None if no service may post here."""

    @property
    def port(self) -> int:
        """The port to listen on; 0 is any free one."""
        return USUAL_PORT if self.settings.port is None else self.settings.port

    @property
    def urls(self) -> Urls:
        """The addresses of pages: below PUBLIC_URL, else on this machine."""
        return Urls.below(self.core.public_url or f"http://{self.settings.host}:{self.port}")

    def invitations(self, line: str, language: str) -> Sequence[Invitation]:
        """Links to the channels that a visitor can subscribe in.

        Where a link can, it runs the command line there; where it cannot, the visitor is told what to type. Of several
        bots the last one that is there is named: an operator adds one when those before it are full.
        """
        found: dict[str, Invitation] = {}
        for channel in self.channels:
            deep = channel.link_to(line) if isinstance(channel, DeepLinking) else None
            link = deep or (channel.invitation if isinstance(channel, Inviting) else None)
            if link is not None:
                name = line.partition(" ")[0]
                wanted = name if name == CommandName.SUBSCRIBE else line
                typed = "" if deep else channel.typed(wanted, language)
                found[channel_of(channel.name)] = Invitation(link.label, link.url, typed)
        return list(found.values())


def make_probes(context: WebContext, *, tells_jobs: bool = False) -> ProbeRoutes:
    """The probes for monitoring; with `tells_jobs` for a port that no visitor sees."""
    token = context.settings.metrics_token
    return ProbeRoutes(
        context.store,
        context.metrics,
        context.clock,
        channels=[channel.name for channel in context.channels],
        interval=context.core.poll_interval,
        token=None if token is None else token.get_secret_value(),
        tells_jobs=tells_jobs,
    )


def make_application(context: WebContext, outgoing: OutgoingMail | None) -> web.Application:
    """The application, ready to be served. `outgoing` sends the mails of `context.mail`."""
    urls, settings, mail = context.urls, context.settings, context.mail
    client = partial(client_of, proxies=settings.proxies)
    layouts, drawn = _layouts(context), PictureFinder(context.files.media, urls)
    pages = Pages(
        context.visitors,
        layouts,
        styles=context.styles,
        thumbnails=context.files.thumbnails,
        recordings=context.files.recordings,
        drawn=drawn,
        keep=context.core.keep_unsubscribed,
    )
    public = PublicRoutes(
        pages,
        SearchPages(context.visitors, layouts, context.files.thumbnails),
        EditionFeeds(context.visitors, urls),
        TopicPages(context.visitors, layouts, context.files.thumbnails),
        urls,
        language=match(context.core.default_language),
        clock=context.clock,
        client=client,
    )
    reports = ReportRoute(context.store, pages, urls, clock=context.clock, client=client)
    path = f"{urls.root}/{{language}}/papers/{{paper}}/report/{{style}}"
    files = SiteFiles(
        context.visitors, urls, styles=context.styles, clock=context.clock, contact=settings.security_contact
    )
    found = [*make_probes(context).routes(), *_podcast_routes(context), *drawn.routes()]
    found.append(web.post(path, public.in_a_language(reports.take)))
    found += files.routes(public.in_a_language)
    found += FeedBuilder(layouts, context.styles).routes(public.in_a_language)
    if mail is not None and outgoing is not None:
        forms = FormPages(
            store=context.store,
            pages=pages,
            urls=urls,
            links=mail.links,
            commands=mail.commands,
            feedback=mail.feedback,
            channel=mail.session.channel,
            outgoing_mail=outgoing,
            clock=context.clock,
            client=client,
        )
        found += routes(forms, public.in_a_language)
        if settings.hook_secret is not None:
            secret, channel = settings.hook_secret.get_secret_value(), mail.session.channel
            webhooks = WebhookRoutes(mail.feedback, secret, context.clock, weigher=channel)
            found.append(web.post(f"{urls.root}/hooks/mail", webhooks.mail))
    if context.hooks is not None:
        found.append(web.post(f"{urls.root}/hooks/{{channel}}", context.hooks.take))
    middleware = Middleware(context.core.public_url, public.refuse)
    app = web.Application(middlewares=[middleware.handle], client_max_size=LARGEST_BODY)
    found += logo_routes(urls.root)
    if context.files.thumbnails is not None:
        found += ThumbnailRoutes(context.visitors, context.files.thumbnails, context.clock).routes(urls.root)
    app.add_routes([*public.routes(), *found, *public.fallback_routes()])
    return app


def _layouts(context: WebContext) -> LayoutMaker:
    mail = context.mail
    form = None if mail is None else SubscribeForm(mail.commands.by_invitation)
    return LayoutMaker(
        context.urls,
        style_sheet()[0],
        has_settings=mail is not None,
        offers=SubscribeOffers(context.styles, context.invitations, form),
        podcasts=_podcasts(context),
    )


def _podcasts(context: WebContext) -> Sequence[str]:
    """The languages that have a podcast."""
    return () if context.files.recordings is None else context.files.recordings.podcast.languages


def _podcast_routes(context: WebContext) -> Sequence[web.RouteDef]:
    if context.files.recordings is None:
        return []
    return PodcastRoutes(context.visitors, context.urls, context.files.recordings, context.clock).routes()
