"""What machines of the operator's ask: is the program alive, is it well, what are its figures."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hmac import compare_digest
from http import HTTPStatus

from aiohttp import web

from bot.store import Store
from bot.web import health
from bot.web.metrics import MEDIA_TYPE, Metrics

NOT_KEPT = {"Cache-Control": "no-store"}


@dataclass(frozen=True, slots=True)
class ProbeContext:
    """What is looked at beside the database: the channels in use, how often the feed is read."""

    channels: Sequence[str]
    interval: timedelta


class ProbeRoutes:
    """Answers machines: /healthz everybody's, /readyz and /metrics those that show the `token`; None shuts them."""

    def __init__(
        self, store: Store, watched: ProbeContext, token: str | None, clock: Callable[[], datetime], metrics: Metrics
    ) -> None:
        self._store = store
        self._watched = watched
        self._token = token
        self._clock = clock
        self._metrics = metrics

    def routes(self) -> list[web.RouteDef]:
        """Where each of them is: at the top, wherever the pages are."""
        return [
            web.get("/healthz", self._is_alive),
            web.get("/readyz", self._is_ready),
            web.get("/metrics", self._figures),
        ]

    async def _is_alive(self, request: web.Request) -> web.StreamResponse:  # noqa: ARG002
        return web.json_response({"alive": True}, headers=NOT_KEPT)

    async def _is_ready(self, request: web.Request) -> web.StreamResponse:
        self._let_operator_in(request)
        watched = self._watched
        found = await health.examine(self._store, watched.channels, watched.interval, self._clock())
        ready = all(each.ok for each in found)
        said = {"ready": ready, "found": {each.subject: {"ok": each.ok, "says": each.says} for each in found}}
        status = HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE
        return web.Response(
            status=status,
            text=f"{json.dumps(said)}\n",
            content_type="application/json",
            headers=NOT_KEPT,
        )

    async def _figures(self, request: web.Request) -> web.StreamResponse:
        self._let_operator_in(request)
        body = await self._metrics.write(self._clock())
        return web.Response(body=body, headers={"Content-Type": MEDIA_TYPE, **NOT_KEPT})

    def _let_operator_in(self, request: web.Request) -> None:
        """Whoever shows METRICS_TOKEN (RFC 6750 section 2.1); for all others there is nothing here."""
        shown = request.headers.get("Authorization", "").encode("utf-8", "replace")
        if self._token is None or not compare_digest(shown, f"Bearer {self._token}".encode()):
            raise web.HTTPNotFound
