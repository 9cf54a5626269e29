"""A scene: the boxes, lines, texts and photographs of a picture, in tones that a theme colours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Literal

Anchor = Literal["start", "middle", "end"]
"""Which point of a text its `x` is: the left end, the middle or the right end, whatever its direction."""
_OTHER_END: dict[Anchor, Anchor] = {"start": "end", "middle": "middle", "end": "start"}


class Tone(StrEnum):
    """A colour by what it is for; pages have the same (templates/outbox/edition.css)."""

    PAPER = "paper"
    INK = "ink"
    QUIET = "quiet"
    LINE = "line"
    SUN = "sun"
    NOTE = "note"
    SOFT = "soft"
    """For areas that are looked at, such as the bars of a chart."""
    MIDDLE = "middle"
    """Between ink and quiet, for words of a cloud."""


class Theme(StrEnum):
    """Light or dark."""

    LIGHT = "light"
    DARK = "dark"


COLOURS = {
    Theme.LIGHT: {
        Tone.PAPER: "#fcfaf5",
        Tone.INK: "#1f1d1a",
        Tone.QUIET: "#655f56",
        Tone.LINE: "#e3dccd",
        Tone.SUN: "#a8410b",
        Tone.NOTE: "#f6ecd8",
        Tone.SOFT: "#cdbfa3",
        Tone.MIDDLE: "#46423b",
    },
    Theme.DARK: {
        Tone.PAPER: "#16171a",
        Tone.INK: "#e9e5dc",
        Tone.QUIET: "#a49d90",
        Tone.LINE: "#33322f",
        Tone.SUN: "#f0a35e",
        Tone.NOTE: "#2b2519",
        Tone.SOFT: "#57534a",
        Tone.MIDDLE: "#c8c2b6",
    },
}


@dataclass(frozen=True, slots=True)
class Box:
    """A filled rectangle, its corners rounded by `radius`."""

    x: float
    y: float
    width: float
    height: float
    tone: Tone
    radius: float = 0


@dataclass(frozen=True, slots=True)
class Stroke:
    """A line through points."""

    points: Sequence[tuple[float, float]]
    tone: Tone
    width: float


@dataclass(frozen=True, slots=True)
class Label:
    """A line of text on its baseline. `width` is what it takes, measured."""

    text: str
    x: float
    y: float
    size: float
    weight: int
    tone: Tone
    width: float
    anchor: Anchor = "start"
    rtl: bool | None = None
    """The direction of the line, None for that of the language."""

    @property
    def left(self) -> float:
        """Where its left end is."""
        return self.x - {"start": 0.0, "middle": self.width / 2, "end": self.width}[self.anchor]


@dataclass(frozen=True, slots=True)
class Photo:
    """A picture from a file, cut to fill a rectangle with rounded corners."""

    path: Path
    x: float
    y: float
    width: float
    height: float
    radius: float = 0


Item = Box | Stroke | Label | Photo


@dataclass(frozen=True, slots=True)
class Scene:
    """A picture of `width` × `height` pixels; what comes later lies above."""

    width: int
    height: int
    items: Sequence[Item]

    def mirrored(self) -> Scene:
        """The scene for a language that is written from the right: every place on the other side, texts unchanged."""
        return replace(self, items=[self._mirrored(item) for item in self.items])

    def _mirrored(self, item: Item) -> Item:
        match item:
            case Label():
                return replace(item, x=self.width - item.x, anchor=_OTHER_END[item.anchor])
            case Stroke():
                return replace(item, points=[(self.width - x, y) for x, y in item.points])
            case _:
                return replace(item, x=self.width - item.x - item.width)
