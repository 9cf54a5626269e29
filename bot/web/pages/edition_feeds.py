"""Feeds of the newest editions in full, by language, style, cadence and topics."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from functools import partial
from urllib.parse import urlencode

from bot.commands import help_command
from bot.delivery.rendering import texts_for
from bot.model import ALL_PAPERS, Cadence, Edition, Preferences, Style
from bot.render.edition_page import Texts, edition_page
from bot.render.fit import first_part
from bot.render.templates import template
from bot.render.words import words
from bot.rules.topics import TopicsError, parse
from bot.store import Store, archive, edition_queries
from bot.web.pages.feed_formats import Feed, Item, atom, json_feed, rss
from bot.web.pages.page_cache import PageSource
from bot.web.urls import Urls

KINDS: Mapping[str, tuple[str, Callable[[Feed], bytes]]] = {
    "xml": ("application/rss+xml", rss),
    "atom": ("application/atom+xml", atom),
    "json": ("application/feed+json", json_feed),
}
"""By the end of a feed's path: its media type, and what writes it."""
LENGTHS = {Cadence.DAY: 14, Cadence.WEEK: 8, Cadence.MONTH: 6}
"""Editions in a feed, by cadence."""
LAST_SECOND = time(23, 59, 59)
LONGEST_TOPICS = 2_000
"""Characters of a topic filter that are read."""


class FeedRequestError(ValueError):
    """The query names no feed that there is."""


@dataclass(frozen=True, slots=True)
class FeedRequest:
    """Which feed is asked for. `kind` is the end of its path."""

    language: str
    kind: str
    style: Style = Style.HEADLINE
    cadence: Cadence = Cadence.DAY
    topics: tuple[str, ...] = ()

    @property
    def query(self) -> str:
        """The query that asks for it, without defaults; equal requests have equal queries."""
        said = {
            "style": "" if self.style is Style.HEADLINE else self.style.value,
            "cadence": "" if self.cadence is Cadence.DAY else self.cadence.value,
            "topics": ",".join(self.topics),
        }
        return urlencode({name: value for name, value in said.items() if value}, safe=",")


def read_feed_request(language: str, kind: str, query: Mapping[str, str], styles: Sequence[Style]) -> FeedRequest:
    """The feed that a path and a query ask for. Raises FeedRequestError."""
    try:
        style = Style(query.get("style") or Style.HEADLINE)
        cadence = Cadence(query.get("cadence") or Cadence.DAY)
        topics = parse(query.get("topics", "")[:LONGEST_TOPICS])
    except (ValueError, TopicsError) as error:
        raise FeedRequestError(str(error)) from None
    if style not in styles:
        raise FeedRequestError("no such style")
    return FeedRequest(language, kind, style, cadence, topics)


class EditionFeeds:
    """Makes feeds of editions."""

    def __init__(self, store: Store, urls: Urls) -> None:
        self._store = store
        self._urls = urls
        self._text = template("pages/feed.html", None)

    async def feed(self, asked: FeedRequest) -> PageSource:
        """The feed that is asked for, without editions in which its topics leave no paper."""
        wanted = Preferences(language=asked.language, style=asked.style, papers=ALL_PAPERS, topics=asked.topics)
        async with self._store.read() as connection:
            ids = await archive.newest(connection, asked.cadence, LENGTHS[asked.cadence])
            found = [await edition_queries.get(connection, each) for each in ids]
        said = await texts_for(self._store, [each.paper.id for one in found for each in one.papers], wanted)
        media_type, write = KINDS[asked.kind]
        # A digest, since a feed with topics may be much smaller than the editions that it is made from.
        facts = await asyncio.to_thread(_digest, asked, found, said)
        return PageSource(facts, partial(self._write, write, asked, wanted, found, said), media_type)

    def _write(
        self,
        write: Callable[[Feed], bytes],
        asked: FeedRequest,
        wanted: Preferences,
        found: Sequence[Edition],
        said: Texts,
    ) -> bytes:
        w, urls = words(asked.language), self._urls
        title = w.gettext("newsletter.name")
        short, _ = help_command.introduction(w, list(Style))
        return write(
            Feed(
                title=f"{title} · {', '.join(asked.topics)}" if asked.topics else title,
                description=short,
                home=urls.whole(urls.front(asked.language)),
                own=urls.whole(urls.feed(asked.language, asked.kind, asked.query)),
                icon=urls.whole(f"{urls.root}/icon.svg"),
                language=asked.language,
                author="Hugging Face Daily Papers",
                items=[item for each in found if (item := self._item(each, asked, wanted, said)) is not None],
            )
        )

    def _item(self, edition: Edition, asked: FeedRequest, wanted: Preferences, said: Texts) -> Item | None:
        page = first_part(edition_page(edition, wanted, texts=said))
        if not page.blocks:
            return None
        place = self._urls.whole(self._urls.edition(asked.language, edition.cadence, edition.day))
        style = "" if asked.style is Style.HEADLINE else f"?{urlencode({'style': asked.style.value})}"
        return Item(
            key=place,
            url=f"{place}{style}",
            title=page.heading,
            summary=page.lead,
            html=self._text(page, urls=self._urls),
            published=dated(edition),
        )


def dated(edition: Edition) -> datetime:
    """The date of an edition in a feed, on its own day: one filled in later must not come before newer ones."""
    return min(edition.closed_at, datetime.combine(edition.day, LAST_SECOND, UTC))


def _digest(*facts: object) -> bytes:
    """A digest of plain data, whose repr() is complete."""
    return hashlib.sha256(repr(facts).encode("utf-8", "surrogatepass")).digest()
