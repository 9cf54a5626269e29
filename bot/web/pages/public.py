"""Routes of public pages and feeds: requests are parsed and answered here."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Callable, Hashable, Sequence
from datetime import datetime
from functools import partial
from http import HTTPStatus
from typing import TypeVar

from aiohttp import web

from bot.channel import Link
from bot.commands.token_buckets import TokenBuckets
from bot.model import ARXIV_ID, Cadence, Style
from bot.render import folder
from bot.render.branding import Accent, branding
from bot.render.catalogue import languages
from bot.render.slugs import SLUG, edition_of
from bot.render.words import match, words
from bot.store import DatabaseFault
from bot.store.search import paper_id
from bot.web.client import preferred
from bot.web.middleware import send
from bot.web.pages.contents import Pages
from bot.web.pages.edition_feeds import KINDS, EditionFeeds, FeedRequestError, read_feed_request
from bot.web.pages.page_cache import PageCache, PageSource, RenderedPage, render
from bot.web.pages.search_gate import BusyError, SearchGate
from bot.web.pages.search_page import SearchPages, read_search_request
from bot.web.pages.site_files import always
from bot.web.pages.topic_pages import TopicPages, TopicRequest
from bot.web.urls import TopicKind, Urls, topic_slug

log = logging.getLogger(__name__)

KEEP = 60
"""Seconds for which browsers may use a page without asking again."""
KEEP_LONG = 31_536_000
"""The same for the style sheet, whose URL changes with it."""
LONGEST_TAG = 20
"""Characters that a language tag in a path may have."""
RETRY_AFTER = 30
"""Seconds after which a client over its quota may ask again."""
REFUSED_AFTER = 1.0
"""Seconds that a client over its quota waits for being told so: one that asks again at once then asks slowly."""
MOST_REFUSED = 100
"""Clients that are kept waiting so at the same time."""
TOPICS_AT_ONCE = 2
"""Pages of topics that are made at the same time. Crawlers ask for all of them, and take no search's place."""
STYLE_SHEETS = ("colours", "shell", "papers", "archive", "forms", "parts", "touch")
"""The parts of the style sheet, in the folder of the pages' templates."""

T = TypeVar("T")


def style_sheet() -> tuple[str, bytes]:
    """The style sheet's path, which holds a hash of it, and its bytes."""
    written = "\n".join((folder() / "pages" / f"{name}.css").read_text(encoding="utf-8") for name in STYLE_SHEETS)
    ours, accent = Accent(), branding.accent
    body = written.replace(ours.day, accent.day).replace(ours.night, accent.night).encode()
    return f"/style-{hashlib.sha256(body).hexdigest()[:12]}.css", body


