"""A small web server for the operator's monitoring alone, beside whatever jobs a process runs (HEALTH_PORT)."""

from __future__ import annotations

import asyncio
import logging

from aiohttp import web

from bot.web.probes import ProbeRoutes

log = logging.getLogger(__name__)


class HealthServer:
    """Serves the probes on a port of its own."""

    def __init__(self, host: str, port: int, probes: ProbeRoutes) -> None:
        self._host, self._port, self._probes = host, port, probes
        self.address: tuple[str, int] | None = None
        """Host and port while it listens."""
        self.listening = asyncio.Event()

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until told to stop. Raises OSError if the port cannot be had."""
        app = web.Application()
        app.add_routes(self._probes.routes())
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        try:
            await web.TCPSite(runner, self._host, self._port).start()
            host, port = runner.addresses[0][:2]
            self.address = (host, port)
            self.listening.set()
            log.info("probes listening", extra={"host": host, "port": port})
            await stop.wait()
        finally:
            self.address = None
            self.listening.clear()
            await runner.cleanup()
