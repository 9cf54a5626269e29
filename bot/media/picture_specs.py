"""What pictures of an edition show, in words that are ready to be set: handed to the process that draws them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bot.render.branding import Accent


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a cloud: its weight from 0 to 1, and whether it is drawn as new."""

    text: str
    weight: float
    is_new: bool = False


@dataclass(frozen=True, slots=True)
class Cloud:
    """A word cloud; the heaviest words come first."""

    words: Sequence[Word]


@dataclass(frozen=True, slots=True)
class Bar:
    """A day or a month of a chart: its name, how many papers it had (None: not known), and whether it is marked."""

    name: str
    papers: int | None
    written: str
    """The number as the language writes it."""
    is_marked: bool = False


@dataclass(frozen=True, slots=True)
class Trend:
    """A chart of papers by day or month, with a line of means (None: not enough is known) where there is one."""

    title: str
    bars: Sequence[Bar]
    mean: Sequence[float | None] = ()
    legend: str = ""
    """What the line of means is called."""
    numbers: Sequence[tuple[int, str]] = ()
    """Numbers at the chart's edge, ascending, each as the language writes it; the last one is the highest."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A paper of a poster or a card."""

    rank: str
    title: str
    by: str
    """Votes and organisation in one line; may be empty."""
    is_latin: bool = True
    """Whether the title is in English: in a right-to-left picture it keeps its own direction."""


@dataclass(frozen=True, slots=True)
class Poster:
    """An edition as one tall picture: the first paper with its thumbnail, then the others by rank."""

    product: str
    title: str
    period: str
    lead: str
    entries: Sequence[Entry]
    foot: str
    photo: Path | None = None


@dataclass(frozen=True, slots=True)
class Card:
    """A picture for links to an edition or a paper."""

    product: str
    title: str
    period: str
    entries: Sequence[Entry]
    photo: Path | None = None
    is_latin: bool = False
    """Whether the title is in English, in a right-to-left picture."""


Spec = Cloud | Trend | Poster | Card


@dataclass(frozen=True, slots=True)
class Task:
    """A picture to draw: the stem of its files' names, and the language that it is set in."""

    stem: str
    spec: Spec
    language: str
    rtl: bool = False
    paper: str = ""
    """The arXiv id of the paper that it is a picture of; empty for one of the edition."""
    accent: Accent = field(default_factory=Accent)
