"""Routes of thumbnails, fetched while the first visitor waits since mails show them at once, and of figures."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path

from aiohttp import web

from bot.store import Store, paper_queries
from bot.summaries.fulltext.figures import Size
from bot.web.pages.thumbnails import Thumbnails

KEEP = 60
"""Seconds for which browsers may use a small thumbnail that stands in for a large one."""
KEEP_A_WEEK = 7 * 86_400
"""The same for one that is shown as it was asked for."""


class ThumbnailRoutes:
    """Serves thumbnails. `store` is the database for visitors."""

    def __init__(self, store: Store, thumbnails: Thumbnails, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._thumbnails = thumbnails
        self._clock = clock

    def routes(self, root: str) -> Sequence[web.RouteDef]:
        """The routes below the path `root`."""
        return [
            web.get(f"{root}/pictures/{{paper}}.figure", self._figure),
            web.get(f"{root}/pictures/{{paper}}.large.jpg", self._in(Size.LARGE)),
            web.get(f"{root}/pictures/{{paper}}.jpg", self._in(Size.SMALL)),
        ]

    def _in(self, size: Size) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        return partial(self._answer, size)

    async def _answer(self, size: Size, request: web.Request) -> web.StreamResponse:
        """A thumbnail; until the large one is made, the small one stands in for a minute."""
        paper_id, keep = request.match_info["paper"], KEEP_A_WEEK
        path = await self._path(paper_id, size)
        if path is None and size is not Size.SMALL:
            path, keep = self._thumbnails.path(paper_id), KEEP
        return await _sent(path, "image/jpeg", keep)

    async def _figure(self, request: web.Request) -> web.StreamResponse:
        """A figure that was fetched for a text about its paper."""
        found = await asyncio.to_thread(self._thumbnails.figure, request.match_info["paper"], self._clock())
        if found is None:
            raise web.HTTPNotFound
        return await _sent(found.path, found.media_type, KEEP_A_WEEK)

    async def _path(self, paper_id: str, size: Size) -> Path | None:
        """The file of a thumbnail, fetched now if it is missing and the paper is one that was listed."""
        path = self._thumbnails.path(paper_id, size)
        is_there = path is not None or self._thumbnails.path(paper_id) is not None
        if is_there or not self._thumbnails.may_be(paper_id, self._clock()):
            return path
        async with self._store.read() as connection:
            found = await paper_queries.by_ids(connection, [paper_id])
        if found:
            await self._thumbnails.fetched(found[0], self._clock())
        return self._thumbnails.path(paper_id, size)


async def _sent(path: Path | None, media_type: str, keep: int) -> web.StreamResponse:
    """Answer with a picture that browsers may use for `keep` seconds. Raises web.HTTPNotFound without one."""
    if path is None:
        raise web.HTTPNotFound
    try:
        # Not as a FileResponse: sendfile() bypasses the write buffer by which stuck clients are found.
        body = await asyncio.to_thread(path.read_bytes)
    except OSError:
        raise web.HTTPNotFound from None
    return web.Response(body=body, headers={"Cache-Control": f"public, max-age={keep}", "Content-Type": media_type})
