"""Routes of recordings: the podcast's feed and picture, and every MP3, with ranges."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import partial
from http import HTTPStatus
from pathlib import Path

from aiohttp import web

from bot.commands import help_command
from bot.media.speech.artwork import PODCAST_SIZE, artwork
from bot.media.speech.episodes import Episode
from bot.media.speech.script import MOST_PAPERS
from bot.model import Cadence, Edition, Preferences, Style
from bot.render.catalogue import languages
from bot.render.edition_page import edition_page
from bot.render.slugs import edition_of
from bot.render.templates import template
from bot.render.words import words
from bot.store import Store, archive, edition_queries
from bot.web.middleware import has_tag, send
from bot.web.pages.edition_feeds import dated
from bot.web.pages.page_cache import PageCache, PageSource
from bot.web.pages.podcast_format import PodcastEpisode, PodcastFeed, podcast
from bot.web.pages.recordings import Recordings
from bot.web.urls import Urls

MOST_EPISODES = 60
"""Day editions whose recordings a feed looks for; older files are gone (`bot.media.media_store.KEEP`)."""
KEEP = 300
"""Seconds for which a feed or a recording, which may be replaced, may be used without asking again."""
KEEP_ARTWORK = 86_400
"""The same for the podcast's picture."""
CHUNK = 256 << 10
"""Bytes of a recording that are read at once."""


class PodcastRoutes:
    """Answers podcast programs and players."""

    def __init__(self, store: Store, urls: Urls, recordings: Recordings, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._urls = urls
        self._recordings = recordings
        self._clock = clock
        self._cache = PageCache()
        self._text = template("pages/feed.html", None)

    def routes(self) -> list[web.RouteDef]:
        """All these routes."""
        root = f"{self._urls.root}/podcast"
        return [
            web.get(f"{root}/{{language}}.xml", self._feed),
            web.get(f"{root}/artwork.png", self._artwork),
            web.get(f"{root}/{{language}}/{{slug}}.mp3", self._sound),
        ]

    async def _feed(self, request: web.Request) -> web.StreamResponse:
        language, now = request.match_info["language"], self._clock()
        if language not in self._recordings.podcast.languages:
            raise web.HTTPNotFound
        page = await self._cache.get(language, now, partial(self._load, language))
        assert page is not None
        answer = send(request, page, keep=KEEP)
        answer.headers["Access-Control-Allow-Origin"] = "*"  # for players that are web pages
        return answer

    async def _load(self, language: str) -> PageSource:
        style = self._recordings.podcast.style
        async with self._store.read() as connection:
            ids = await archive.newest(connection, Cadence.DAY, MOST_EPISODES)
            editions = [await edition_queries.get(connection, each) for each in ids]
        found = await asyncio.to_thread(self._recorded, editions, language, style)
        facts = tuple((episode.key, episode.digest, episode.size) for _, episode in found)
        return PageSource(facts, partial(self._write, language, found), "application/rss+xml")

    def _recorded(self, editions: Sequence[Edition], language: str, style: Style) -> list[tuple[Edition, Episode]]:
        found = [(each, self._recordings.find(language, each.cadence, each.day, style)) for each in editions]
        return [(edition, episode) for edition, episode in found if episode is not None]

    def _write(self, language: str, found: Sequence[tuple[Edition, Episode]]) -> bytes:
        w, urls = words(language), self._urls
        _, long = help_command.introduction(w, list(Style))
        return podcast(
            PodcastFeed(
                title=w.gettext("newsletter.name"),
                description=long,
                language=language,
                home=urls.whole(urls.front(language)),
                own=urls.whole(urls.podcast(language)),
                artwork=urls.whole(f"{urls.root}/podcast/artwork.png"),
                episodes=[self._episode(edition, episode) for edition, episode in found],
            )
        )

    def _episode(self, edition: Edition, episode: Episode) -> PodcastEpisode:
        key, urls = episode.key, self._urls
        page = edition_page(edition, Preferences(language=key.language, style=Style.HEADLINE, papers=MOST_PAPERS))
        place = urls.whole(urls.edition(key.language, key.cadence, key.day))
        return PodcastEpisode(
            key=f"{place}#{key.style.value}",
            title=episode.title,
            summary=page.lead,
            html=self._text(page, urls=urls),
            page=place,
            sound=urls.whole(urls.recording(key.language, key.cadence, key.day)),
            size=episode.size,
            seconds=episode.seconds,
            published=dated(edition),
            chapters=[(each.start, each.title) for each in episode.chapters],
        )

    async def _artwork(self, request: web.Request) -> web.StreamResponse:
        async def load() -> PageSource:
            return PageSource("artwork", lambda: artwork(PODCAST_SIZE), "image/png")

        page = await self._cache.get("artwork", self._clock(), load)
        assert page is not None
        return send(request, page, keep=KEEP_ARTWORK)

    async def _sound(self, request: web.Request) -> web.StreamResponse:
        language, named = request.match_info["language"], edition_of(request.match_info["slug"])
        style = request.query.get("style", self._recordings.podcast.style)
        if language not in languages() or named is None or style not in set(Style):
            raise web.HTTPNotFound
        found = await asyncio.to_thread(self._recordings.find, language, *named, Style(style))
        if found is None:
            raise web.HTTPNotFound
        return _part(request, found)


def _part(request: web.Request, found: Episode) -> web.Response:
    """The recording, or the range of it that is asked for (RFC 9110, section 14)."""
    tag = f'"{found.digest}-{found.made_at.timestamp():.0f}"'  # the same text may be spoken by another voice
    headers = {
        "Accept-Ranges": "bytes",
        "Cache-Control": f"public, max-age={KEEP}",
        "Content-Type": "audio/mpeg",
        "ETag": tag,
        "Last-Modified": format_datetime(found.made_at.astimezone(UTC), usegmt=True),
    }
    if has_tag(request, tag.strip('"')):
        return web.Response(status=HTTPStatus.NOT_MODIFIED, headers=headers)
    first, last, status = 0, found.size, HTTPStatus.OK
    if "Range" in request.headers and request.headers.get("If-Range", tag) in {tag, headers["Last-Modified"]}:
        asked = _range(request, found.size)
        if asked is not None:
            first, last = asked
            if first >= last:
                headers["Content-Range"] = f"bytes */{found.size}"
                return web.Response(status=HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, headers=headers)
            status = HTTPStatus.PARTIAL_CONTENT
            headers["Content-Range"] = f"bytes {first}-{last - 1}/{found.size}"
    headers["Content-Length"] = f"{last - first}"
    # Not as a FileResponse: sendfile() bypasses the write buffer by which stuck clients are found.
    return web.Response(status=status, body=_read(found.path, first, last), headers=headers)


def _range(request: web.Request, size: int) -> tuple[int, int] | None:
    """The first byte that is asked for and the one behind the last; the same one where there is no such byte.

    None where everything is to be sent: for several ranges, or another unit.
    """
    try:
        asked = request.http_range
    except ValueError:  # several ranges, or none that can be read: a server may ignore the header
        return None
    first, last, _ = asked.indices(size)
    return first, last


async def _read(path: Path, first: int, last: int) -> AsyncIterator[bytes]:
    file = await asyncio.to_thread(path.open, "rb")
    try:
        await asyncio.to_thread(file.seek, first)
        while first < last:
            chunk = await asyncio.to_thread(file.read, min(CHUNK, last - first))
            if not chunk:
                return
            first += len(chunk)
            yield chunk
    finally:
        file.close()
