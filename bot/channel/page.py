"""A page: what a message says, before any channel's markup."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Self

from bot.model import Cadence, Paper, Source, Style


class Direction(StrEnum):
    """Which way a language is written; the value is HTML's `dir`."""

    LTR = "ltr"
    RTL = "rtl"


@dataclass(frozen=True, slots=True)
class Link:
    """A label with a URL."""

    label: str
    url: str


@dataclass(frozen=True, slots=True)
class Said:
    """The text of a style about one paper: named parts in the style's order, and who wrote it."""

    style: str
    source: Source
    parts: Mapping[str, str]
    language: str
    """The language of the text: English where it fell back to the feed's sentence, whatever the page's."""
    instead: bool = False
    """Whether it is a fallback for a text of the chosen style, which is missing."""
    byline: str = ""
    """Which model wrote it and when, in the page's language; empty for people's words."""
    unknown: frozenset[str] = frozenset()
    """Parts about which the paper says nothing."""

    def opening(self, groups: Sequence[Sequence[str]]) -> Self:
        """Only what stands first where the rest is folded: of each group of part names the first that says something.

        The groups are the style's (`shown` in templates/styles).
        """
        first = {next((name for name in group if self.parts.get(name)), "") for group in groups}
        return self._with(first)

    def without(self, opening: Self) -> Self:
        """The parts that an `opening` leaves out."""
        return self._with({name for name in self.parts if not opening.parts[name]})

    def _with(self, names: Collection[str]) -> Self:
        return replace(self, parts={name: said if name in names else "" for name, said in self.parts.items()})


@dataclass(frozen=True, slots=True)
class Block:
    """All that a page says about one paper, in the reader's language, without markup."""

    rank: int
    paper: Paper
    title: str
    votes: str | None
    """"12 votes" in the reader's language, None where the feed counts none."""
    votes_count: int | None
    organisation: str | None
    authors: str | None
    said: Said
    links: Sequence[Link]
    original_title: str | None = None
    """The title as its authors wrote it, where `title` is a translation."""
    abstract: str = ""
    """The authors' abstract, for layouts that show it beside the text."""
    outcome: str = ""
    """Of an edition's first paper: what came of it, in the authors' words; empty where the text says so itself."""


@dataclass(frozen=True, slots=True)
class Paging:
    """Pagination: where a page stands in a list that is shown page by page."""

    previous: str | None = None
    """The command line that shows the papers before these."""
    here: str | None = None
    """The command line that shows these papers again, for the way back from one of them."""
    number: int = 1
    """Which page of the list it is."""
    pages: int | None = None
    """How many there are, None where they were not counted."""
    most: int | None = None
    """Papers that one page shows; None for as many as fit."""
    next: str | None = None
    """The command line that shows the papers that did not fit."""
    more: str | None = None
    """A line in place of the papers that do not fit: "+7 more"."""


FIRST_PAGE = Paging()


NOTICE = "notice-"
"""What the names of pages begin with that are notices."""


@dataclass(frozen=True, slots=True)
class About:
    """The edition that a page shows, or another list of papers, which has no day."""

    slug: str = ""
    """A file-name-safe name for the page, the same on every rendering: "2026-04-29"."""
    day: date | None = None
    """The last day of the edition's period."""
    cadence: Cadence | None = None
    closed_at: datetime | None = None
    """When the edition was closed."""
    counted_at: str = ""
    """When the edition's votes were counted, in the reader's zone and language; empty where the feed counts none."""
    style: Style = Style.HEADLINE
    """The chosen style; a block may fall back to another."""
    total: int = 0
    """How many papers there were to choose from."""
    listen: str = ""
    """The command line that plays it read aloud, where there is such a recording and the channel plays it."""

    @property
    def is_notice(self) -> bool:
        """Whether the page is a notice to a reader or an operator, whose words are all from the catalogues."""
        return self.slug.startswith(NOTICE)


NOTHING = About()


@dataclass(frozen=True, slots=True)
class Page:
    """The content of a message, before any channel's markup."""

    language: str
    direction: Direction
    heading: str
    lead: str
    """One line beneath the heading; of an announcement its whole text, with its line breaks."""
    blocks: Sequence[Block]
    labels: Mapping[str, str]
    """Words for the layout ("votes", "paper", "organisation") in the page's language."""
    notes: Sequence[str] = ()
    """Lines above the papers."""
    actions: Sequence[Link] = ()
    footer: Sequence[str] = ()
    about: About = NOTHING
    paging: Paging = FIRST_PAGE
    alone: bool = False
    """Whether it shows all about one paper that was asked for."""
