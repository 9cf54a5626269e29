"""The search page: what a visitor asked for, and the papers found, page by page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from urllib.parse import urlencode

from bot.channel import Link
from bot.model import ALL_PAPERS, Paper, Preferences, Ranked, Style
from bot.render.edition_page import list_page
from bot.render.labels import plain_page
from bot.render.templates import template
from bot.render.words import Words, words
from bot.store import Store, paper_queries
from bot.store.search import Matches, Order, Search, did_you_mean, search, years
from bot.web.pages.cards import cards
from bot.web.pages.layout import Choice, LayoutMaker, Neighbours, coverage
from bot.web.pages.page_cache import PageSource
from bot.web.pages.thumbnails import Thumbnails

ON_A_PAGE = 20
"""Papers on one page."""
MOST_PAGES = 250
"""Pages that can be turned to; as many papers as are ranked."""
LONGEST_QUERY = 200
"""Characters of a search that are read."""
LONGEST_TOPIC = 60
"""Characters of the topic to stay within."""


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """A search as a visitor asked for it, and the number of the page, from 1 on."""

    search: Search
    page: int = 1

    @property
    def is_empty(self) -> bool:
        """Whether nothing is searched for."""
        return not self.search.query and not self.search.topic

    def parameters(self) -> str:
        """The query part of its URL, with what differs from the default alone."""
        asked = self.search
        given = {
            "q": asked.query,
            "sort": "" if asked.order is Order.BEST else asked.order.value,
            "year": f"{asked.year or ''}",
            "topic": asked.topic,
            "page": f"{self.page}" if self.page > 1 else "",
        }
        return urlencode({name: value for name, value in given.items() if value})


def read_search_request(parameters: Mapping[str, str]) -> SearchRequest:
    """Parse the parameters of a search URL; invalid ones count as not given."""

    def text(name: str, longest: int) -> str:
        return " ".join(parameters.get(name, "")[:longest].split())

    def number(name: str, most: int) -> int | None:
        written = parameters.get(name, "")
        is_number = written.isascii() and written.isdigit() and len(written) <= len(f"{most}")
        return int(written) if is_number and 0 < int(written) <= most else None

    order = parameters.get("sort", Order.BEST)
    asked = Search(
        text("q", LONGEST_QUERY),
        Order(order) if order in set(Order) else Order.BEST,
        number("year", 9999),
        text("topic", LONGEST_TOPIC),
    )
    return SearchRequest(asked, number("page", MOST_PAGES) or 1)


class SearchPages:
    """Makes the sources of search pages."""

    def __init__(self, store: Store, layouts: LayoutMaker, thumbnails: Thumbnails | None = None) -> None:
        self._store = store
        self._layouts = layouts
        self._urls = layouts.urls
        self._thumbnails = thumbnails
        self._template = template("pages/search.html", None)

    async def has_paper(self, paper_id: str) -> bool:
        """Whether there is a page of a paper."""
        async with self._store.read() as connection:
            return bool(await paper_queries.by_ids(connection, [paper_id]))

    async def search(self, language: str, asked: SearchRequest, now: datetime) -> PageSource:
        """The search page in a language, with the papers found."""
        w, meant = words(language), None
        matches, found = Matches([], 0), list[Paper]()
        async with self._store.read() as connection:
            offered = await years(connection)
            notes = coverage(w, await paper_queries.first_day(connection), now)
            if not asked.is_empty:
                after = (asked.page - 1) * ON_A_PAGE
                matches = await search(connection, asked.search, ON_A_PAGE, after)
                found = await paper_queries.by_ids(connection, matches.ids)
                if not matches.number:
                    meant = await did_you_mean(connection, asked.search.query)
        if found:
            heading = w.gettext("search.title", query=asked.search.query or asked.search.topic)
            first = (asked.page - 1) * ON_A_PAGE + 1
            ranked = [Ranked(place, each, each.votes) for place, each in enumerate(found, start=first)]
            wanted = Preferences(language=language, style=Style.HEADLINE, papers=ALL_PAPERS)
            page = list_page(heading, w.ngettext("edition.papers", matches.number), ranked, wanted, slug="search")
            page = replace(page, footer=[*notes, *page.footer])
        else:
            query = asked.search.query or asked.search.topic
            said = [] if asked.is_empty else [w.gettext("search.nothing_found", query=query)]
            page = plain_page(w, w.gettext("web.search"), notes=[*said, *notes])
        layout = self._layouts.layout(
            w,
            lambda tag: self._url(tag, asked),
            here="search",
            pictures=frozenset() if self._thumbnails is None else self._thumbnails.shown(found, now),
            indexed=asked.is_empty,
            neighbours=Neighbours(self._turned(w, asked, -1, matches), self._turned(w, asked, 1, matches)),
        )
        more = {
            "cards": cards(page, self._urls),
            "asked": asked.search,
            "orders": [Choice(label, each.value, each is asked.search.order) for each, label in orders(w).items()],
            "years": [Choice(f"{each}", f"{each}", each == asked.search.year) for each in offered],
            "dates": {each.id: w.day(each.listed_on) for each in found},
            "meant": meant and Link(meant, self._url(language, SearchRequest(replace(asked.search, query=meant)))),
        }
        return PageSource((page, layout, more), partial(self._template, page, layout=layout, urls=self._urls, **more))

    def _url(self, language: str, asked: SearchRequest) -> str:
        given = asked.parameters()
        return f"{self._urls.page(language, 'search')}{f'?{given}' if given else ''}"

    def _turned(self, w: Words, asked: SearchRequest, pages: int, matches: Matches) -> Link | None:
        """The link to another page of the same search, None where there is none."""
        number = asked.page + pages
        last = min(MOST_PAGES, -(-matches.number // ON_A_PAGE))
        if not 1 <= number <= last:
            return None
        return Link(w.number(number), self._url(w.language, replace(asked, page=number)))


def orders(w: Words) -> Mapping[Order, str]:
    """The orders that matches can be listed in, in words."""
    return {
        Order.BEST: w.gettext("search.sort_best"),
        Order.VOTES: w.gettext("search.sort_votes"),
        Order.DATE: w.gettext("search.sort_date"),
    }
