"""URLs of pages: the paths below PUBLIC_URL. Pure.

`/{language}/{slug}` is an edition, as links in messages have it (bot.signing); the other pages of a language have
names that are no slugs.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from enum import Enum
from urllib.parse import quote, urlencode, urlsplit

from bot.model import Cadence
from bot.render.edition_page import slug
from bot.rules.topics import Where

USUAL_PORTS = {"https": 443, "http": 80}


LONGEST_TOPIC_SLUG = 100
"""Characters of a topic in a path."""
_WORDS = re.compile(r"[^\W_]+")


class TopicKind(Enum):
    """The kinds of topic pages, by the name in their path."""

    KEYWORD = "keywords"
    AUTHOR = "authors"
    ORGANISATION = "organisations"

    @property
    def where(self) -> Where:
        """The part of a paper that readers' topics of this kind are matched against."""
        return Where[self.name]


def topic_slug(name: str) -> str:
    """A topic as it stands in paths: its words in small letters, with hyphens between; empty for what has no words."""
    words = _WORDS.findall(unicodedata.normalize("NFKC", name).casefold())
    while len(words) > 1 and len("-".join(words)) > LONGEST_TOPIC_SLUG:
        words.pop()
    return "-".join(words)[:LONGEST_TOPIC_SLUG]


@dataclass(frozen=True, slots=True)
class Urls:
    """The URLs of pages. `root` is the path that all of them begin with, without a slash at its end."""

    root: str
    origin: str
    """Scheme and host, for absolute URLs."""

    @classmethod
    def below(cls, url: str) -> Urls:
        """The URLs below a public address; the origin is written as browsers write it (RFC 6454 section 6.2)."""
        parts = urlsplit(url)
        usual = f":{USUAL_PORTS.get(parts.scheme)}"
        return cls(parts.path.rstrip("/"), f"{parts.scheme}://{parts.netloc.lower().removesuffix(usual)}")

    def front(self, language: str) -> str:
        """The front page of a language."""
        return f"{self.root}/{language}/"

    def edition(self, language: str, cadence: Cadence, day: date) -> str:
        """The page of an edition."""
        return f"{self.root}/{language}/{slug(cadence, day)}"

    def page(self, language: str, name: str) -> str:
        """Another page of a language: `archive`, `search`, `privacy`."""
        return f"{self.root}/{language}/{name}"

    def topic(self, language: str, name: str, kind: TopicKind = TopicKind.KEYWORD) -> str:
        """The page of the papers that have a keyword, an author or an organisation."""
        found = topic_slug(name)
        if not found:
            return f"{self.page(language, 'search')}?{urlencode({'q': name})}"
        return f"{self.root}/{language}/{kind.value}/{quote(found)}"

    def paper(self, language: str, paper_id: str) -> str:
        """The page of a paper."""
        return f"{self.root}/{language}/papers/{quote(paper_id)}"

    def picture(self, paper_id: str) -> str:
        """A paper's thumbnail beside its title."""
        return f"{self.root}/pictures/{quote(paper_id)}.jpg"

    def figure(self, paper_id: str) -> str:
        """A figure of a paper, on its own page."""
        return f"{self.root}/pictures/{quote(paper_id)}.figure"

    def large_picture(self, paper_id: str) -> str:
        """A paper's thumbnail where it comes first."""
        return f"{self.root}/pictures/{quote(paper_id)}.large.jpg"

    def icon(self, pixels: int) -> str:
        """Our icon as a PNG that is `pixels` wide."""
        return f"{self.root}/icon-{pixels}.png"

    def citation(self, paper_id: str, kind: str) -> str:
        """A paper's citation as a file: `bib` or `ris`."""
        return f"{self.root}/cite/{quote(paper_id)}.{kind}"

    def feed(self, language: str, kind: str, query: str = "") -> str:
        """A feed: `xml`, `atom` or `json`."""
        return f"{self.root}/feed/{language}.{kind}{'?' if query else ''}{query}"

    def podcast(self, language: str) -> str:
        """A language's podcast feed."""
        return f"{self.root}/podcast/{language}.xml"

    def recording(self, language: str, cadence: Cadence, day: date, query: str = "") -> str:
        """The recording of an edition, in the podcast's style unless a query says another."""
        return f"{self.root}/podcast/{language}/{slug(cadence, day)}.mp3{'?' if query else ''}{query}"

    def media(self, owner: str, language: str, name: str, version: str = "") -> str:
        """A picture of an edition, by the edition's slug; with a `version` the address changes with the picture."""
        return f"{self.root}/media/{owner}/{language}/{name}{'?v=' if version else ''}{version}"

    def whole(self, path: str) -> str:
        """A path as an absolute URL."""
        return f"{self.origin}{path}"
