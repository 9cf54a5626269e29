"""The page where visitors put together the address of a feed, and all feeds of a language in one file (OPML)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from xml.etree import ElementTree as ET

from aiohttp import web

from bot.channel import Link
from bot.model import Cadence, Style
from bot.render.catalogue import languages
from bot.render.labels import plain_page
from bot.render.preference_values import cadences, styles
from bot.render.templates import template
from bot.render.words import own_name, words
from bot.web.middleware import send
from bot.web.pages.edition_feeds import FeedRequest, FeedRequestError, read_feed_request
from bot.web.pages.layout import FEEDS, LayoutMaker, Option
from bot.web.pages.page_cache import PageSource, render
from bot.web.pages.site_files import KEEP_AN_HOUR, InALanguage
from bot.web.urls import Urls

OPML = "text/x-opml"
"""The media type of OPML (https://opml.org/spec2.opml)."""
FIELDS = ("language", "style", "cadence", "topics")
"""The fields of the form; a URL that has none of them asks for the empty form."""


@dataclass(frozen=True, slots=True)
class FeedForm:
    """The form as its template shows it. `addresses` has an absolute URL for each format, none before it is sent."""

    languages: Sequence[Option]
    styles: Sequence[Option]
    cadences: Sequence[Option]
    topics: str
    addresses: Sequence[Link]


class FeedBuilder:
    """Makes these pages. `offered` are the styles that visitors may choose, the usual one first."""

    def __init__(self, layouts: LayoutMaker, offered: Sequence[Style]) -> None:
        self._layouts = layouts
        self._urls = layouts.urls
        self._offered = offered
        self._template = template("pages/feeds.html", None)

    def routes(self, in_a_language: InALanguage) -> list[web.RouteDef]:
        """The routes of these pages. `in_a_language` turns a page that is given a language into a handler."""
        root = self._urls.root

        async def page(request: web.Request, language: str) -> web.StreamResponse:
            return send(request, render(self.page(language, request.query)), keep=0)

        async def opml(request: web.Request, language: str) -> web.StreamResponse:
            answer = send(request, render(self.opml(language)), keep=KEEP_AN_HOUR)
            answer.headers["Content-Disposition"] = f'attachment; filename="morning-papers-{language}.opml"'
            return answer

        return [
            web.get(f"{root}/{{language}}/feeds", in_a_language(page)),
            web.get(f"{root}/{{language}}/feeds.opml", in_a_language(opml)),
        ]

    def page(self, language: str, query: Mapping[str, str]) -> PageSource:
        """The page, with the addresses of the feed that a form asked for."""
        w, urls = words(language), self._urls
        is_sent, notes = any(name in query for name in FIELDS), list[str]()
        wanted = query.get("language", language)
        try:
            asked = read_feed_request(wanted if wanted in languages() else language, "", query, self._offered)
        except FeedRequestError:
            asked, is_sent, notes = FeedRequest(language, ""), False, [w.gettext("feeds.bad_topics")]
        named = styles(w, self._offered)
        form = FeedForm(
            [Option(tag, own_name(tag), tag == asked.language) for tag in languages()],
            [Option(each.value, named[each][0], each is asked.style) for each in self._offered],
            [Option(each.value, name, each is asked.cadence) for each, name in cadences(w).items()],
            ", ".join(asked.topics),
            [Link(name, urls.whole(urls.feed(asked.language, kind, asked.query))) for kind, _, name in FEEDS]
            if is_sent
            else [],
        )
        layout = self._layouts.layout(
            w, lambda tag: urls.page(tag, "feeds"), description=w.gettext("feeds.introduction"), indexed=not is_sent
        )
        page = plain_page(w, w.gettext("feeds.title"), notes=notes)
        fill = partial(self._template, page, layout=layout, urls=urls, form=form)
        return PageSource((page, layout, form), fill)

    def opml(self, language: str) -> PageSource:
        """All feeds of a language without topics: one for each cadence and style."""
        w, urls = words(language), self._urls
        named, often = styles(w, self._offered), cadences(w)
        outlines = []
        for cadence in Cadence:
            for style in self._offered:
                title = w.gettext("edition.heading", title=w.gettext("newsletter.name"), date=often[cadence])
                asked = FeedRequest(language, "atom", style, cadence)
                outlines.append((f"{title} · {named[style][0]}", _whole(urls, asked)))
        name, home = w.gettext("newsletter.name"), urls.whole(urls.front(language))
        return PageSource((name, home, outlines), lambda: _opml(name, home, outlines), OPML)


def _whole(urls: Urls, asked: FeedRequest) -> str:
    return urls.whole(urls.feed(asked.language, asked.kind, asked.query))


def _opml(name: str, home: str, outlines: Sequence[tuple[str, str]]) -> bytes:
    root = ET.Element("opml", version="2.0")
    ET.SubElement(ET.SubElement(root, "head"), "title").text = name
    folder = ET.SubElement(ET.SubElement(root, "body"), "outline", text=name)
    for text, url in outlines:
        ET.SubElement(folder, "outline", type="rss", text=text, title=text, xmlUrl=url, htmlUrl=home)
    written: bytes = ET.tostring(root, "utf-8", xml_declaration=True)
    return written