class PublicRoutes:
    """Answers visitors. `client` gives the key that quotas are counted by; `language` is the fallback."""

    def __init__(
        self,
        pages: Pages,
        searches: SearchPages,
        feeds: EditionFeeds,
        topics: TopicPages,
        urls: Urls,
        *,
        language: str,
        clock: Callable[[], datetime],
        client: Callable[[web.Request], str],
    ) -> None:
        self._pages = pages
        self._searches = searches
        self._feeds = feeds
        self._topics = topics
        self._urls = urls
        self._language = language
        self._clock = clock
        self._client = client
        self._cache = PageCache()
        self._quota = TokenBuckets()
        self._gate = SearchGate()
        self._topics_gate = SearchGate(TOPICS_AT_ONCE)
        self._refused = 0
        """Clients that wait for being told that they are over their quota."""

    def routes(self) -> list[web.RouteDef]:
        """All these routes, what is asked for most first: the router tries one after the other."""
        root = self._urls.root
        path, body = style_sheet()
        found = [
            web.get(f"{root}/", self._choose_language),
            web.get(f"{root}{path}", always(body, "text/css", KEEP_LONG)),
            web.get(f"{root}/feed/{{language}}.{{kind}}", self._feed),
        ]
        if root:
            found.append(web.get(root, self._choose_language))
        for name, page in (
            (f"/{{slug:{SLUG}}}", self._edition),
            ("/", self._front),
            ("/papers/{paper}", self._paper),
            ("/archive", self._archive),
            ("/archive/{year:[0-9]{4}}", self._archive),
            ("/search", self._search),
            (f"/{{kind:{'|'.join(each.value for each in TopicKind)}}}/{{topic}}", self._topic),
            ("/privacy", self._privacy),
            ("/week", partial(self._latest, cadence=Cadence.WEEK)),
            ("/month", partial(self._latest, cadence=Cadence.MONTH)),
        ):
            found.append(web.get(f"{root}/{{language}}{name}", self.in_a_language(page)))
        return found

    def fallback_routes(self) -> Sequence[web.RouteDef]:
        """The routes of whatever no other route takes: a language alone, and pages that are not there."""
        language = f"{self._urls.root}/{{language}}"
        pages = {language: self._front, f"{language}/{{slug}}": self._edition}
        return [web.get(path, self.in_a_language(page)) for path, page in pages.items()]

    def in_a_language(
        self, page: Callable[[web.Request, str], Awaitable[web.StreamResponse]]
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """The handler of a page in one of our languages; a near one is redirected to ours, any other word is 404."""

        async def answer(request: web.Request) -> web.StreamResponse:
            tag = request.match_info["language"]
            # A front page's URL ends with a slash: those of its language's other pages begin with it.
            if tag in languages() and request.path != f"{self._urls.root}/{tag}":
                return await page(request, tag)
            nearest = match(tag, "") if len(tag) <= LONGEST_TAG and tag.isascii() else ""
            if not nearest:
                raise web.HTTPNotFound
            rest = request.rel_url.raw_path.removeprefix(f"{self._urls.root}/").partition("/")[2]
            query = f"?{request.rel_url.raw_query_string}" if request.rel_url.raw_query_string else ""
            there = f"{self._urls.front(nearest)}{rest}{query}"
            return web.Response(status=HTTPStatus.MOVED_PERMANENTLY, headers={"Location": there})

        return answer

    async def _choose_language(self, request: web.Request) -> web.StreamResponse:
        language = preferred(request.headers.get("Accept-Language", ""), self._language)
        headers = {"Vary": "Accept-Language", "Cache-Control": "no-cache"}
        return web.Response(status=HTTPStatus.FOUND, headers={**headers, "Location": self._urls.front(language)})

    async def _front(self, request: web.Request, language: str) -> web.StreamResponse:
        now = self._clock()
        return await self._shown(request, ("front", language), now, lambda: self._pages.front(language, now))

    async def _edition(self, request: web.Request, language: str) -> web.StreamResponse:
        named = edition_of(request.match_info["slug"])
        if named is None:
            raise web.HTTPNotFound
        style = self._style(request)
        if style not in self._pages.styles:  # a link in an older mail, from a time when the style was offered
            return web.Response(
                status=HTTPStatus.FOUND, headers={"Location": request.path, "Cache-Control": "no-cache"}
            )
        now = self._clock()
        key = ("edition", language, *named, style)
        return await self._shown(request, key, now, lambda: self._pages.edition(language, *named, style, now))

    async def _latest(self, request: web.Request, language: str, cadence: Cadence) -> web.StreamResponse:
        """Redirect to the newest edition of a cadence; before there is one, say so."""
        there = await self._pages.latest(language, cadence)
        if there is None:
            w = words(language)
            says, archive = w.gettext("papers.period_not_closed"), self._urls.page(language, "archive")
            heading = {Cadence.WEEK: w.gettext("edition.weekly"), Cadence.MONTH: w.gettext("edition.monthly")}[cadence]
            source = self._pages.notice(language, heading, [says], [Link(w.gettext("web.archive"), archive)])
            return send(request, await asyncio.to_thread(render, source), keep=KEEP)
        return web.Response(status=HTTPStatus.FOUND, headers={"Location": there, "Cache-Control": "no-cache"})

    async def _archive(self, request: web.Request, language: str) -> web.StreamResponse:
        written = request.match_info.get("year")
        year = None if written is None else int(written)
        now = self._clock()
        return await self._shown(
            request, ("archive", language, year), now, lambda: self._pages.archive(language, year, now)
        )

    async def _paper(self, request: web.Request, language: str) -> web.StreamResponse:
        paper, now = request.match_info["paper"], self._clock()
        if not (paper.isascii() and ARXIV_ID.fullmatch(paper)):
            raise web.HTTPNotFound
        return await self._shown(
            request, ("paper", language, paper), now, lambda: self._pages.paper(language, paper, now)
        )

    async def _search(self, request: web.Request, language: str) -> web.StreamResponse:
        now = self._clock()
        asked = read_search_request(request.query)
        if not asked.is_empty:
            await self._count(request, now)
        named = paper_id(asked.search.query)
        if named is not None and await self._searches.has_paper(named):
            headers = {"Location": self._urls.paper(language, named), "Cache-Control": "no-cache"}
            return web.Response(status=HTTPStatus.FOUND, headers=headers)

        async def load() -> RenderedPage:
            return await asyncio.to_thread(render, await self._searches.search(language, asked, now))

        return send(request, await _in_turn(self._gate, load), keep=0)

    async def _topic(self, request: web.Request, language: str) -> web.StreamResponse:
        kind, written = TopicKind(request.match_info["kind"]), request.match_info["topic"]
        slug, now = topic_slug(written), self._clock()
        if not slug:
            raise web.HTTPNotFound
        if slug != written:
            there = self._urls.topic(language, slug, kind)
            return web.Response(status=HTTPStatus.MOVED_PERMANENTLY, headers={"Location": there})
        asked = TopicRequest(language, kind, slug, read_search_request(request.query).page)

        async def load() -> PageSource | None:
            return await _in_turn(self._topics_gate, partial(self._topics.page, asked, now))

        return await self._shown(request, asked, now, load)

    async def _privacy(self, request: web.Request, language: str) -> web.StreamResponse:
        return await self._shown(request, ("privacy", language), self._clock(), lambda: self._pages.privacy(language))

    async def _feed(self, request: web.Request) -> web.StreamResponse:
        language, kind = request.match_info["language"], request.match_info["kind"]
        if language not in languages() or kind not in KINDS:
            raise web.HTTPNotFound
        try:
            asked = read_feed_request(language, kind, request.query, self._pages.styles)
        except FeedRequestError:
            raise web.HTTPBadRequest from None
        now = self._clock()
        if asked.topics and self._cache.fresh(asked, now) is None:
            await self._count(request, now)
        page = await self._cache.get(asked, now, lambda: self._feeds.feed(asked))
        assert page is not None
        answer = send(request, page, keep=KEEP)
        answer.headers["Access-Control-Allow-Origin"] = "*"  # for feed readers that are web pages
        return answer

    def _style(self, request: web.Request) -> Style:
        """The style that a query asks for. Raises web.HTTPNotFound for what is none."""
        try:
            return Style(request.query.get("style", Style.HEADLINE))
        except ValueError:
            raise web.HTTPNotFound from None

    async def _count(self, request: web.Request, now: datetime) -> None:
        """Count a costly request against its client's quota. Raises web.HTTPTooManyRequests."""
        if self._quota.take(self._client(request), now) is None:
            return
        if self._refused < MOST_REFUSED:
            self._refused += 1
            try:
                await asyncio.sleep(REFUSED_AFTER)
            finally:
                self._refused -= 1
        raise web.HTTPTooManyRequests

    async def _shown(
        self, request: web.Request, key: Hashable, now: datetime, load: Callable[[], Awaitable[PageSource | None]]
    ) -> web.StreamResponse:
        page = self._cache.fresh(key, now) or await self._cache.get(key, now, load)
        if page is None:
            raise web.HTTPNotFound
        return send(request, page, keep=KEEP)

    async def refuse(self, request: web.Request, status: int) -> web.Response:
        """The error page for a status, in the visitor's language."""
        language = request.match_info.get("language", "")
        if language not in languages():
            language = preferred(request.headers.get("Accept-Language", ""), self._language)
        page = await self._error_page(language, status)
        answer = send(request, page, keep=0, status=status)
        if status in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}:
            answer.headers["Retry-After"] = f"{RETRY_AFTER}"
        return answer

    async def _error_page(self, language: str, status: int) -> RenderedPage:
        async def load() -> PageSource:
            w = words(language)
            heading = {404: w.gettext("errors.not_found"), 429: w.gettext("errors.too_many_requests")}.get(
                status, w.gettext("errors.bad_form") if status < 500 else w.gettext("errors.went_wrong")
            )
            nowhere = status == HTTPStatus.NOT_FOUND
            says = w.gettext("errors.not_found_hint") if nowhere else w.gettext("errors.nothing_changed")
            links = [
                Link(w.gettext("web.front_link"), self._urls.front(language)),
                Link(w.gettext("web.archive"), self._urls.page(language, "archive")),
            ]
            return self._pages.notice(language, heading, (says,), links, searching=nowhere)

        page = await self._cache.get(("refusal", language, status), self._clock(), load)
        assert page is not None
        return page


async def _in_turn(gate: SearchGate, load: Callable[[], Awaitable[T]]) -> T:
    """Run something that searches when it is its turn. Raises web.HTTPServiceUnavailable if there is none."""
    try:
        async with gate.turn():
            return await load()
    except (BusyError, DatabaseFault) as error:  # too many at once, or one past its deadline
        log.warning("search refused", extra={"reason": type(error).__name__})
        raise web.HTTPServiceUnavailable from None
