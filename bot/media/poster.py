"""Lays out an edition as one tall picture, and as a card for links; both look like the newsletter's pages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bot.media.picture_specs import Card, Entry, Poster
from bot.media.scene import Box, Item, Label, Photo, Scene, Tone
from bot.media.typesetting import Typesetter

WIDTH = 1080
MARGIN = 72
RANKED = 96
"""Pixels of the column of ranks."""
PHOTO = 16 / 9
"""Width of the thumbnail for one of height."""
CARD_WIDTH, CARD_HEIGHT = 1200, 630
"""The size that social networks ask of pictures of links (https://ogp.me)."""
CARD_MARGIN = 64
ALONE, BESIDE_PHOTO = 62, 50
"""Font sizes in pixels of the title of a paper's own card, without and with its thumbnail."""
CARD_PHOTO = 400
CARD_FOOT = 608
"""Where the last line of a card may stand."""


class _Column:
    """Texts from the top down, in a column."""

    def __init__(self, typesetter: Typesetter, x: float, y: float, width: float) -> None:
        self.items: list[Item] = []
        self.y = y
        self._typesetter = typesetter
        self._x = x
        self._width = width

    def add(
        self,
        text: str,
        size: float,
        weight: int,
        tone: Tone,
        *,
        lines: int = 1,
        indent: float = 0,
        latin: bool = False,
        leading: float = 1.32,
    ) -> None:
        """Add a text, cut after `lines` lines; `latin` if it is written from the left whatever the language."""
        if not text:
            return
        width = self._width - indent
        for line in self._typesetter.fitted(text, size, weight, width, lines):
            self.y += size * leading
            rtl = False if latin else None
            measured = self._typesetter.line(line, size, weight, rtl=rtl).width
            x = self._x + indent
            self.items.append(Label(line, x, self.y - size * 0.28, size, weight, tone, measured, rtl=rtl))

    def rank(self, text: str, size: float) -> None:
        """Put a rank beside the line that comes next."""
        width = self._typesetter.line(text, size, 700).width
        self.items.append(Label(text, self._x, self.y + size * 0.98, size, 700, Tone.SUN, width))


def poster(spec: Poster, typesetter: Typesetter) -> Scene:
    """An edition as one tall picture, as high as it takes. Raises MissingGlyphError."""
    column = _Column(typesetter, MARGIN, MARGIN - 12, WIDTH - 2 * MARGIN)
    column.add(spec.product, 34, 700, Tone.SUN)
    column.y += 8
    column.add(spec.title, 64, 700, Tone.INK, lines=2, leading=1.2)
    column.add(spec.period, 34, 400, Tone.INK)
    column.add(spec.lead, 26, 400, Tone.QUIET, lines=2)
    column.y += 30
    column.items += [Box(MARGIN, column.y, WIDTH - 2 * MARGIN, 3, Tone.LINE)]
    column.items += [Box(MARGIN, column.y + 7, WIDTH - 2 * MARGIN, 3, Tone.LINE)]
    column.y += 46
    first, *others = spec.entries
    if spec.photo is not None:
        width = WIDTH - 2 * MARGIN
        column.items += _framed(Photo(spec.photo, MARGIN, column.y, width, width / PHOTO, 12))
        column.y += width / PHOTO + 26
    _entry(column, first, 44, 4)
    for each in others:
        column.items.append(Box(MARGIN, column.y + 26, WIDTH - 2 * MARGIN, 2, Tone.LINE))
        column.y += 42
        _entry(column, each, 32, 2)
    column.y += 44
    column.add(spec.foot, 22, 400, Tone.QUIET, lines=2)
    height = round(column.y + MARGIN * 0.75)
    scene = Scene(WIDTH, height, column.items)
    return scene.mirrored() if typesetter.rtl else scene


def _framed(photo: Photo) -> list[Item]:
    """A photograph with a fine line around it, so that a white one has an edge."""
    frame = Box(photo.x - 2, photo.y - 2, photo.width + 4, photo.height + 4, Tone.LINE, photo.radius + 2)
    return [frame, photo]


def _entry(column: _Column, entry: Entry, size: float, lines: int) -> None:
    column.rank(entry.rank, size)
    column.add(entry.title, size, 700, Tone.INK, lines=lines, indent=RANKED, latin=entry.is_latin)
    column.y += 4
    column.add(entry.by, 25, 400, Tone.QUIET, indent=RANKED)


def card(spec: Card, typesetter: Typesetter) -> Scene:
    """A card for links. Raises MissingGlyphError."""
    room = CARD_WIDTH - 2 * CARD_MARGIN
    items: list[Item] = [Box(0, 0, CARD_WIDTH, 14, Tone.SUN)]
    if spec.photo is not None:
        room -= CARD_PHOTO + 48
        height = CARD_PHOTO / PHOTO * 1.3
        x = CARD_WIDTH - CARD_MARGIN - CARD_PHOTO
        items += _framed(Photo(spec.photo, x, (CARD_HEIGHT - height) / 2 + 8, CARD_PHOTO, height, 14))
    column = _Column(typesetter, CARD_MARGIN, 50, room)
    column.add(spec.product, 30, 700, Tone.SUN)
    if spec.entries:
        column.y += 10
        column.add(spec.title, 52, 700, Tone.INK, lines=2, leading=1.22)
        column.add(spec.period, 30, 400, Tone.QUIET)
        column.y += 16
    else:  # one paper, in the middle
        size = ALONE if spec.photo is None else BESIDE_PHOTO
        lines = len(typesetter.fitted(spec.title, size, 700, room, 5))
        column.y = (CARD_HEIGHT - size * 1.22 * lines - 60) / 2
        column.add(spec.title, size, 700, Tone.INK, lines=5, latin=spec.is_latin, leading=1.22)
        column.y += 14
        column.add(spec.period, 32, 400, Tone.QUIET)
    for part in _card_entries(spec.entries, typesetter, column.y, room):
        column.items += part.items
    scene = Scene(CARD_WIDTH, CARD_HEIGHT, [*items, *column.items])
    return scene.mirrored() if typesetter.rtl else scene


def _card_entries(entries: Sequence[Entry], typesetter: Typesetter, y: float, room: float) -> Iterator[_Column]:
    """As many entries as there is room for below `y`."""
    for entry in entries:
        part = _Column(typesetter, CARD_MARGIN, y + 14, room)
        part.rank(entry.rank, 30)
        part.add(entry.title, 30, 700, Tone.INK, lines=2, indent=RANKED * 0.62, latin=entry.is_latin)
        part.add(entry.by, 24, 400, Tone.QUIET, indent=RANKED * 0.62)
        if part.y > CARD_FOOT:
            return
        y = part.y
        yield part
