"""The web server: listens for as long as the program runs."""

from __future__ import annotations

import asyncio
import logging

from aiohttp import web

from bot.web.application import WebContext, make_application
from bot.web.connections import ConnectionLimiter
from bot.web.subscriptions.outgoing_mail import OutgoingMail

log = logging.getLogger(__name__)

IDLE = 20.0
"""Seconds in which a request's head has to arrive, and after which an idle connection is closed."""
SHUTDOWN = 2.0
"""Seconds that requests under way get when the program stops, and as many for mails that wait."""


class Web:
    """Serves the web application, and runs what works beside it: thumbnails and outgoing mail."""

    def __init__(self, context: WebContext) -> None:
        self._context = context
        self.outgoing_mail = None if context.mail is None else OutgoingMail(context.mail.session)
        self.app = make_application(context, self.outgoing_mail)
        self.home = context.urls.whole(f"{context.urls.root}/")
        """The address that readers find it at."""
        self.address: tuple[str, int] | None = None
        """Host and port while it listens."""
        self.listening = asyncio.Event()

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until told to stop. Raises OSError if the port cannot be had."""
        # aiohttp's own log would name the client of a request that it cannot parse.
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
        settings = self._context.settings
        limiter = ConnectionLimiter(runner.server, proxies=settings.proxies)
        try:
            loop = asyncio.get_running_loop()
            listener = await loop.create_server(limiter, settings.host, self._context.port)
        except OSError:
            await runner.cleanup()
            raise
        host, port = listener.sockets[0].getsockname()[:2]
        self.address = (host, port)
        self.listening.set()
        log.info("web server listening", extra={"host": host, "port": port})
        workers = [
            worker.run() for worker in (self._context.files.thumbnails, self.outgoing_mail) if worker is not None
        ]
        tasks = [asyncio.ensure_future(work) for work in (limiter.watch(), *workers)]
        try:
            await stop.wait()
        finally:
            self.address = None
            self.listening.clear()
            listener.close()
            await runner.cleanup()
            if self.outgoing_mail is not None:  # visitors were told to look for a mail
                await self.outgoing_mail.finish(SHUTDOWN)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
