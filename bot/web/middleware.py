"""Middleware: host check, deadline, security headers, error pages, access log."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache
from http import HTTPStatus
from ipaddress import ip_address
from urllib.parse import urlsplit

from aiohttp import web

from bot.store import NoConnectionError
from bot.web.client import rate_limit_key
from bot.web.pages.page_cache import RenderedPage
from bot.web.settings import Network
from bot.web.urls import USUAL_PORTS

log = logging.getLogger(__name__)

DEADLINE = 20.0
"""Seconds that a request may take, its body included."""
LARGEST_BODY = 64 << 10
"""Bytes that a request's body may have."""
ANY_HOST = ("/healthz", "/readyz", "/metrics")
"""Paths that may be asked for under any host name: monitoring may know the machine by another. Webhooks too."""

CONTENT_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; media-src 'self'; manifest-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""No page has scripts. `connect-src` is for tools that examine a page from within it, such as Lighthouse."""
HEADERS = {
    "Content-Security-Policy": CONTENT_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    # Not no-referrer: with that, browsers send our own forms with `Origin: null`.
    "Referrer-Policy": "same-origin",
    "Server": "papers",
    "X-Content-Type-Options": "nosniff",
}
HSTS_SECONDS = 31_536_000
"""Seconds for which browsers insist on HTTPS: a year."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
ErrorPage = Callable[[web.Request, int], Awaitable[web.Response]]


class Middleware:
    """Checks every request and completes every answer. `error_page` makes the page for a status from 400 on."""

    def __init__(self, public: str, error_page: ErrorPage) -> None:
        parts = urlsplit(public)
        usual = f":{USUAL_PORTS.get(parts.scheme)}"
        self._host = parts.netloc.lower().removesuffix(usual)
        self._hosts = {self._host, f"{self._host}{usual}"} if ":" not in self._host else {self._host}
        self._headers: Mapping[str, str] = HEADERS
        if parts.scheme == "https":
            self._headers = {**HEADERS, "Strict-Transport-Security": f"max-age={HSTS_SECONDS}"}
        self._any_host = (*ANY_HOST, f"{parts.path.rstrip('/')}/hooks/")
        self._error_page = error_page
        self._answered: list[dict[str, object]] = []
        """The fields of log lines that are not written yet."""

    @web.middleware
    async def handle(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer a request, with security headers, and write one line into the log."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        answer = await self._answer(request, handler)
        for name, value in self._headers.items():
            answer.headers.setdefault(name, value)
        fields = {
            "method": request.method if request.method.isalpha() else "-",
            "page": _pattern(request),
            "status": answer.status,
            "ms": round((loop.time() - began) * 1000, 1),
        }
        if not self._answered:
            loop.call_soon(self._log)
        self._answered.append(fields)
        return answer

    def _log(self) -> None:
        """Write the log lines of all requests that were answered in one turn of the event loop.

        Together they cost half as much as one after each page, by when the processor's cache holds other code.
        """
        answered, self._answered = self._answered, []
        for fields in answered:
            log.info("request answered", extra=fields)

    async def _answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if not request.path.startswith(self._any_host) and not self._is_own_host(request.host):
            return web.Response(status=HTTPStatus.MISDIRECTED_REQUEST, text="This host name is not served here.\n")
        try:
            async with asyncio.timeout(DEADLINE):
                return await handler(request)
        except web.HTTPException as error:
            answer = await self._error(request, error.status)
            if "Allow" in error.headers:
                answer.headers["Allow"] = error.headers["Allow"]
            return answer
        except TimeoutError:
            return await self._error(request, HTTPStatus.REQUEST_TIMEOUT)
        except ConnectionError:
            raise  # the client is gone
        except NoConnectionError:  # other visitors have them all
            log.warning("page refused, no database connection free", extra={"page": _pattern(request)})
            return await self._error(request, HTTPStatus.SERVICE_UNAVAILABLE)
        except Exception:  # one page's fault must not affect the others
            log.exception("page failed, error page served", extra={"page": _pattern(request)})
            return await self._error(request, HTTPStatus.INTERNAL_SERVER_ERROR)

    async def _error(self, request: web.Request, status: int) -> web.StreamResponse:
        try:
            return await self._error_page(request, status)
        except Exception:  # the error page may fail for the same reason
            log.exception("error page failed, plain text served", extra={"status": status})
            return web.Response(status=status, text=f"{HTTPStatus(status).phrase}\n")

    def _is_own_host(self, host: str) -> bool:
        """Whether the Host header names PUBLIC_URL or, without one, this machine.

        This keeps out other sites whose names resolve to our address (DNS rebinding).
        """
        return host.lower() in self._hosts if self._host else _is_this_machine(host)


@lru_cache(maxsize=100)
def _is_this_machine(host: str) -> bool:
    """Whether a Host header names no site: an address, or localhost."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or bool(ip_address(name))
    except ValueError:
        return False


def client_of(request: web.Request, proxies: Sequence[Network]) -> str:
    """The key that a client's quotas are counted by; never written down."""
    return rate_limit_key(request.remote, request.headers.getall("X-Forwarded-For", []), proxies)


def _pattern(request: web.Request) -> str:
    """The route's pattern, not the path: paths hold what people searched for, and their tokens."""
    resource = request.match_info.route.resource
    return "-" if resource is None else resource.canonical


def send(request: web.Request, page: RenderedPage, *, keep: int, status: int = 200) -> web.Response:
    """Answer with a page, gzipped if the client accepts that, or with 304 if the client has it already.

    `keep` is for how many seconds the client may use it without asking again.
    """
    headers = {
        "ETag": f'W/"{page.tag}"',
        "Cache-Control": f"public, max-age={keep}" if keep else "no-cache",
        "Vary": "Accept-Encoding",
    }
    if page.modified is not None:
        headers["Last-Modified"] = _http_date(page.modified)
    if status == HTTPStatus.OK and _has_it(request, page):
        return web.Response(status=HTTPStatus.NOT_MODIFIED, headers=headers)
    headers["Content-Type"] = f"{page.media_type}; charset=utf-8"
    if _takes_gzip(request.headers.get("Accept-Encoding", "")):
        headers["Content-Encoding"] = "gzip"
        return web.Response(status=status, body=page.packed, headers=headers)
    return web.Response(status=status, body=page.body, headers=headers)


@lru_cache(maxsize=1000)
def _http_date(moment: datetime) -> str:
    return format_datetime(moment.astimezone(UTC), usegmt=True)


@lru_cache(maxsize=100)
def _takes_gzip(accepted: str) -> bool:
    """Whether Accept-Encoding allows gzip; a weight of 0 forbids a coding (RFC 9110, sections 12.4.2 and 12.5.3)."""
    weights: dict[str, bool] = {}
    for each in accepted.lower().split(","):
        coding, *parameters = (part.strip() for part in each.split(";"))
        weights[coding] = not any(re.fullmatch(r"q\s*=\s*0(?:\.0*)?", each) for each in parameters)
    return weights.get("gzip", weights.get("x-gzip", weights.get("*", False)))


def _has_it(request: web.Request, page: RenderedPage) -> bool:
    """Whether the client's copy is current; a date only counts without a tag (RFC 9110 section 13.2.2)."""
    if "If-None-Match" in request.headers:
        return has_tag(request, page.tag)
    since = request.if_modified_since
    return since is not None and page.modified is not None and page.modified.replace(microsecond=0) <= since


def has_tag(request: web.Request, tag: str) -> bool:
    """Whether If-None-Match names an entity tag, compared weakly (RFC 9110, section 13.1.2)."""
    return any(each.value in {tag, "*"} for each in request.if_none_match or ())
