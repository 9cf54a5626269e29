"""Files that machines ask for: robots.txt, sitemaps, icons, web manifest, OpenSearch, security.txt, citations."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from xml.etree import ElementTree as ET

from aiohttp import web

from bot.commands import help_command
from bot.model import ARXIV_ID, Cadence, Style
from bot.render import folder
from bot.render.catalogue import languages
from bot.render.words import words
from bot.rules.periods import Period, period_of
from bot.store import Store, archive, paper_queries, picture_queries
from bot.web.middleware import send
from bot.web.pages import citations
from bot.web.pages.page_cache import PageCache, PageSource, render
from bot.web.pages.sitemaps import MOST_URLS, Place, sitemap, sitemap_index
from bot.web.pages.topic_pages import LEAST_INDEXED
from bot.web.urls import TopicKind, Urls, topic_slug

KEEP_A_DAY = 86_400
"""Seconds for which browsers may use such a file without asking again."""
KEEP_AN_HOUR = 3_600
"""The same for sitemaps and citations."""
MOST_CACHED = 100
"""Sitemaps and citations that are cached."""
LARGEST_CACHED = 16 << 20
"""Bytes that they may have together."""
CONTACT_LASTS = timedelta(days=180)
"""Time for which security.txt is valid; RFC 9116 section 2.5.5 advises less than a year."""
ICONS = (180, 192, 512)
"""Pixels of our icon as a PNG: Apple's touch icon, and the sizes that a manifest should have."""
MASKABLE = 512
"""Pixels of the icon whose corners a launcher may cut off."""
PAPER_COLOUR = "#fcfaf5"
"""The background of our pages by day, as in edition.css."""
TOPICS_SINCE = timedelta(days=365)
"""Age of papers whose topics the sitemap lists."""
XML = "application/xml"
LONGEST_SHORT_NAME = 16
"""Characters of OpenSearch's ShortName (https://github.com/dewitt/opensearch)."""
OPENSEARCH = "http://a9.com/-/spec/opensearch/1.1/"

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]
InALanguage = Callable[[Callable[[web.Request, str], Awaitable[web.StreamResponse]]], Answer]


def always(body: bytes, media_type: str, keep: int) -> Answer:
    """The handler of a resource that never changes while the program runs."""
    page = render(PageSource(body, lambda: body, media_type))

    async def answer(request: web.Request) -> web.StreamResponse:
        return send(request, page, keep=keep)

    return answer


