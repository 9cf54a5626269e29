"""Feeds of editions, for each language, style, cadence and choice of topics: the newest editions in full."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlencode

from bot.commands import help_command
from bot.delivery.rendering import texts_for
from bot.model import ALL_PAPERS, Cadence, Edition, Preferences, Style
from bot.render.edition_page import Texts, edition_page
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
"""By the ends of paths: the media type, and how it is written."""
LENGTHS = {Cadence.DAY: 14, Cadence.WEEK: 8, Cadence.MONTH: 6}
"""Editions in a feed."""
LONGEST_TOPICS = 2_000


class FeedRequestError(ValueError):
    """No such feed can be had."""


@dataclass(frozen=True, slots=True)
class FeedRequest:
    """Which feed: the kind is the end of its path."""

    language: str
    kind: str
    style: Style = Style.HEADLINE
    cadence: Cadence = Cadence.DAY
    topics: tuple[str, ...] = ()

    @property
    def query(self) -> str:
        """What of it is not the usual, as a query, the same for the same wish."""
        said = {
            "style": "" if self.style is Style.HEADLINE else self.style.value,
            "cadence": "" if self.cadence is Cadence.DAY else self.cadence.value,
            "topics": ", ".join(self.topics),
        }
        return urlencode({name: value for name, value in said.items() if value})


def read_wish(language: str, kind: str, query: Mapping[str, str], styles: Sequence[Style]) -> FeedRequest:
    """The feed that a path and a query ask for. Raises WishError."""
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
    """Makes feeds."""

    def __init__(self, store: Store, urls: Urls) -> None:
        self._store = store
        self._to = urls
        self._text = template("pages/feed.html", None)

    async def feed(self, wish: FeedRequest) -> PageSource:
        """The feed that is wished for; editions of which its topics leave nothing are left out."""
        wanted = Preferences(language=wish.language, style=wish.style, papers=ALL_PAPERS, topics=wish.topics)
        async with self._store.read() as connection:
            ids = await archive.newest(connection, wish.cadence, LENGTHS[wish.cadence])
            found = [await edition_queries.get(connection, each) for each in ids]
        said = await texts_for(self._store, [each.paper.id for one in found for each in one.papers], wanted)
        media_type, write = KINDS[wish.kind]
        newest = found[0].closed_at if found else None
        # Topics may leave next to nothing of the editions, which would be kept beside it in full.
        facts = await asyncio.to_thread(_digest, wish, found, said)
        return PageSource(facts, partial(self._write, write, wish, wanted, found, said), media_type, modified=newest)

    def _write(
        self,
        write: Callable[[Feed], bytes],
        wish: FeedRequest,
        wanted: Preferences,
        found: Sequence[Edition],
        said: Texts,
    ) -> bytes:
        w, to = words(wish.language), self._to
        title = w.gettext("Morning Papers")
        short, _ = help_command.introduction(w)
        return write(
            Feed(
                title=f"{title} · {', '.join(wish.topics)}" if wish.topics else title,
                description=short,
                home=to.whole(to.front(wish.language)),
                own=to.whole(to.feed(wish.language, wish.kind, wish.query)),
                icon=to.whole(f"{to.root}/icon.svg"),
                language=wish.language,
                author="Hugging Face Daily Papers",
                items=[item for each in found if (item := self._item(each, wish, wanted, said)) is not None],
            )
        )

    def _item(self, edition: Edition, wish: FeedRequest, wanted: Preferences, said: Texts) -> Item | None:
        page = edition_page(edition, wanted, texts=said)
        if not page.blocks:
            return None
        place = self._to.whole(self._to.edition(wish.language, edition.cadence, edition.day))
        style = "" if wish.style is Style.HEADLINE else f"?{urlencode({'style': wish.style.value})}"
        return Item(
            key=place,
            url=f"{place}{style}",
            title=page.heading,
            summary=page.lead,
            html=self._text(page, to=self._to),
            published=edition.closed_at,
        )


def _digest(*facts: object) -> bytes:
    """What differs where facts differ. All of them are plain data, and say in full what they are."""
    return hashlib.sha256(repr(facts).encode("utf-8", "surrogatepass")).digest()
