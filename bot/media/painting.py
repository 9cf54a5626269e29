"""Paints scenes as PNG, and writes them as data for SVG elements of pages."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from io import BytesIO
from typing import cast

from PIL import Image, ImageColor, ImageDraw, ImageOps

from bot.media.scene import COLOURS, Box, Label, Photo, Scene, Stroke, Theme, Tone
from bot.media.typesetting import Typesetter
from bot.render.branding import Accent

FINE = 2
"""How many times finer boxes and lines are painted, so that their edges are smooth."""
OURS = Accent()
STEPS = 16
"""Steps between the paper and each tone, in the palette of a picture without photographs."""


def png(scene: Scene, typesetter: Typesetter, theme: Theme, accent: Accent = OURS) -> bytes:
    """A scene as a PNG file. Raises MissingGlyphError; a photograph that cannot be read is left out."""
    colours = _colours(theme, accent)
    canvas = _shapes(scene, colours)
    for item in scene.items:
        if isinstance(item, Photo):
            with suppress(OSError, ValueError, SyntaxError, Image.DecompressionBombError):
                _paste(canvas, item)
    draw = ImageDraw.Draw(canvas)
    for item in scene.items:
        if isinstance(item, Label):
            line = typesetter.line(item.text, item.size, item.weight, rtl=item.rtl)
            typesetter.draw(draw, line, item.left, item.y, colours[item.tone])
    written = BytesIO()
    if not any(isinstance(item, Photo) for item in scene.items):
        canvas = _in_few_colours(canvas, theme, accent)
    canvas.save(written, "PNG", compress_level=6)
    return written.getvalue()


def _colours(theme: Theme, accent: Accent) -> Mapping[Tone, str]:
    return COLOURS[theme] | {Tone.SUN: accent.day if theme is Theme.LIGHT else accent.night}


def _in_few_colours(canvas: Image.Image, theme: Theme, accent: Accent) -> Image.Image:
    """A picture of tones in a palette, half the size. Its paper, at the last corner, is exact: it lies on pages."""
    found = canvas.quantize(palette=_palette(theme, accent), dither=Image.Dither.NONE)
    corner = cast("int", found.getpixel((found.width - 1, found.height - 1)))
    colours = found.getpalette() or []
    colours[3 * corner : 3 * corner + 3] = ImageColor.getrgb(COLOURS[theme][Tone.PAPER])
    found.putpalette(colours)
    return found


@cache
def _palette(theme: Theme, accent: Accent) -> Image.Image:
    """A picture whose palette has the theme's tones and the steps between them and the paper, for smooth edges."""
    toned = _colours(theme, accent)
    paper = ImageColor.getrgb(toned[Tone.PAPER])
    colours = [*paper]
    for tone in sorted(set(Tone) - {Tone.PAPER}):
        for step in range(STEPS):
            there = ImageColor.getrgb(toned[tone])
            mixed = [round(a + (b - a) * (step + 1) / STEPS) for a, b in zip(paper, there, strict=True)]
            colours += mixed
    palette = Image.new("P", (1, 1))
    palette.putpalette(colours)
    return palette


def _shapes(scene: Scene, colours: Mapping[Tone, str]) -> Image.Image:
    shapes = [item for item in scene.items if isinstance(item, Box | Stroke)]
    if not shapes:
        return Image.new("RGB", (scene.width, scene.height), colours[Tone.PAPER])
    fine = Image.new("RGB", (scene.width * FINE, scene.height * FINE), colours[Tone.PAPER])
    draw = ImageDraw.Draw(fine)
    for item in shapes:
        if isinstance(item, Box):
            left, top = item.x * FINE, item.y * FINE
            corners = (left, top, left + item.width * FINE - 1, top + max(1.0, item.height * FINE) - 1)
            draw.rounded_rectangle(corners, item.radius * FINE, colours[item.tone])
        else:
            points = [(x * FINE, y * FINE) for x, y in item.points]
            draw.line(points, colours[item.tone], round(item.width * FINE), joint="curve")
    return fine.reduce(FINE)


def _paste(canvas: Image.Image, photo: Photo) -> None:
    size = (round(photo.width), round(photo.height))
    with Image.open(photo.path, formats=("JPEG", "PNG")) as opened:
        opened.draft("RGB", (size[0] * 2, size[1] * 2))
        cut = ImageOps.fit(opened.convert("RGB"), size, Image.Resampling.LANCZOS)
    mask = Image.new("L", (size[0] * FINE, size[1] * FINE), 0)
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, mask.width - 1, mask.height - 1), photo.radius * FINE, 255)
    canvas.paste(cut, (round(photo.x), round(photo.y)), mask.reduce(FINE))


def items(scene: Scene, *, rtl: bool = False) -> bytes:
    """A scene as JSON, from which pages make an SVG element in their own fonts and colours; photographs are left out.

    Each text is to be as wide as it was measured, so that another font cannot make two texts touch. It is anchored in
    its middle, which is the same place in both directions.
    """
    found: list[dict[str, object]] = []
    for item in scene.items:
        match item:
            case Box():
                numbers = {"x": item.x, "y": item.y, "width": item.width, "height": item.height, "radius": item.radius}
                found.append({"kind": "box", "tone": item.tone, **_short(numbers)})
            case Stroke():
                points = " ".join(f"{x:.1f},{y:.1f}" for x, y in item.points)
                found.append({"kind": "line", "tone": item.tone, "points": points, "width": item.width})
            case Label():
                numbers = {"x": item.left + item.width / 2, "y": item.y, "size": item.size, "width": item.width}
                rest = {"weight": item.weight, "rtl": rtl if item.rtl is None else item.rtl, "text": item.text}
                found.append({"kind": "text", "tone": item.tone, **_short(numbers), **rest})
    whole = {"width": scene.width, "height": scene.height, "items": found}
    return json.dumps(whole, ensure_ascii=False, separators=(",", ":")).encode()


def _short(numbers: dict[str, float]) -> dict[str, float]:
    return {name: round(number, 1) for name, number in numbers.items()}
