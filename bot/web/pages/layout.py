"""The layout around every page: navigation, languages, feeds. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from bot.channel import CommandName, Link, command_line
from bot.model import Cadence, Style
from bot.render.branding import branding
from bot.render.catalogue import DEFAULT, languages
from bot.render.words import Words, own_name
from bot.web.pages.head import Head
from bot.web.pages.subscribe_box import SubscribeBox, SubscribeOffers
from bot.web.urls import Urls

YOUNG = timedelta(days=365)
"""Age up to which the archive says since when it has papers."""
LOGO_SIZE = (160, 32)
"""Pixels of the largest logo in the header: width, height."""
FEEDS = (
    ("xml", "application/rss+xml", "RSS"),
    ("atom", "application/atom+xml", "Atom"),
    ("json", "application/feed+json", "JSON"),
)
"""The kinds of feed: the end of the path, the media type, the name."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A link to one of several pages, and whether that is the page shown."""

    label: str
    url: str
    chosen: bool
    tag: str = ""
    """The language of the label, if it is not the page's."""


@dataclass(frozen=True, slots=True)
class Form:
    """A form with one button, and the hidden fields that are sent with it."""

    action: str
    button: str
    hidden: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Option:
    """One of the values that a form's field offers."""

    value: str
    label: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed of what the page shows."""

    media_type: str
    label: str
    url: str


@dataclass(frozen=True, slots=True)
class SiteUrls:
    """The URLs that every page of a language has in common. `settings` is empty where readers have no settings page."""

    front: str
    search: str
    settings: str
    feeds: str
    style_sheet: str
    icon: str
    podcast: str = ""
    """The language's podcast feed, if it has one."""
    logo: str = ""
    """The picture that stands for the newsletter's name, if it has one."""
    logo_size: tuple[int, int] = (1, 1)
    """Its width and height in the header, in pixels."""


@dataclass(frozen=True, slots=True)
class Navigation:
    """Where a page stands, and what leads away from it."""

    pages: Sequence[Choice]
    languages: Sequence[Choice]
    feeds: Sequence[Feed]
    canonical: str
    """The page's absolute URL."""
    unsaid: str
    """The same for visitors of whom no language is known."""


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The pages before and after one of a series."""

    previous: Link | None = None
    next: Link | None = None
    around: Sequence[Link] = ()
    """The longer periods that an edition lies in, then the shorter ones that it holds."""


@dataclass(frozen=True, slots=True)
class PageLayout:
    """The layout around a page's content."""

    site: SiteUrls
    navigation: Navigation
    subscribe: SubscribeBox
    description: str = ""
    styles: Sequence[Choice] = ()
    neighbours: Neighbours = field(default_factory=Neighbours)
    pictures: frozenset[str] = field(default_factory=frozenset)
    """The ids of papers that have a thumbnail."""
    recording: str = ""
    """The URL of what the page shows read aloud, if there is such a recording."""
    indexed: bool = True
    """Whether search engines may list the page."""
    offers: bool = False
    """Whether the page itself has the box that offers to subscribe."""
    head: Head = field(default_factory=Head)


@dataclass(frozen=True, slots=True)
class LayoutMaker:
    """Makes layouts. `style_sheet` is its path below the root."""

    urls: Urls
    style_sheet: str
    has_settings: bool = False
    offers: SubscribeOffers = field(default_factory=SubscribeOffers)
    podcasts: Collection[str] = ()
    """The languages that have a podcast."""

    def layout(
        self,
        w: Words,
        url: Callable[[str], str],
        *,
        here: str = "",
        style: Style = Style.HEADLINE,
        cadence: Cadence = Cadence.DAY,
        topics: str = "",
        follow: str = "",
        **more: Any,
    ) -> PageLayout:
        """The layout of a page whose path in a language is `url(language)`.

        `here` is the entry of the navigation to be marked; `style`, `cadence` and `topics` are those of the feeds to
        link to, `follow` is the command line that apps are opened with, to subscribe unless one is given; `more` are
        fields of PageLayout.
        """
        own, urls, logo = w.language, self.urls, branding.logo
        named = [
            ("today", w.gettext("web.today"), urls.front(own)),
            ("week", w.gettext("cadence.week"), urls.page(own, "week")),
            ("month", w.gettext("cadence.month"), urls.page(own, "month")),
            ("archive", w.gettext("web.archive"), urls.page(own, "archive")),
            ("search", w.gettext("web.search"), urls.page(own, "search")),
        ]
        chosen = {} if style is Style.HEADLINE else {"style": style.value}
        chosen |= {} if cadence is Cadence.DAY else {"cadence": cadence.value}
        chosen |= {"topics": topics} if topics else {}
        query = urlencode(chosen, safe=",")
        box = self.offers.box(w, follow or command_line(CommandName.SUBSCRIBE, _beginning(own, style)))
        return PageLayout(
            site=SiteUrls(
                front=urls.front(own),
                search=urls.page(own, "search"),
                settings=urls.page(own, "settings") if self.has_settings else "",
                feeds=urls.page(own, "feeds"),
                style_sheet=f"{urls.root}{self.style_sheet}",
                icon=f"{urls.root}/icon.svg",
                podcast=urls.podcast(own) if own in self.podcasts else "",
                logo=f"{urls.root}/logo.png" if logo else "",
                logo_size=logo.within(*LOGO_SIZE) if logo else (1, 1),
            ),
            navigation=Navigation(
                pages=[Choice(label, path, name == here) for name, label, path in named],
                languages=[Choice(own_name(tag), url(tag), tag == own, tag) for tag in languages()],
                feeds=[Feed(media_type, label, urls.feed(own, kind, query)) for kind, media_type, label in FEEDS],
                canonical=urls.whole(url(own)),
                unsaid=urls.whole(f"{urls.root}/" if url(DEFAULT) == urls.front(DEFAULT) else url(DEFAULT)),
            ),
            subscribe=box,
            **({"description": box.tagline} | more),
        )


def _beginning(language: str, style: Style) -> str:
    """The argument of the command `subscribe` for a language and a style: `ko`, `ko-abstract`."""
    return language if style is Style.HEADLINE else f"{language}-{style}"


def coverage(w: Words, begins: date | None, now: datetime) -> list[str]:
    """A note that an archive is young, so not complete.

    `begins` is its first list day, None for an empty one, which has nothing to say.
    """
    if begins is None or now.astimezone(UTC).date() - begins > YOUNG:
        return []
    return [w.gettext("papers.covers_since", day=w.day(begins))]
