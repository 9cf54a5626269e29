"""Probes for the operator's monitoring: liveness, readiness, metrics."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from hmac import compare_digest
from http import HTTPStatus

from aiohttp import web

from bot.store import Store
from bot.web import health
from bot.web.metrics import MEDIA_TYPE, Metrics

NO_STORE = {"Cache-Control": "no-store"}


class ProbeRoutes:
    """/healthz for everybody; /readyz and /metrics for requests with the `token`, and for nobody without one.

    `channels` are those whose health is checked, `interval` is the time between two polls of the feed.
    """

    def __init__(
        self,
        store: Store,
        metrics: Metrics,
        clock: Callable[[], datetime],
        *,
        channels: Sequence[str],
        interval: timedelta,
        token: str | None,
        tells_jobs: bool = False,
    ) -> None:
        """`tells_jobs`: /healthz says what each job of this process does, which visitors need not know."""
        self._store = store
        self._channels = channels
        self._interval = interval
        self._token = token
        self._clock = clock
        self._metrics = metrics
        self._tells_jobs = tells_jobs

    def routes(self) -> list[web.RouteDef]:
        """The probes' routes; they do not move below the path of PUBLIC_URL."""
        return [
            web.get("/healthz", self._is_alive),
            web.get("/readyz", self._is_ready),
            web.get("/metrics", self._show_metrics),
        ]

    async def _is_alive(self, request: web.Request) -> web.StreamResponse:  # noqa: ARG002
        """Alive unless a job hangs, since a restart mends no outage of a service; those of listening are named."""
        stuck = self._metrics.status.stuck()
        said: dict[str, object] = {"alive": not stuck}
        if self._tells_jobs:
            said["jobs"] = self._metrics.status.report()
        said |= await health.listening(self._store)
        status = HTTPStatus.SERVICE_UNAVAILABLE if stuck else HTTPStatus.OK
        return web.json_response(said, status=status, headers=NO_STORE)

    async def _is_ready(self, request: web.Request) -> web.StreamResponse:
        self._check_token(request)
        found = await health.examine(self._store, self._channels, self._interval, self._clock())
        ready = all(each.ok for each in found)
        said = {"ready": ready, "found": {each.subject: {"ok": each.ok, "says": each.says} for each in found}}
        status = HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE
        return web.Response(
            status=status, text=f"{json.dumps(said)}\n", content_type="application/json", headers=NO_STORE
        )

    async def _show_metrics(self, request: web.Request) -> web.StreamResponse:
        self._check_token(request)
        body = await self._metrics.write(self._clock())
        return web.Response(body=body, headers={"Content-Type": MEDIA_TYPE, **NO_STORE})

    def _check_token(self, request: web.Request) -> None:
        """Answer 404 to a request without METRICS_TOKEN as its bearer token (RFC 6750 section 2.1)."""
        shown = request.headers.get("Authorization", "").encode("utf-8", "replace")
        if self._token is None or not compare_digest(shown, f"Bearer {self._token}".encode()):
            raise web.HTTPNotFound
