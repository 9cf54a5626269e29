"""What everybody may ask for: pages in a language, feeds, pictures. Each request is read here, and answered."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from datetime import datetime
from http import HTTPStatus

from aiohttp import web

from bot.channel import Link
from bot.commands.token_buckets import TokenBuckets
from bot.model import ARXIV_ID, Style
from bot.render import folder
from bot.render.words import languages, match, words
from bot.web.client import preferred
from bot.web.middleware import send
from bot.web.pages.contents import Pages
from bot.web.pages.edition_feeds import KINDS, EditionFeeds, FeedRequestError, read_wish
from bot.web.pages.page_cache import PageCache, PageSource, RenderedPage, render
from bot.web.pages.thumbnails import Thumbnails
from bot.web.urls import Urls, edition_of

KEEP = 60
"""Seconds for which a browser need not ask again for a page."""
KEEP_A_DAY = 86_400
KEEP_PICTURES = 7 * KEEP_A_DAY
KEEP_LONG = 31_536_000
LONGEST_QUERY = 200
LONGEST_TAG = 20
STYLE_SHEETS = ("outbox/edition.css", "pages/pages.css")

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


def style_sheet() -> tuple[str, bytes]:
    """The path of the style sheet, which changes with it, and the style sheet."""
    body = "\n".join((folder() / name).read_text(encoding="utf-8") for name in STYLE_SHEETS).encode()
    return f"/style-{hashlib.sha256(body).hexdigest()[:12]}.css", body


class PublicRoutes:
    """Answers readers. `client` tells what one is counted by, `language` is for those who name none of ours."""

    def __init__(
        self,
        pages: Pages,
        syndication: EditionFeeds,
        urls: Urls,
        *,
        language: str,
        clock: Callable[[], datetime],
        client: Callable[[web.Request], str],
        thumbnails: Thumbnails | None,
    ) -> None:
        self._pages = pages
        self._syndication = syndication
        self._to = urls
        self._language = language
        self._clock = clock
        self._client = client
        self._thumbnails = thumbnails
        self._rendered = PageCache()
        self._allowance = TokenBuckets()

    def routes(self) -> list[web.RouteDef]:
        """Where each of them is."""
        root = self._to.root
        path, body = style_sheet()
        icon = (folder() / "pages" / "icon.svg").read_bytes()
        # What is one reader's own, and what would be asked for without end.
        closed = ("/settings/", "/unsubscribe/", *(f"/{tag}/search" for tag in languages()))
        robots = "".join(["User-agent: *\n", *(f"Disallow: {root}{each}\n" for each in closed)]).encode()
        found = [
            web.get(f"{root}/", self._choose_language),
            web.get(f"{root}{path}", self._always(body, "text/css", KEEP_LONG)),
            web.get(f"{root}/icon.svg", self._always(icon, "image/svg+xml", KEEP_A_DAY)),
            web.get(f"{root}/robots.txt", self._always(robots, "text/plain", KEEP_A_DAY)),
            web.get(f"{root}/pictures/{{paper}}.jpg", self._picture),
            web.get(f"{root}/feed/{{language}}.{{kind}}", self._feed),
        ]
        if root:
            found.append(web.get(root, self._choose_language))
        for name, page in (
            ("", self._front),
            ("/", self._front),
            ("/archive", self._archive),
            ("/archive/{year:[0-9]{4}}", self._archive),
            ("/papers/{paper}", self._paper),
            ("/search", self._search),
            ("/privacy", self._privacy),
            ("/{slug}", self._edition),
        ):
            found.append(web.get(f"{root}/{{language}}{name}", self.in_a_language(page)))
        return found

    def in_a_language(
        self, page: Callable[[web.Request, str], Awaitable[web.StreamResponse]]
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """A page of one of our languages; a near one is led to ours, any other word is nowhere."""

        async def answer(request: web.Request) -> web.StreamResponse:
            tag = request.match_info["language"]
            # Without its slash, the address of a language would be the start of no other.
            if tag in languages() and request.path != f"{self._to.root}/{tag}":
                return await page(request, tag)
            nearest = match(tag, "") if len(tag) <= 20 and tag.isascii() else ""
            if not nearest:
                raise web.HTTPNotFound
            rest = request.rel_url.raw_path.removeprefix(f"{self._to.root}/").partition("/")[2]
            query = f"?{request.rel_url.raw_query_string}" if request.rel_url.raw_query_string else ""
            there = f"{self._to.front(nearest)}{rest}{query}"
            return web.Response(status=HTTPStatus.MOVED_PERMANENTLY, headers={"Location": there})

        return answer

    async def _choose_language(self, request: web.Request) -> web.StreamResponse:
        language = preferred(request.headers.get("Accept-Language", ""), self._language)
        headers = {"Vary": "Accept-Language", "Cache-Control": "no-cache"}
        return web.Response(status=HTTPStatus.FOUND, headers={**headers, "Location": self._to.front(language)})

    async def _front(self, request: web.Request, language: str) -> web.StreamResponse:
        now = self._clock()
        return await self._shown(request, ("front", language), now, lambda: self._pages.front(language, now))

    async def _edition(self, request: web.Request, language: str) -> web.StreamResponse:
        named = edition_of(request.match_info["slug"])
        if named is None:
            raise web.HTTPNotFound
        style = self._style(request)
        now = self._clock()
        key = ("edition", language, *named, style)
        return await self._shown(request, key, now, lambda: self._pages.edition(language, *named, style, now))

    async def _archive(self, request: web.Request, language: str) -> web.StreamResponse:
        written = request.match_info.get("year")
        year = None if written is None else int(written)
        key = ("archive", language, year)
        return await self._shown(request, key, self._clock(), lambda: self._pages.archive(language, year))

    async def _paper(self, request: web.Request, language: str) -> web.StreamResponse:
        paper, now = request.match_info["paper"], self._clock()
        if not (paper.isascii() and ARXIV_ID.fullmatch(paper)):
            raise web.HTTPNotFound
        return await self._shown(
            request, ("paper", language, paper), now, lambda: self._pages.paper(language, paper, now)
        )

    async def _search(self, request: web.Request, language: str) -> web.StreamResponse:
        now = self._clock()
        query = " ".join(request.query.get("q", "")[:LONGEST_QUERY].split())
        if query:
            self._count(request, now)
        sheet = await self._pages.search(language, query, now)
        return send(request, await asyncio.to_thread(render, sheet), keep=0)

    async def _privacy(self, request: web.Request, language: str) -> web.StreamResponse:
        return await self._shown(request, ("privacy", language), self._clock(), lambda: self._pages.privacy(language))

    async def _feed(self, request: web.Request) -> web.StreamResponse:
        language, kind = request.match_info["language"], request.match_info["kind"]
        if language not in languages() or kind not in KINDS:
            raise web.HTTPNotFound
        try:
            wish = read_wish(language, kind, request.query, self._pages.styles)
        except FeedRequestError:
            raise web.HTTPBadRequest from None
        now = self._clock()
        if wish.topics and self._rendered.fresh(wish, now) is None:
            self._count(request, now)
        page = await self._rendered.get(wish, now, lambda: self._syndication.feed(wish))
        assert page is not None
        answer = send(request, page, keep=KEEP)
        answer.headers["Access-Control-Allow-Origin"] = "*"  # readers that live in a browser may read it
        return answer

    async def _picture(self, request: web.Request) -> web.StreamResponse:
        path = None if self._thumbnails is None else self._thumbnails.path(request.match_info["paper"])
        if path is None:
            raise web.HTTPNotFound
        try:
            # Not as a file: what the system sends by itself is not seen by who watches over those that take nothing.
            body = await asyncio.to_thread(path.read_bytes)
        except OSError:
            raise web.HTTPNotFound from None
        headers = {"Cache-Control": f"public, max-age={KEEP_PICTURES}", "Content-Type": "image/jpeg"}
        return web.Response(body=body, headers=headers)

    def _always(self, body: bytes, media_type: str, keep: int) -> Answer:
        """What never changes while the program runs."""
        page = render(PageSource(body, lambda: body, media_type))

        async def answer(request: web.Request) -> web.StreamResponse:
            return send(request, page, keep=keep)

        return answer

    def _style(self, request: web.Request) -> Style:
        """The style that a query asks for, where it is to be had."""
        written = request.query.get("style", Style.HEADLINE)
        if written not in self._pages.styles:
            raise web.HTTPNotFound
        return Style(written)

    def _count(self, request: web.Request, now: datetime) -> None:
        """Take one question from what a visitor may ask that costs us work."""
        if self._allowance.take(self._client(request), now) is not None:
            raise web.HTTPTooManyRequests

    async def _shown(
        self,
        request: web.Request,
        key: tuple[object, ...],
        now: datetime,
        load: Callable[[], Awaitable[PageSource | None]],
    ) -> web.StreamResponse:
        page = self._rendered.fresh(key, now) or await self._rendered.get(key, now, load)
        if page is None:
            raise web.HTTPNotFound
        return send(request, page, keep=KEEP)

    async def refuse(self, request: web.Request, status: int) -> web.Response:
        """A page that says what is the matter, in the visitor's language."""
        language = request.match_info.get("language", "")
        if language not in languages():
            language = preferred(request.headers.get("Accept-Language", ""), self._language)
        page = await self._refusal(language, status)
        answer = send(request, page, keep=0, status=status)
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            answer.headers["Retry-After"] = "30"
        return answer

    async def _refusal(self, language: str, status: int) -> RenderedPage:
        async def load() -> PageSource:
            w = words(language)
            says = {
                404: w.gettext("There is no such page here."),
                429: w.gettext("That was a lot at once. Please try again in a minute."),
            }.get(
                status,
                w.gettext("This could not be understood, and nothing was changed.")
                if status < 500
                else w.gettext(
                    "Something went wrong on our side, and nothing was changed. Please try again in a minute."
                ),
            )
            back = Link(w.pgettext("a web page", "Today"), self._to.front(language))
            return self._pages.notice(language, says, (), (back,))

        page = await self._rendered.get(("refusal", language, status), self._clock(), load)
        assert page is not None
        return page
