"""Joins pictures into one, each with its name below it, large enough to be read."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from math import ceil
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

GAP = 16
NAME = 18
"""Pixels for a name."""


def contact_sheet(path: Path, pictures: Sequence[tuple[str, bytes]], *, columns: int, scale: float = 1.0) -> None:
    """Write pictures of one size (names and PNGs) in rows of that many, in the order in which they are read."""
    opened = [(name, Image.open(BytesIO(content)).convert("RGB")) for name, content in pictures]
    width, height = (round(side * scale) for side in opened[0][1].size)
    across, down = width + GAP, height + NAME + GAP
    sheet = Image.new("RGB", (columns * across + GAP, ceil(len(opened) / columns) * down + GAP), (128, 128, 128))
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(14)
    for number, (name, picture) in enumerate(opened):
        x, y = GAP + number % columns * across, GAP + number // columns * down
        sheet.paste(picture.resize((width, height), Image.Resampling.LANCZOS), (x, y))
        pen.text((x, y + height), name, fill="white", font=font)
    sheet.save(path, quality=50, method=6)
