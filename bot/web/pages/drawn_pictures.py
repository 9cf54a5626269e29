"""Pictures of editions on pages: the cloud and the chart as SVG, whose text stays text, and addresses of the others."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from http import HTTPStatus
from typing import Any

from aiohttp import web

from bot.media.media_store import MediaStore
from bot.model import Cadence
from bot.render.edition_page import slug
from bot.web.middleware import has_tag
from bot.web.urls import Urls

KEEP = 60
"""Seconds for which browsers and proxies may use a picture without asking again: it may be redrawn."""
KEEP_LONG = 31_536_000
"""The same for an address that changes with the picture."""
MOST_NAMED = 12
"""Words of a cloud that are read aloud in its place."""
PUBLIC = ("keywords.png", "keywords-dark.png", "trend.png", "trend-dark.png", "poster.png", "card.png")
"""The files that anybody may fetch."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """A picture as the items of an SVG element (`bot.media.painting.items`)."""

    width: int
    height: int
    items: Sequence[Mapping[str, Any]]

    @property
    def words(self) -> Sequence[str]:
        """Its first texts, which of a cloud are the heaviest."""
        return [str(item["text"]) for item in self.items if item.get("kind") == "text"][:MOST_NAMED]

    @property
    def title(self) -> str:
        """The text in the largest letters, which of a chart is its title."""
        texts = [(float(item["size"]), str(item["text"])) for item in self.items if item.get("kind") == "text"]
        return max(texts, key=lambda each: each[0], default=(0.0, ""))[1]


@dataclass(frozen=True, slots=True)
class DrawnPictures:
    """The pictures of an edition that have been drawn; addresses are empty where there is none."""

    cloud: Drawing | None = None
    trend: Drawing | None = None
    poster: str = ""
    card: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether a page has nothing to show of them."""
        return self.cloud is None and self.trend is None and not self.poster


class PictureFinder:
    """Finds the pictures of editions, and answers who fetches one."""

    def __init__(self, media: MediaStore | None, urls: Urls) -> None:
        self._media = media
        self._urls = urls

    async def of(self, language: str, cadence: Cadence, day: date) -> DrawnPictures:
        """The pictures of an edition."""
        return await asyncio.to_thread(self._of, slug(cadence, day), language)

    async def card(self, language: str, paper_id: str) -> str:
        """The address of a paper's card, empty where there is none."""
        return await asyncio.to_thread(self._address, paper_id, language, "card.png")

    def _of(self, owner: str, language: str) -> DrawnPictures:
        return DrawnPictures(
            self._drawing(owner, language, "keywords.json"),
            self._drawing(owner, language, "trend.json"),
            self._address(owner, language, "poster.png"),
            self._address(owner, language, "card.png"),
        )

    def _drawing(self, owner: str, language: str, name: str) -> Drawing | None:
        found = None if self._media is None else self._media.find(owner, language, name)
        if found is None:
            return None
        with suppress(OSError, ValueError, KeyError, TypeError):
            read = json.loads(found.path.read_bytes())
            return Drawing(int(read["width"]), int(read["height"]), [dict(item) for item in read["items"]])
        return None

    def _address(self, owner: str, language: str, name: str) -> str:
        found = None if self._media is None else self._media.find(owner, language, name)
        return "" if found is None else self._urls.media(owner, language, name, found.fingerprint)

    def routes(self) -> list[web.RouteDef]:
        """The route of the files."""
        return [web.get(f"{self._urls.root}/media/{{owner}}/{{language}}/{{name}}", self._file)]

    async def _file(self, request: web.Request) -> web.StreamResponse:
        owner, language, name = (request.match_info[part] for part in ("owner", "language", "name"))
        if self._media is None or name not in PUBLIC:
            raise web.HTTPNotFound
        found = await asyncio.to_thread(self._media.find, owner, language, name)
        if found is None:
            raise web.HTTPNotFound
        keep = KEEP_LONG if request.query.get("v") == found.fingerprint else KEEP
        headers = {"Cache-Control": f"public, max-age={keep}", "ETag": f'"{found.fingerprint}"'}
        if has_tag(request, found.fingerprint):
            return web.Response(status=HTTPStatus.NOT_MODIFIED, headers=headers)
        try:
            body = await asyncio.to_thread(found.path.read_bytes)
        except OSError:  # a new one is taking its place
            raise web.HTTPNotFound from None
        return web.Response(body=body, headers={**headers, "Content-Type": found.media_type})
