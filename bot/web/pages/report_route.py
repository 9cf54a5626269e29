"""The button of a paper's page that reports a wrong summary: one form without fields, counted and thanked for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from aiohttp import web

from bot.channel import Link
from bot.commands.token_buckets import TokenBuckets
from bot.model import ARXIV_ID, Style
from bot.render.styles import TEXT_FIELDS
from bot.render.words import words
from bot.store import Store, text_queries, text_reports
from bot.web.client import is_our_own
from bot.web.pages.contents import Pages
from bot.web.pages.page_cache import render
from bot.web.urls import Urls

AT_ONCE = 5
"""Reports that one client may send in a row."""
EVERY = timedelta(minutes=1)
"""Time in which a client regains one report of its quota."""


class ReportRoute:
    """Takes reports of wrong texts. `client` gives the key that quotas are counted by."""

    def __init__(
        self,
        store: Store,
        pages: Pages,
        urls: Urls,
        *,
        clock: Callable[[], datetime],
        client: Callable[[web.Request], str],
    ) -> None:
        self._store = store
        self._pages = pages
        self._urls = urls
        self._clock = clock
        self._client = client
        self._quota = TokenBuckets(AT_ONCE, EVERY)

    async def take(self, request: web.Request, language: str) -> web.StreamResponse:
        """Count a report of the text that this page shows. Raises web.HTTPException for any other request."""
        origins = (self._urls.origin, f"{request.scheme}://{request.host}")  # the host is one of ours
        if not any(is_our_own(request, each) for each in origins):
            raise web.HTTPForbidden
        paper, named, now = request.match_info["paper"], request.match_info["style"], self._clock()
        if not (paper.isascii() and ARXIV_ID.fullmatch(paper)) or named not in TEXT_FIELDS:
            raise web.HTTPNotFound
        if self._quota.take(self._client(request), now) is not None:
            raise web.HTTPTooManyRequests
        async with self._store.write() as connection:
            text = (await text_queries.of(connection, [paper], language)).get(paper, {}).get(Style(named))
            if text is None:
                raise web.HTTPNotFound
            await text_reports.add(connection, text, now)
        w = words(language)
        back = Link(f"arXiv:{paper}", self._urls.paper(language, paper))
        page = render(self._pages.notice(language, w.gettext("report.button"), [w.gettext("report.thanks")], [back]))
        headers = {"Cache-Control": "no-store", "Content-Type": f"{page.media_type}; charset=utf-8"}
        return web.Response(body=page.body, headers=headers)
