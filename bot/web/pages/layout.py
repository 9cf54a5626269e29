"""What stands around every page: the way to the other pages, languages, feeds. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode

from bot.channel import Link, Page
from bot.model import Cadence, Style
from bot.render.labels import labels
from bot.render.words import Words, languages, own_name
from bot.web.urls import Urls

FEEDS = (
    ("xml", "application/rss+xml", "RSS"),
    ("atom", "application/atom+xml", "Atom"),
    ("json", "application/feed+json", "JSON"),
)
"""The kinds of feed: how each path ends, its media type, what people call it."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several: what it is called, where it is, and whether it is what is shown."""

    label: str
    url: str
    chosen: bool
    tag: str = ""
    """The language that the label is in, where it is not the page's."""


@dataclass(frozen=True, slots=True)
class Form:
    """A form of one button: where it goes, what the button says, what goes with it unseen."""

    action: str
    button: str
    hidden: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Option:
    """One of the values of a form's field."""

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
class PageLayout:
    """Around a page. `place` is what is marked in the row of pages; `canonical` the page's whole address."""

    front: str
    pages: Sequence[Choice]
    tongues: Sequence[Choice]
    feeds: Sequence[Feed]
    style_sheet: str
    icon: str
    canonical: str
    searching: str
    settings: str = ""
    """Where readers find their own settings, empty where there are none to find."""
    description: str = ""
    styles: Sequence[Choice] = ()
    previous: Link | None = None
    next: Link | None = None
    pictures: frozenset[str] = field(default_factory=frozenset)
    """The ids of papers whose small picture can be shown."""
    indexed: bool = True
    """Whether search engines may show it."""


@dataclass(frozen=True, slots=True)
class LayoutMaker:
    """Makes frames. `style_sheet` is the path of the style sheet, below the root."""

    urls: Urls
    style_sheet: str
    has_settings: bool = False

    def frame(
        self,
        w: Words,
        at: Callable[[str], str],
        *,
        here: str = "",
        style: Style = Style.HEADLINE,
        cadence: Cadence = Cadence.DAY,
        description: str = "",
        styles: Sequence[Choice] = (),
        previous: Link | None = None,
        following: Link | None = None,
        pictures: frozenset[str] = frozenset(),
        indexed: bool = True,
    ) -> PageLayout:
        """The frame of a page which, in another language, is `at` the path that this gives."""
        own, to = w.language, self.urls
        named = [
            ("today", w.pgettext("a web page", "Today"), to.front(own)),
            ("archive", w.pgettext("a web page", "Archive"), to.page(own, "archive")),
            ("search", w.pgettext("a web page", "Search"), to.page(own, "search")),
        ]
        chosen = {} if style is Style.HEADLINE else {"style": style.value}
        chosen |= {} if cadence is Cadence.DAY else {"cadence": cadence.value}
        query = urlencode(chosen)
        return PageLayout(
            front=to.front(own),
            pages=[Choice(label, url, name == here) for name, label, url in named],
            tongues=[Choice(own_name(tag), at(tag), tag == own, tag) for tag in languages()],
            feeds=[Feed(media_type, label, to.feed(own, kind, query)) for kind, media_type, label in FEEDS],
            style_sheet=f"{to.root}{self.style_sheet}",
            icon=f"{to.root}/icon.svg",
            canonical=to.whole(at(own)),
            searching=to.page(own, "search"),
            settings=to.page(own, "settings") if self.has_settings else "",
            description=description,
            styles=styles,
            previous=previous,
            next=following,
            pictures=pictures,
            indexed=indexed,
        )


def plain_page(w: Words, heading: str, lead: str = "", notes: Sequence[str] = ()) -> Page:
    """A page without papers."""
    return Page(
        language=w.language,
        direction=w.direction,
        heading=heading,
        lead=lead,
        blocks=[],
        labels=labels(w, Style.HEADLINE),
        notes=notes,
    )
