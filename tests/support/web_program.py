"""The web server on a port of this machine, with editions to show and a clock that the test sets.

async with Served(tmp_path) as served:
    answer = await served.get("/en/2026-04-29")
    assert answer.status == 200
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Self, cast

import aiohttp

from bot.channel import Channel, Link
from bot.commands import WITHOUT_MODEL
from bot.media.illustrator import Illustrator
from bot.media.media_store import MediaStore
from bot.media.speech.episodes import EpisodeKey
from bot.media.speech.narrator import Narrator, Podcast
from bot.model import Cadence, Edition, Found, Paper, Style
from bot.rules.closing import rank
from bot.settings import Settings, read
from bot.store import Store, closing_state, edition_queries, paper_queries
from bot.web.application import MailAccess, WebContext, WebFiles
from bot.web.metrics import Metrics
from bot.web.pages.recordings import Recordings
from bot.web.pages.thumbnails import Thumbnails
from bot.web.server import Web
from bot.web.settings import WebSettings
from tests.support.databases import fresh_store
from tests.support.pages import DAY, paper
from tests.support.speech_servers import ToneSpeaker

NOW = datetime(2026, 4, 29, 22, 30, tzinfo=UTC)
TOKEN = "t" * 32
A_WEEK = timedelta(days=7)


@dataclass(frozen=True)
class Answered:
    """An answer, read to its end."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


@dataclass(frozen=True)
class Invited:
    """A channel, as far as the web server asks: its name, and where a new reader begins."""

    invitation: Link | None = None
    name: str = "fake"

    def typed(self, line: str, language: str) -> str:
        return f"!{line}"


class Served:
    """A web server at work."""

    def __init__(
        self,
        home: Path,
        *,
        store: Store | None = None,
        public: str = "",
        styles: Sequence[Style] = WITHOUT_MODEL,
        invitations: Sequence[Link] = (),
        channels: Sequence[Invited] = (),
        thumbnails: Thumbnails | None = None,
        mail: MailAccess | None = None,
        podcast: Podcast | None = None,
        **named: str,
    ) -> None:
        self.now = NOW
        self.store = store or fresh_store(home)
        self._owns_store = store is None
        self.visitors = self.store.for_visitors()
        self.media = MediaStore(home / "media")
        context = WebContext(
            store=self.store,
            visitors=self.visitors,
            core=read(Settings, {"PUBLIC_URL": public}),
            settings=read(WebSettings, {"WEB_PORT": "0", "METRICS_TOKEN": TOKEN, **named}),
            channels=cast("Sequence[Channel]", [*channels, *map(Invited, invitations)] or [Invited()]),
            styles=styles,
            clock=lambda: self.now,
            metrics=Metrics(self.store),
            files=WebFiles(thumbnails, self.media, None if podcast is None else Recordings(self.media, podcast)),
            mail=mail,
        )
        self.web = Web(context)
        self._stop = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._work = asyncio.ensure_future(self.web.run(self._stop))
        await asyncio.wait(
            [self._work, asyncio.ensure_future(self.web.listening.wait())], return_when=asyncio.FIRST_COMPLETED
        )
        if self._work.done():
            self._work.result()
        self.session = aiohttp.ClientSession(
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"Accept-Encoding": "identity"},
        )
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.session.close()
        await self.stop()
        await self.visitors.close()
        if self._owns_store:
            await self.store.close()

    async def stop(self) -> None:
        """Stop the web server, as a signal does."""
        self._stop.set()
        await asyncio.wait_for(self._work, 20)

    @property
    def url(self) -> str:
        assert self.web.address is not None
        return f"http://127.0.0.1:{self.web.address[1]}"

    async def get(self, path: str, *, method: str = "GET", data: Any = None, **headers: str) -> Answered:
        """Ask without following redirects; `headers` with underscores for hyphens."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        url = path if path.startswith("http") else f"{self.url}{path}"
        async with self.session.request(method, url, headers=named, data=data, allow_redirects=False) as answer:
            return Answered(answer.status, answer.headers, await answer.read())

    async def publish(
        self, *found: Paper, day: date = DAY, cadence: Cadence = Cadence.DAY, closed_at: datetime | None = None
    ) -> Edition:
        """Store an edition, closed at ten in the evening of its day unless a time is given."""
        listed = [replace(each, listed_on=day) for each in found] if cadence is Cadence.DAY else list(found)
        closed = closed_at or datetime(day.year, day.month, day.day, 22, tzinfo=UTC)
        async with self.store.write() as connection:
            await paper_queries.keep(connection, Found(listed, frozenset()))
            made = Edition(cadence, day, closed, rank(listed))
            assert await edition_queries.add(connection, made) is not None
        return made

    async def read_aloud(self, made: Edition, language: str, style: Style = Style.HEADLINE) -> None:
        """Record an edition, as a tone."""
        voice = ToneSpeaker()
        narrator = Narrator(self.store, self.media, voice, podcast=Podcast(), budget=0, recorder=voice.recorder())
        await narrator.make(made, EpisodeKey(made.cadence, made.day, language, style), self.now)

    async def illustrate(self, made: Edition, *tags: str) -> None:
        """Draw an edition's pictures in these languages."""
        result = await Illustrator(self.store, self.media).illustrate(made, tags, self.now)
        assert not result.reasons

    async def polled(self, at: datetime) -> None:
        async with self.store.write() as connection:
            await closing_state.save(connection, polled_at=at)


def some(count: int, first: int = 1, **changes: Any) -> list[Paper]:
    """Papers with numbers of their own."""
    return [paper(number, **changes) for number in range(first, first + count)]
