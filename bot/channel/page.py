"""A page: what is to be said to a reader, before any channel's markup."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from bot.model import Cadence, Media, Paper, Source, Style


class Direction(StrEnum):
    """Which way a language is written; the value is HTML's `dir`."""

    LTR = "ltr"
    RTL = "rtl"


@dataclass(frozen=True, slots=True)
class Link:
    """Words that lead somewhere."""

    label: str
    url: str


@dataclass(frozen=True, slots=True)
class Said:
    """A style's words about one paper: named parts in the style's order, and whose words they are."""

    style: str
    source: Source
    parts: Mapping[str, str]
    language: str
    """The language the words are in, which is not the page's where a text fell back to the feed's English."""
    instead: bool = False
    """Whether this stands in for a text of the style that was asked for and is not there."""


@dataclass(frozen=True, slots=True)
class Block:
    """All that is said about one paper, in the reader's words but without markup."""

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
    """The authors' abstract, for layouts that show it beside what is said."""


@dataclass(frozen=True, slots=True)
class Page:
    """What is to be said to a reader, before any channel's markup.

    `more` is the line that stands for papers left out to fit ("+7 more"); `notes` are said above the papers.
    """

    language: str
    direction: Direction
    heading: str
    lead: str
    """One line beneath the heading; of an announcement all that it says, whose line breaks count."""
    blocks: Sequence[Block]
    labels: Mapping[str, str]
    """Words for the layout ("votes", "paper", "organisation") in the page's language."""
    notes: Sequence[str] = ()
    more: str | None = None
    actions: Sequence[Link] = ()
    footer: Sequence[str] = ()
    media: Sequence[Media] = ()
    slug: str = ""
    """A file-name-safe name for the page, the same on every rendering: "2026-04-29"."""
    day: date | None = None
    """The last day of the edition's period, None for pages that are no edition's."""
    cadence: Cadence | None = None
    closed_at: datetime | None = None
    """When the edition was closed."""
    style: Style = Style.HEADLINE
    """The style that was asked for; a block may be said in another."""
    total: int = 0
    """How many papers there were to choose from."""
    next: str | None = None
    """The request for the papers that did not fit, as a button can hold it (`bot.channel.command_lines`)."""
    previous: str | None = None
    """What to ask for the papers before these."""
    alone: bool = False
    """Whether it is about one paper that was asked for, with all there is to say."""
