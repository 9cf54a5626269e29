"""Pages of the papers that have a keyword, an author or an organisation, and the ways to follow such a topic."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from bot.channel import CommandName, Link, command_line
from bot.model import ALL_PAPERS, Paper, Preferences, Ranked, Style
from bot.render.edition_page import list_page
from bot.render.templates import template
from bot.render.words import words
from bot.rules.topics import SEPARATORS, Topic, TopicsError, parse
from bot.runtime.text import one_line
from bot.store import Store, paper_queries
from bot.store.search import Matches, Order, Search, search
from bot.web.pages.cards import cards
from bot.web.pages.head import describe, list_head
from bot.web.pages.layout import LayoutMaker, Neighbours
from bot.web.pages.page_cache import PageSource
from bot.web.pages.search_page import MOST_PAGES, ON_A_PAGE
from bot.web.pages.thumbnails import Thumbnails
from bot.web.urls import TopicKind, topic_slug

LEAST_INDEXED = 2
"""Papers of a topic from which on search engines may list its page."""


@dataclass(frozen=True, slots=True)
class TopicRequest:
    """A page of a topic's papers; `slug` is the topic in the path, `page` counts from 1."""

    language: str
    kind: TopicKind
    slug: str
    page: int = 1


class TopicPages:
    """Makes the sources of these pages."""

    def __init__(self, store: Store, layouts: LayoutMaker, thumbnails: Thumbnails | None = None) -> None:
        self._store = store
        self._layouts = layouts
        self._urls = layouts.urls
        self._thumbnails = thumbnails
        self._template = template("pages/topic.html", None)

    async def page(self, asked: TopicRequest, now: datetime) -> PageSource | None:
        """The page, the newest papers first; None where there are none."""
        w, urls, after = words(asked.language), self._urls, (asked.page - 1) * ON_A_PAGE
        wanted = Search(f'{asked.kind.where}:"{asked.slug}"', Order.DATE)
        async with self._store.read() as connection:
            matches = await search(connection, wanted, ON_A_PAGE, after)
            found = await paper_queries.by_ids(connection, matches.ids)
        if not found:
            return None
        name = _name(asked, found)
        ranked = [Ranked(place, each, each.votes) for place, each in enumerate(found, start=after + 1)]
        shown = Preferences(language=asked.language, style=Style.HEADLINE, papers=ALL_PAPERS)
        heading = name or asked.slug.replace("-", " ")
        page = list_page(heading, w.ngettext("edition.papers", matches.number), ranked, shown, slug="topic")
        topic = _topic(asked.kind, heading)
        pictures = frozenset[str]() if self._thumbnails is None else self._thumbnails.shown(found, now)
        layout = self._layouts.layout(
            w,
            lambda tag: self._url(replace(asked, language=tag)),
            topics=topic,
            follow=command_line(CommandName.FOLLOW, topic) if topic else "",
            description=describe(" · ".join([heading, *(each.title for each in page.blocks)])),
            pictures=pictures,
            indexed=bool(name) and matches.number >= LEAST_INDEXED,
            neighbours=Neighbours(self._turned(asked, -1, matches), self._turned(asked, 1, matches)),
            head=list_head(page, urls, pictures),
        )
        more = {
            "topic": topic,
            "cards": cards(page, urls),
            "dates": {each.id: w.short_day(each.listed_on) for each in found},
        }
        return PageSource((page, layout, more), partial(self._template, page, layout=layout, urls=urls, **more))

    def _url(self, asked: TopicRequest) -> str:
        path = self._urls.topic(asked.language, asked.slug, asked.kind)
        return f"{path}?page={asked.page}" if asked.page > 1 else path

    def _turned(self, asked: TopicRequest, pages: int, matches: Matches) -> Link | None:
        """The link to another page of the same topic, None where there is none."""
        number = asked.page + pages
        if not 1 <= number <= min(MOST_PAGES, -(-matches.number // ON_A_PAGE)):
            return None
        return Link(words(asked.language).number(number), self._url(replace(asked, page=number)))


def names(kind: TopicKind, paper: Paper) -> Iterable[str]:
    """The topics of one kind that a paper has."""
    match kind:
        case TopicKind.KEYWORD:
            return paper.keywords
        case TopicKind.AUTHOR:
            return paper.authors
        case TopicKind.ORGANISATION:
            return [paper.organisation or ""]


def _name(asked: TopicRequest, found: Sequence[Paper]) -> str:
    """The topic as the newest of its papers spells it; empty if it is only part of what they have."""
    spelled = (one_line(each) for paper in found for each in names(asked.kind, paper))
    return next((each for each in spelled if topic_slug(each) == asked.slug), "")


def _topic(kind: TopicKind, name: str) -> str:
    """A topic as readers' filters have it, empty if it cannot be one."""
    try:
        found = parse(str(Topic(SEPARATORS.sub(" ", name), kind.where)))
    except TopicsError:
        return ""
    return found[0] if len(found) == 1 else ""