class SiteFiles:
    """Serves these files. `contact` is where security faults are reported, empty for none."""

    def __init__(
        self, store: Store, urls: Urls, *, styles: Sequence[Style], clock: Callable[[], datetime], contact: str = ""
    ) -> None:
        self._store = store
        self._urls = urls
        self._styles = styles
        self._clock = clock
        self._contact = contact
        self._cache = PageCache(LARGEST_CACHED, most=MOST_CACHED)

    def routes(self, in_a_language: InALanguage) -> list[web.RouteDef]:
        """All these routes. `in_a_language` turns a page that is given a language into a handler."""
        root, pictures = self._urls.root, folder() / "pages"
        svg = (pictures / "icon.svg").read_bytes()
        fixed = sitemap([Place(self._urls.whole(path(tag))) for path in self._fixed_paths() for tag in languages()])
        found = [
            web.get(f"{root}/icon.svg", always(svg, "image/svg+xml", KEEP_A_DAY)),
            web.get(f"{root}/robots.txt", always(self._robots(), "text/plain", KEEP_A_DAY)),
            web.get(f"{root}/sitemap.xml", self._index),
            web.get(f"{root}/sitemap-pages.xml", always(fixed, XML, KEEP_A_DAY)),
            web.get(f"{root}/sitemap-topics.xml", self._topics),
            web.get(f"{root}/sitemap-{{month:[0-9]{{4}}-[0-9]{{2}}}}.xml", self._month),
            web.get(f"{root}/cite/{{paper}}.{{kind}}", self._citation),
            web.get(f"{root}/{{language}}/manifest.webmanifest", in_a_language(self._manifest)),
            web.get(f"{root}/{{language}}/opensearch.xml", in_a_language(self._opensearch)),
        ]
        for name in (*(f"icon-{each}.png" for each in ICONS), f"icon-{MASKABLE}-maskable.png"):
            body = (pictures / name).read_bytes()
            found.append(web.get(f"{root}/{name}", always(body, "image/png", KEEP_A_DAY)))
        if self._contact:  # a path of the whole host (RFC 8615)
            found.append(web.get("/.well-known/security.txt", self._security))
        return found

    def _fixed_paths(self) -> Sequence[Callable[[str], str]]:
        """The paths, by language, of the pages that are there on every day."""
        return [self._urls.front, partial(self._urls.page, name="archive"), partial(self._urls.page, name="feeds")]

    def _robots(self) -> bytes:
        """The robots.txt: crawlers are kept from pages of one reader, and from searches, which never end."""
        closed = ("/settings/", "/unsubscribe/", "/fewer/", *(f"/{tag}/search" for tag in languages()))
        refused = [f"Disallow: {self._urls.root}{each}" for each in closed]
        there = self._urls.whole(f"{self._urls.root}/sitemap.xml")
        return "\n".join(["User-agent: *", *refused, "", f"Sitemap: {there}", ""]).encode()

    async def _index(self, request: web.Request) -> web.StreamResponse:
        async def load() -> PageSource:
            async with self._store.read() as connection:
                months = await archive.months(connection)
            places = [Place(self._whole(f"sitemap-{name}.xml")) for name in ("pages", "topics")]
            places += [Place(self._whole(f"sitemap-{month:%Y-%m}.xml"), closed) for month, closed in months.items()]
            return PageSource(places, lambda: sitemap_index(places), XML)

        page = await self._cache.get("index", self._clock(), load)
        assert page is not None
        return send(request, page, keep=KEEP_AN_HOUR)

    async def _topics(self, request: web.Request) -> web.StreamResponse:
        now = self._clock()

        async def load() -> PageSource:
            async with self._store.read() as connection:
                found = await picture_queries.topics_since(connection, (now - TOPICS_SINCE).astimezone(UTC).date())
            paths = _topic_paths(found, self._urls)
            return PageSource(paths, lambda: sitemap([Place(self._urls.whole(each)) for each in paths]), XML)

        page = await self._cache.get("topics", now, load)
        assert page is not None
        return send(request, page, keep=KEEP_AN_HOUR)

    async def _month(self, request: web.Request) -> web.StreamResponse:
        try:
            month = period_of(Cadence.MONTH, date.fromisoformat(f"{request.match_info['month']}-01"))
        except (ValueError, OverflowError):
            raise web.HTTPNotFound from None

        async def load() -> PageSource | None:
            places = await self._places(month)
            return None if not places else PageSource(places, lambda: sitemap(places), XML)

        page = await self._cache.get(month, self._clock(), load)
        if page is None:
            raise web.HTTPNotFound
        return send(request, page, keep=KEEP_AN_HOUR)

    async def _places(self, month: Period) -> list[Place]:
        """The pages of a month in every language: editions, then papers, of these the most voted if not all fit."""
        urls, most = self._urls, MOST_URLS // len(languages())
        async with self._store.read() as connection:
            closed = await archive.between(connection, month.first, month.last)
            listed = await paper_queries.ids_between(connection, month.first, month.last, most - len(closed))
        editions = [
            Place(urls.whole(urls.edition(tag, cadence, day)), at) for cadence, day, at in closed for tag in languages()
        ]
        return editions + [Place(urls.whole(urls.paper(tag, each))) for each in listed for tag in languages()]

    async def _citation(self, request: web.Request) -> web.StreamResponse:
        paper_id, kind = request.match_info["paper"], request.match_info["kind"]
        if kind not in citations.MEDIA_TYPES or not (paper_id.isascii() and ARXIV_ID.fullmatch(paper_id)):
            raise web.HTTPNotFound

        async def load() -> PageSource | None:
            async with self._store.read() as connection:
                found = await paper_queries.by_ids(connection, [paper_id])
            if not found:
                return None
            write = citations.bibtex if kind == citations.BIBTEX else citations.ris
            return PageSource(found[0], lambda: write(found[0]), citations.MEDIA_TYPES[kind])

        page = await self._cache.get((kind, paper_id), self._clock(), load)
        if page is None:
            raise web.HTTPNotFound
        answer = send(request, page, keep=KEEP_AN_HOUR)
        answer.headers["Content-Disposition"] = f'attachment; filename="arxiv-{paper_id}.{kind}"'
        return answer

    async def _manifest(self, request: web.Request, language: str) -> web.StreamResponse:
        w, urls = words(language), self._urls
        icons = [(urls.icon(each), each, "any") for each in ICONS]
        icons.append((f"{urls.root}/icon-{MASKABLE}-maskable.png", MASKABLE, "maskable"))
        said: Mapping[str, object] = {
            "name": w.gettext("newsletter.name"),
            "short_name": w.gettext("newsletter.name"),
            "description": help_command.introduction(w, self._styles)[0],
            "lang": language,
            "dir": w.direction.value,
            "id": f"{urls.root}/",
            "start_url": urls.front(language),
            "scope": f"{urls.root}/",
            "display": "minimal-ui",
            "background_color": PAPER_COLOUR,
            "theme_color": PAPER_COLOUR,
            "icons": [
                {"src": src, "sizes": f"{pixels}x{pixels}", "type": "image/png", "purpose": purpose}
                for src, pixels, purpose in icons
            ],
        }
        body = json.dumps(said, ensure_ascii=False).encode()
        page = render(PageSource(body, lambda: body, "application/manifest+json"))
        return send(request, page, keep=KEEP_A_DAY)

    async def _opensearch(self, request: web.Request, language: str) -> web.StreamResponse:
        w, urls = words(language), self._urls
        root = ET.Element("OpenSearchDescription", xmlns=OPENSEARCH)
        there = f"{urls.whole(urls.page(language, 'search'))}?q={{searchTerms}}"
        for name, text, more in (
            ("ShortName", w.gettext("newsletter.name")[:LONGEST_SHORT_NAME], {}),
            ("Description", w.gettext("web.search_hint"), {}),
            ("InputEncoding", "UTF-8", {}),
            ("Language", language, {}),
            ("Image", self._whole("icon.svg"), {"type": "image/svg+xml"}),
            ("Url", None, {"type": "text/html", "method": "get", "template": there}),
        ):
            ET.SubElement(root, name, more).text = text
        body: bytes = ET.tostring(root, "utf-8", xml_declaration=True)
        page = render(PageSource(body, lambda: body, "application/opensearchdescription+xml"))
        return send(request, page, keep=KEEP_A_DAY)

    async def _security(self, request: web.Request) -> web.StreamResponse:
        until = datetime.combine((self._clock() + CONTACT_LASTS).astimezone(UTC).date(), time(), UTC)
        lines = [
            f"Contact: {self._contact}",
            f"Expires: {until:%Y-%m-%dT%H:%M:%SZ}",
            f"Preferred-Languages: {', '.join(languages())}",
            f"Canonical: {self._urls.whole('/.well-known/security.txt')}",
            "",
        ]
        body = "\n".join(lines).encode()
        return send(request, render(PageSource(body, lambda: body, "text/plain")), keep=KEEP_A_DAY)

    def _whole(self, name: str) -> str:
        return self._urls.whole(f"{self._urls.root}/{name}")


def _topic_paths(found: Sequence[tuple[Sequence[str], str | None]], urls: Urls) -> list[str]:
    """The pages, in every language, of topics of papers that search engines may list, those of most papers first."""
    counted: Counter[tuple[TopicKind, str]] = Counter()
    for keywords, organisation in found:
        topics = [(TopicKind.KEYWORD, each) for each in keywords] + [(TopicKind.ORGANISATION, organisation or "")]
        counted.update({(kind, slug) for kind, name in topics if (slug := topic_slug(name))})
    listed = [topic for topic, papers in counted.most_common(MOST_URLS // len(languages())) if papers >= LEAST_INDEXED]
    return [urls.topic(tag, slug, kind) for kind, slug in listed for tag in languages()]
