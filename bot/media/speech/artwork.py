"""The podcast's picture: the program's icon, square and large, as directories and players ask for it."""

from __future__ import annotations

import io
from functools import cache

PODCAST_SIZE = 1_400
"""Pixels a side; Apple asks for 1,400 to 3,000 (https://podcasters.apple.com/support/896-artwork-requirements)."""
PAPER, SUN = "#fcfaf5", "#a8410b"
_GRID = 32
"""Units a side of templates/pages/icon.svg, which this repeats."""
_SMOOTH = 2
"""Times by which it is drawn larger and made smaller, for smooth edges."""
_RAYS = (((3, 25.5), (29, 25.5)), ((16, 5), (16, 8.5)), ((5.5, 10.5), (7.9, 12.7)), ((26.5, 10.5), (24.1, 12.7)))


@cache
def artwork(size: int) -> bytes:
    """The picture as a PNG of `size` pixels a side."""
    from PIL import Image, ImageDraw

    whole = size * _SMOOTH
    unit = whole / _GRID * 0.8  # with a margin: directories round the corners
    edge = whole * 0.1
    picture = Image.new("RGB", (whole, whole), PAPER)
    draw = ImageDraw.Draw(picture)

    def at(x: float, y: float) -> tuple[float, float]:
        return edge + x * unit, edge + y * unit

    draw.pieslice((*at(6, 12), *at(26, 32)), 180, 360, fill=SUN)
    wide = 2.2 * unit
    for begin, end in _RAYS:
        draw.line((*at(*begin), *at(*end)), fill=SUN, width=round(wide))
        for x, y in (at(*begin), at(*end)):
            draw.ellipse((x - wide / 2, y - wide / 2, x + wide / 2, y + wide / 2), fill=SUN)
    small = picture.resize((size, size), Image.Resampling.LANCZOS).quantize(32)
    made = io.BytesIO()
    small.save(made, "PNG", optimize=True)
    return made.getvalue()
