"""What every request passes on its way in and every answer on its way out: host, time, headers, faults, the log."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus
from ipaddress import ip_address
from urllib.parse import urlsplit

from aiohttp import web

from bot.web.client import rate_limit_key
from bot.web.pages.page_cache import RenderedPage
from bot.web.settings import Network
from bot.web.urls import USUAL_PORTS

log = logging.getLogger(__name__)

PATIENCE = 20.0
"""Seconds that a request may take, its body included."""
LARGEST_BODY = 64 << 10
FOR_MACHINES = ("/healthz", "/readyz", "/metrics")
"""Asked by whatever watches over the program, by whatever name it knows the machine; so are hooks."""

POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    # Not no-referrer: with that, browsers send our own forms with `Origin: null`.
    "Referrer-Policy": "same-origin",
    "Server": "papers",
    "X-Content-Type-Options": "nosniff",
}
A_YEAR = 31_536_000

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Refusal = Callable[[web.Request, int], Awaitable[web.Response]]


class Middleware:
    """Lets requests in that are for us, and answers out with what every answer carries."""

    def __init__(self, public: str, proxies: Sequence[Network]) -> None:
        parts = urlsplit(public)
        usual = f":{USUAL_PORTS.get(parts.scheme)}"
        self._host = parts.netloc.lower().removesuffix(usual)
        self._hosts = {self._host, f"{self._host}{usual}"} if ":" not in self._host else {self._host}
        self._headers: Mapping[str, str] = HEADERS
        if parts.scheme == "https":
            self._headers = {**HEADERS, "Strict-Transport-Security": f"max-age={A_YEAR}"}
        self._proxies = proxies
        self._for_machines = (*FOR_MACHINES, f"{parts.path.rstrip('/')}/hooks/")
        self.refusal: Refusal = _bare
        """Makes the page for a status from 400 on."""

    def client(self, request: web.Request) -> str:
        """What a visitor is counted by; never written down."""
        return rate_limit_key(request.remote, request.headers.getall("X-Forwarded-For", []), self._proxies)

    @web.middleware
    async def admit(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """The door as aiohttp takes it: a middleware."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        answer = await self._answer(request, handler)
        for name, value in self._headers.items():
            answer.headers.setdefault(name, value)
        resource = request.match_info.route.resource
        fields = {
            "method": request.method if request.method.isalpha() else "-",
            # The pattern and not the path: paths hold what people searched for, and their tokens.
            "page": "-" if resource is None else resource.canonical,
            "status": answer.status,
            "ms": round((loop.time() - began) * 1000, 1),
        }
        log.info("asked", extra=fields)
        return answer

    async def _answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if not request.path.startswith(self._for_machines) and not self._is_for_us(request.host):
            return web.Response(
                status=HTTPStatus.MISDIRECTED_REQUEST, text="This is not the host that was asked for.\n"
            )
        try:
            async with asyncio.timeout(PATIENCE):
                return await handler(request)
        except web.HTTPException as refused:
            answer = await self._refused(request, refused.status)
            if "Allow" in refused.headers:
                answer.headers["Allow"] = refused.headers["Allow"]
            return answer
        except TimeoutError:
            return await self._refused(request, HTTPStatus.REQUEST_TIMEOUT)
        except ConnectionError:
            raise  # nobody is there any more
        except Exception:  # a fault of one page leaves the others alone
            resource = request.match_info.route.resource
            log.exception("page failed", extra={"page": "-" if resource is None else resource.canonical})
            return await self._refused(request, HTTPStatus.INTERNAL_SERVER_ERROR)

    async def _refused(self, request: web.Request, status: int) -> web.StreamResponse:
        try:
            return await self.refusal(request, status)
        except Exception:  # the page that says so may fail for the same reason
            log.exception("no page for a refusal", extra={"status": status})
            return await _bare(request, status)

    def _is_for_us(self, host: str) -> bool:
        """Whether the Host header is that of PUBLIC_URL; without one, whether it is of this machine.

        A page of a stranger's that gives its own name to our address (DNS rebinding) is not let in.
        """
        if self._host:
            return host.lower() in self._hosts
        try:
            name = urlsplit(f"//{host}").hostname or ""
            return name == "localhost" or bool(ip_address(name))
        except ValueError:
            return False


async def _bare(request: web.Request, status: int) -> web.Response:  # noqa: ARG001
    return web.Response(status=status, text=f"{HTTPStatus(status).phrase}\n")


def send(request: web.Request, page: RenderedPage, *, keep: int, status: int = 200) -> web.Response:
    """Answer with a page, packed where the visitor takes that, or say that they have it already.

    `keep` is for how many seconds they need not ask again.
    """
    headers = {
        "ETag": f'W/"{page.tag}"',
        "Cache-Control": f"public, max-age={keep}" if keep else "no-cache",
        "Vary": "Accept-Encoding",
    }
    if page.modified is not None:
        headers["Last-Modified"] = page.modified.strftime("%a, %d %b %Y %H:%M:%S GMT")
    if status == HTTPStatus.OK and _has_it(request, page):
        return web.Response(status=HTTPStatus.NOT_MODIFIED, headers=headers)
    headers["Content-Type"] = f"{page.media_type}; charset=utf-8"
    if "gzip" in request.headers.get("Accept-Encoding", ""):
        headers["Content-Encoding"] = "gzip"
        return web.Response(status=status, body=page.packed, headers=headers)
    return web.Response(status=status, body=page.body, headers=headers)


def _has_it(request: web.Request, page: RenderedPage) -> bool:
    """RFC 9110 section 13.2.2: a date is only looked at where there is no tag."""
    if "If-None-Match" in request.headers:
        tags = request.if_none_match or ()
        return any(tag.value in {page.tag, "*"} for tag in tags)
    since = request.if_modified_since
    return since is not None and page.modified is not None and page.modified.replace(microsecond=0) <= since
