"""Lays out a chart of papers by day or by month: bars, a line of means, the edition's own bars in another colour."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby

from bot.media.picture_specs import Trend
from bot.media.scene import Anchor, Box, Item, Label, Scene, Stroke, Tone
from bot.media.typesetting import Typesetter

WIDTH, HEIGHT = 1200, 560
LEFT, RIGHT, TOP, BOTTOM = 92, 40, 116, 72
"""Pixels between the chart and the picture's edges."""
MARGIN = 12
"""Pixels between a name and the picture's edges."""
SMALL, TITLE = 24, 34
"""Font sizes in pixels."""
BAR = 0.7
"""A bar's share of its place."""
APART = 28
"""Pixels between two names below the bars, at least."""


def lay_out(trend: Trend, typesetter: Typesetter) -> Scene:
    """The chart. Time runs in the direction of reading."""
    found = [*_frame(trend, typesetter), *_bars(trend, typesetter), *_mean(trend)]
    found.append(HEADING.write(typesetter, trend.title, LEFT, 62))
    if trend.legend and any(each is not None for each in trend.mean):
        legend = AT_THE_EDGE.write(typesetter, trend.legend, WIDTH - RIGHT, 60)
        x = WIDTH - RIGHT - legend.width - 14
        found += [Stroke([(x - 44, 52), (x, 52)], Tone.INK, 4), legend]
    scene = Scene(WIDTH, HEIGHT, found)
    return scene.mirrored() if typesetter.rtl else scene


def _frame(trend: Trend, typesetter: Typesetter) -> Iterator[Item]:
    """Lines across the chart, with their numbers."""
    for number, written in trend.numbers:
        y = _height(trend, number)
        yield Box(LEFT, y - 1, WIDTH - LEFT - RIGHT, 2, Tone.LINE)
        yield AT_THE_EDGE.write(typesetter, written, LEFT - 14, y + SMALL * 0.36)


def _bars(trend: Trend, typesetter: Typesetter) -> Iterator[Item]:
    place = _place(trend)
    marked = [at for at, bar in enumerate(trend.bars) if bar.is_marked]
    for at, bar in enumerate(trend.bars):
        if bar.papers:
            top = _height(trend, bar.papers)
            tone = Tone.SUN if bar.is_marked else Tone.SOFT
            yield Box(LEFT + at * place + place * (1 - BAR) / 2, top, place * BAR, HEIGHT - BOTTOM - top, tone, 3)
        if bar.is_marked and bar.papers is not None and len(marked) == 1:
            number = MARKED.write(typesetter, bar.written, _middle(trend, at), _height(trend, bar.papers) - 12)
            yield replace(number, y=_clear_of_mean(trend, at, number))
    yield from _names(trend, typesetter, marked[-1] if marked else len(trend.bars) - 1)


def _clear_of_mean(trend: Trend, at: int, number: Label) -> float:
    """The baseline of a number above a bar: above the line of means, where that would go through it."""
    means = dict(enumerate(trend.mean))
    mean = means.get(at)
    if mean is None:
        return number.y
    reach = number.width / 2 / _place(trend)
    sides = [means.get(at - 1), means.get(at + 1)]
    lines = [_height(trend, mean + reach * (side - mean)) for side in sides if side is not None]
    highest, lowest = min([*lines, _height(trend, mean)]), max([*lines, _height(trend, mean)])
    is_crossed = highest < number.y + 10 and lowest > number.y - SMALL - 6
    return highest - 14 if is_crossed else number.y


def _names(trend: Trend, typesetter: Typesetter, first: int) -> Iterator[Item]:
    """Labels below the bars: of the marked one, and at equal steps from it, as many as there is room for."""
    widest = max(typesetter.line(bar.name, SMALL).width for bar in trend.bars)
    every = next(n for n in range(1, len(trend.bars) + 2) if n * _place(trend) >= widest + APART)
    for at, bar in enumerate(trend.bars):
        if (at - first) % every == 0:
            pen = MARKED if bar.is_marked else BELOW
            label = pen.write(typesetter, bar.name, _middle(trend, at), HEIGHT - BOTTOM + 40)
            if bar.is_marked:
                yield replace(label, x=min(label.x, WIDTH - MARGIN - label.width / 2))
            elif MARGIN <= label.left <= WIDTH - MARGIN - label.width:
                yield label


def _mean(trend: Trend) -> Iterator[Item]:
    """The line of means, in pieces where some are not known."""
    known = enumerate(trend.mean)
    for is_known, values in groupby(known, key=lambda each: each[1] is not None):
        points = [(_middle(trend, at), _height(trend, value)) for at, value in values if value is not None]
        if is_known and len(points) > 1:
            yield Stroke(points, Tone.INK, 4)


def _place(trend: Trend) -> float:
    return (WIDTH - LEFT - RIGHT) / len(trend.bars)


def _middle(trend: Trend, at: int) -> float:
    return LEFT + (at + 0.5) * _place(trend)


def _height(trend: Trend, papers: float) -> float:
    highest = trend.numbers[-1][0] if trend.numbers else 1
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * papers / highest


@dataclass(frozen=True, slots=True)
class _Pen:
    """How a label is set: its size, weight, tone and anchor."""

    size: float
    weight: int
    tone: Tone
    anchor: Anchor

    def write(self, typesetter: Typesetter, text: str, x: float, y: float) -> Label:
        """A label at a place."""
        width = typesetter.line(text, self.size, self.weight).width
        return Label(text, x, y, self.size, self.weight, self.tone, width, self.anchor)


HEADING = _Pen(TITLE, 700, Tone.INK, "start")
AT_THE_EDGE = _Pen(SMALL, 400, Tone.QUIET, "end")
BELOW = _Pen(SMALL, 400, Tone.QUIET, "middle")
MARKED = _Pen(SMALL, 700, Tone.SUN, "middle")
