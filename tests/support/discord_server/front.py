"""The HTTP front: authentication, rate limits, faults on demand, and responses."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aiohttp import BodyPartReader, web

from tests.support.discord_server.buckets import LimitedError
from tests.support.discord_server.errors import MalformedError, RefusalError
from tests.support.discord_server.faults import HTML, Armed, Way
from tests.support.discord_server.limits import REQUEST
from tests.support.discord_server.messages import Attachment
from tests.support.discord_server.routes import OPEN, ROUTES, Handler
from tests.support.discord_server.service import Call, Service

PREFIX = "/api/v10"


@dataclass(frozen=True)
class Request:
    """A call as it came and as it was answered, kept so that a test can look at what a client really does."""

    route: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any
    files: dict[str, bytes]
    status: int
    """0 where the connection was dropped."""
    code: int
    """Discord's code of a refusal, else 0."""
    at: datetime


class Front:
    """The HTTP side of a service."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.armed: list[Armed] = []
        self.requests: deque[Request] = deque(maxlen=None if service.record else 0)
        self.crashes: list[Exception] = []
        """Mistakes of this server's own, which no client should have to live with."""
        self.closing = asyncio.Event()

    def add_routes(self, app: web.Application) -> None:
        """Put every route of the API into an application."""
        for route, (handler, status) in ROUTES.items():
            method, path = route.split(" ")
            app.router.add_route(method, PREFIX + path, self._serving(route, handler, status))
        app.router.add_route("*", PREFIX + "/{rest:.*}", self._serving("", _unknown, 404))

    def _serving(self, route: str, handler: Handler, status: int) -> Callable[[web.Request], Any]:
        async def serve(request: web.Request) -> web.StreamResponse:
            try:
                return await self._serve(request, route, handler, status)
            except Exception as error:
                self.crashes.append(error)
                raise

        return serve

    async def _serve(self, request: web.Request, route: str, handler: Handler, good: int) -> web.StreamResponse:
        service = self.service
        service.counts["calls"] += 1
        service.counts[route] += 1
        call = Call(route, dict(request.match_info), dict(request.query))
        fault = self._struck(call)
        if fault is not None and fault.way is Way.UNREAD:
            return self._cut(request, call)
        scope = None
        try:
            self._admit(request, route)
            headers = service.buckets.take(route, call.params) if route else {}
            await self._read(request, call)
            fault = fault or self._struck(call)
            if fault is not None and (bad := self._misbehave(fault)):
                return self._sent(request, call, bad)
            if route:
                service.check(call)
            said = handler(service, call)
            response = _answer(said, good if said is not None else 204)
            response.headers.update(headers)
        except LimitedError as limit:
            scope = limit.scope
            response = _answer(limit.json(), 429, limit.headers())
        except RefusalError as refusal:
            if isinstance(refusal, MalformedError):
                service.violated(route, call.body, str(refusal))
            response = _refused(refusal)
        if fault is not None and fault.way is Way.LOST:
            return self._cut(request, call)
        if fault is not None and fault.way is Way.SILENT:
            self._note(request, call, 0, 0)
            await self.closing.wait()
            return self._cut(request, call, noted=True)
        return self._sent(request, call, response, scope)

    def _admit(self, request: web.Request, route: str) -> None:
        agent = request.headers.get("User-Agent", "")
        if route in OPEN or " /webhooks/" in route:
            # discord.py does not say who it is where the token is in the path, and is served all the same.
            if not agent:
                raise RefusalError(40333)
        elif not agent.startswith("DiscordBot ("):
            raise RefusalError(40333)
        elif request.headers.get("Authorization") != f"Bot {self.service.gateway.token}":
            raise RefusalError(status=401)
        if (request.content_length or 0) > REQUEST:
            raise RefusalError(40005)

    async def _read(self, request: web.Request, call: Call) -> None:
        if request.method not in {"POST", "PUT", "PATCH"}:
            return
        if request.content_type == "multipart/form-data":
            payload = await self._parts(request, call)
        else:
            payload = await request.read()
            if payload and request.content_type != "application/json":
                words = "Expected \"Content-Type\" header to be one of {'application/json', 'multipart/form-data'}."
                raise MalformedError([(("_errors",), "CONTENT_TYPE_INVALID", words)])
        if payload:
            try:
                call.body = json.loads(payload)
            except ValueError:
                raise RefusalError(50109) from None

    async def _parts(self, request: web.Request, call: Call) -> bytes:
        payload, total = b"", 0
        async for part in await request.multipart():
            if not isinstance(part, BodyPartReader):
                continue
            content = bytes(await part.read())
            total += len(content)
            if total > REQUEST:
                raise RefusalError(40005)
            if part.name == "payload_json":
                payload = content
            elif (part.name or "").startswith("file"):
                if part.filename is None:
                    raise MalformedError([((part.name or "",), "FILE_NAME_MISSING", "A file needs a name")])
                call.files.append(Attachment(len(call.files), part.filename, content))
        return payload

    def _struck(self, call: Call) -> Any:
        """The first fault that is for this call, which it uses up."""
        if not self.armed:
            return None
        channel, users = self._where(call)
        for each in self.armed:
            if each.fits(call.route, channel, users):
                each.met += 1
                return each.fault
        return None

    def _where(self, call: Call) -> tuple[int | None, set[int]]:
        service, params = self.service, call.params
        by_id = service.by_id.get(int(params["interaction_id"])) if params.get("interaction_id", "").isdigit() else None
        asked = by_id or service.by_token.get(params.get("webhook_token", ""))
        if asked is not None:
            return asked.channel.id, {asked.person.id}
        number = params.get("channel_id", "")
        channel = service.places.channels.get(int(number)) if number.isdigit() else None
        if channel is not None:
            return channel.id, {each.id for each in channel.people}
        recipient = call.body.get("recipient_id") if isinstance(call.body, dict) else None
        return None, {int(recipient)} if str(recipient).isdigit() and recipient is not None else set()

    def _misbehave(self, fault: Any) -> web.Response | None:
        if fault.way is Way.REFUSED:
            return _refused(RefusalError(fault.code, status=fault.status or None, retry_after=fault.retry_after))
        if fault.way is Way.BROKEN:
            if fault.status == 502:
                return web.Response(status=502, body=HTML, content_type="text/html")
            return web.Response(status=fault.status)
        if fault.way is Way.LIMITED:
            limit = LimitedError(fault.retry_after or 1.0, fault.scope)
            return _answer(limit.json(), 429, limit.headers())
        if fault.way is Way.BANNED:
            return web.Response(status=429, body=b"<html>error code: 1015</html>", content_type="text/html")
        return None

    def _cut(self, request: web.Request, call: Call, *, noted: bool = False) -> web.Response:
        if not noted:
            self._note(request, call, 0, 0)
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=500)

    def _sent(
        self, request: web.Request, call: Call, response: web.Response, scope: str | None = None
    ) -> web.StreamResponse:
        code = 0
        if response.status >= 400 and isinstance(response.body, bytes) and response.body.startswith(b"{"):
            code = json.loads(response.body).get("code", 0)
        scope = scope or response.headers.get("X-RateLimit-Scope")
        self.service.buckets.note(response.status, scope)
        self._note(request, call, response.status, code)
        return response

    def _note(self, request: web.Request, call: Call, status: int, code: int) -> None:
        service = self.service
        service.counts[f"status {status}"] += 1
        if code:
            service.counts[f"code {code}"] += 1
        if service.record:
            files = {each.name: each.content for each in call.files}
            headers = dict(request.headers)
            seen = Request(
                call.route, request.path, call.query, headers, call.body, files, status, code, service.clock.now
            )
            self.requests.append(seen)
        service.bell.ring()


def _unknown(service: Service, call: Call) -> Any:
    raise RefusalError(status=404)


def _refused(refusal: RefusalError) -> web.Response:
    headers = {}
    if refusal.status == 429:
        wait = str(max(1, round(refusal.retry_after or 1)))
        headers = {"Retry-After": wait, "X-RateLimit-Scope": "user", "Via": "1.1 google"}
    return _answer(refusal.json(), refusal.status, headers)


def _answer(said: Any, status: int, headers: dict[str, str] | None = None) -> web.Response:
    # The type must stand alone: with a charset behind it, discord.py takes an answer for text.
    body = b"" if said is None else json.dumps(said).encode()
    kind = {"Content-Type": "application/json"} if said is not None else {}
    return web.Response(status=status, body=body, headers=kind | (headers or {}))
