"""The web side as a part of the program: what it is made of, and listening for as long as it runs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from aiohttp import web

from bot.channel import Link
from bot.commands import ReaderCommands
from bot.commands.process_feedback import FeedbackProcessor
from bot.delivery.session import Session
from bot.model import Style
from bot.signing import SignedLinks
from bot.store import Store
from bot.web.connections import ConnectionLimiter
from bot.web.metrics import Metrics
from bot.web.middleware import LARGEST_BODY, Middleware
from bot.web.pages.contents import Joinable, Pages
from bot.web.pages.edition_feeds import EditionFeeds
from bot.web.pages.layout import LayoutMaker
from bot.web.pages.public import PublicRoutes, style_sheet
from bot.web.pages.thumbnails import Thumbnails
from bot.web.probes import ProbeContext, ProbeRoutes
from bot.web.settings import USUAL_PORT, WebSettings
from bot.web.subscriptions.forms import FormPages
from bot.web.subscriptions.outgoing_mail import OutgoingMail
from bot.web.subscriptions.routes import routes
from bot.web.urls import Urls
from bot.web.webhooks import ChannelHooks, WebhookRoutes

log = logging.getLogger(__name__)

IDLE = 20.0
"""Seconds in which a request's head has to arrive, and after which a connection that asks nothing is closed."""
SHUTDOWN = 2.0
"""Seconds for what is being answered when the program stops, and as many for letters that wait."""


@dataclass(frozen=True, slots=True)
class MailAccess:
    """What it takes to have people subscribe on the web: a channel that sends letters, and who carries wishes out."""

    session: Session
    commands: ReaderCommands
    returns: FeedbackProcessor
    links: SignedLinks


class Web:
    """Serves pages, feeds, and what machines ask. `clock` tells the time; `public` is PUBLIC_URL or empty."""

    def __init__(
        self,
        store: Store,
        settings: WebSettings,
        *,
        public: str,
        language: str,
        styles: Sequence[Style],
        watched: ProbeContext,
        clock: Callable[[], datetime],
        thumbnails: Thumbnails | None = None,
        invitations: Callable[[], Sequence[Link]] = tuple,
        correspondence: MailAccess | None = None,
        hooked: ChannelHooks | None = None,
        metrics: Metrics | None = None,
    ) -> None:
        self._host = settings.host
        self._port = settings.port if settings.port is not None else USUAL_PORT
        self._proxies = settings.proxies
        self._thumbnails = thumbnails
        urls = Urls.below(public or f"http://{settings.host}:{self._port}")
        pages = Pages(
            store,
            LayoutMaker(urls, style_sheet()[0], has_settings=correspondence is not None),
            styles=styles,
            pictures=thumbnails,
            invitations=invitations,
            joining=None if correspondence is None else Joinable(correspondence.commands.by_invitation),
        )
        door = Middleware(public, settings.proxies)
        reading = PublicRoutes(
            pages,
            EditionFeeds(store, urls),
            urls,
            language=language,
            clock=clock,
            client=door.client,
            thumbnails=thumbnails,
        )
        door.refusal = reading.refuse
        token = None if settings.metrics_token is None else settings.metrics_token.get_secret_value()
        self.app = web.Application(middlewares=[door.admit], client_max_size=LARGEST_BODY)
        self.outgoing_mail = None if correspondence is None else OutgoingMail(correspondence.session)
        found = ProbeRoutes(store, watched, token, clock, metrics or Metrics(store)).routes()
        if correspondence is not None and self.outgoing_mail is not None:
            forms = FormPages(
                store=store,
                pages=pages,
                urls=urls,
                links=correspondence.links,
                commands=correspondence.commands,
                returns=correspondence.returns,
                channel=correspondence.session.channel,
                outgoing_mail=self.outgoing_mail,
                clock=clock,
                client=door.client,
            )
            found += routes(forms, reading.in_a_language)
            if settings.hook_secret is not None:
                hooks = WebhookRoutes(correspondence.returns, settings.hook_secret.get_secret_value(), clock)
                found.append(web.post(f"{urls.root}/hooks/mail", hooks.mail))
        if hooked is not None:
            found.append(web.post(f"{urls.root}/hooks/{{channel}}", hooked.take))
        self.app.add_routes([*found, *reading.routes()])
        self.home = f"{urls.origin}{urls.root}/"
        """Where readers find it."""
        self.address: tuple[str, int] | None = None
        """Where it listens, while it does."""
        self.listening = asyncio.Event()

    async def run(self, stop: asyncio.Event) -> None:
        """Listen until told to stop. Raises OSError where the port cannot be had."""
        # aiohttp's own log would name the visitor of a request that it cannot read.
        quiet = logging.getLogger(f"{__name__}.protocol")
        quiet.disabled = True
        runner = web.AppRunner(
            self.app,
            access_log=None,
            logger=quiet,
            keepalive_timeout=IDLE,
            shutdown_timeout=SHUTDOWN / 2,  # aiohttp waits for it twice
        )
        await runner.setup()
        assert runner.server is not None
        gate = ConnectionLimiter(runner.server, proxies=self._proxies)
        try:
            listener = await asyncio.get_running_loop().create_server(gate, self._host, self._port)
        except OSError:
            await runner.cleanup()
            raise
        host, port = listener.sockets[0].getsockname()[:2]
        self.address = (host, port)
        self.listening.set()
        log.info("web side listens", extra={"host": host, "port": port})
        tasks = [asyncio.ensure_future(gate.watch())]
        if self._thumbnails is not None:
            tasks.append(asyncio.ensure_future(self._thumbnails.run()))
        if self.outgoing_mail is not None:
            tasks.append(asyncio.ensure_future(self.outgoing_mail.run()))
        try:
            await stop.wait()
        finally:
            self.address = None
            self.listening.clear()
            listener.close()
            await runner.cleanup()
            if self.outgoing_mail is not None:  # whoever was told to look into their mailbox is to find something there
                await self.outgoing_mail.finish(SHUTDOWN)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
