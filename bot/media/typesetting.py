"""Sets lines of text in pictures: which font each letter has, how wide a line is, where it breaks, and its glyphs."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING

from PIL import ImageFont, features

from bot.media.bidi_runs import visual_runs
from bot.media.font_files import FontFile, fonts_of
from bot.media.glyph_coverage import Coverage, coverage
from bot.runtime.text import pieces

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont

SHAPED = frozenset({"ar", "hi"})
"""Languages whose letters change with their neighbours, which takes Pillow with raqm."""
HAS_RAQM = features.check("raqm")
OPENED = 12
"""Fonts kept open; one of Chinese, Japanese and Korean takes four megabytes, and opens at once."""
ELLIPSIS = "…"
SEPARATOR = "·"
"""Stands between spaces; fonts of Chinese draw it as wide as a letter, so it is set in another."""
REGULAR = 400
"""The weight that every font has."""
CUT_BEFORE = " ,.;:-–—、，"
"""What is left out where it would stand before an ellipsis."""


class MissingGlyphError(Exception):
    """No font can draw a text; the message says why."""


@dataclass(frozen=True, slots=True)
class Run:
    """A piece of a line in one font and direction."""

    text: str
    font: FontFile
    is_rtl: bool
    width: float


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text, measured: its runs from left to right, and its width in pixels."""

    runs: tuple[Run, ...]
    size: float
    weight: int
    width: float


class Typesetter:
    """Sets text for pictures in one language. Raises MissingGlyphError where its letters cannot be drawn at all."""

    def __init__(self, language: str, *, rtl: bool = False) -> None:
        """Raises MissingGlyphError for a language that Pillow cannot shape here."""
        self.rtl = rtl
        if language in SHAPED and not HAS_RAQM:
            raise MissingGlyphError(f"Pillow is built without raqm, which {language} needs")
        self._fonts: list[tuple[FontFile, Coverage]] = [
            (each, coverage(each.path, each.index)) for each in fonts_of(language)
        ]
        narrow = [each for each in self._fonts if each[0].path.suffix != ".ttc" and SEPARATOR in each[1]]
        self._known: dict[str, tuple[FontFile, Coverage] | None] = {SEPARATOR: narrow[0]} if narrow else {}
        """The font of each character that was looked for."""
        if not self._fonts:
            raise MissingGlyphError("there is no font")

    def line(self, text: str, size: float, weight: int = REGULAR, *, rtl: bool | None = None) -> Line:
        """Measure a line. Raises MissingGlyphError for a letter that no font has; other signs are left out.

        Args:
            text: the line, without line breaks.
            size: of the font, in pixels.
            weight: 100 to 900; 400 is regular, 700 bold.
            rtl: the direction of the line, None for that of the language.
        """
        found: list[Run] = []
        for part, is_rtl in visual_runs(self._drawable(text), rtl=self.rtl if rtl is None else rtl):
            runs = list(self._in_fonts(part, size, weight, is_rtl=is_rtl))
            found += reversed(runs) if is_rtl else runs
        return Line(tuple(found), size, weight, sum(run.width for run in found))

    def ink(self, line: Line) -> tuple[float, float]:
        """How far a line's glyphs reach above its baseline (a negative number) and below it, in pixels."""
        boxes = [
            _font(run.font, line.size, line.weight).getbbox(
                run.text, anchor="ls", direction=_direction(is_rtl=run.is_rtl)
            )
            for run in line.runs
        ]
        return min((box[1] for box in boxes), default=0.0), max((box[3] for box in boxes), default=0.0)

    def fitted(self, text: str, size: float, weight: int, width: float, lines: int) -> list[str]:
        """A text broken into at most `lines` lines of `width` pixels; what does not fit ends in an ellipsis."""
        found = [""]
        for piece in self._breakable(" ".join(self._drawable(text).split()), size, weight, width):
            if self.line(found[-1] + piece.rstrip(), size, weight).width <= width or not found[-1]:
                found[-1] += piece
                continue
            if len(found) == lines:
                found[-1] = self.shortened(found[-1] + piece, size, weight, width, always=True)
                break
            found.append(piece.lstrip())
        return [line.strip() for line in found]

    def shortened(self, text: str, size: float, weight: int, width: float, *, always: bool = False) -> str:
        """A text that is at most `width` pixels wide, with an ellipsis where something was cut (or `always`)."""
        if not always and self.line(text, size, weight).width <= width:
            return text
        whole = list(pieces(text))
        while len(whole) > 1 and self._width_cut("".join(whole), size, weight) > width:
            whole.pop()
        text = "".join(whole)
        while text and self._width_cut(text, size, weight) > width:  # one word that is wider than the line
            text = text[:-1]
        return f"{text.rstrip(CUT_BEFORE)}{ELLIPSIS}"

    def _width_cut(self, text: str, size: float, weight: int) -> float:
        return self.line(f"{text.rstrip(CUT_BEFORE)}{ELLIPSIS}", size, weight).width

    def draw(self, canvas: ImageDraw, line: Line, left: float, baseline: float, fill: str) -> None:
        """Draw a line from its left end on its baseline."""
        for run in line.runs:
            write = partial(canvas.text, fill=fill, anchor="ls", direction=_direction(is_rtl=run.is_rtl))
            try:
                write((left, baseline), run.text, font=_font(run.font, line.size, line.weight))
            except OSError:  # FreeType fails at bold forms of glyphs that are whole sentences (U+FDFD)
                write((left, baseline), run.text, font=_font(run.font, line.size, REGULAR))
            left += run.width

    def can_draw(self, text: str) -> bool:
        """Whether fonts have all letters of a text."""
        try:
            self._drawable(text)
        except MissingGlyphError:
            return False
        return True

    def _drawable(self, text: str) -> str:
        """The text without signs that no font has; a letter may have a plainer form that one does (𝒯 is T).

        A combining mark stays where the font of its letter has it, since both are drawn in that.
        """
        found: list[str] = []
        letter: tuple[FontFile, Coverage] | None = None
        for character in unicodedata.normalize("NFC", text):
            if unicodedata.combining(character):
                if letter is not None and character in letter[1]:
                    found.append(character)
                continue
            letter = self._font_of(character) if character.isalpha() else None
            if self._font_of(character) is not None or character.isspace():
                found.append(character)
                continue
            for plain in unicodedata.normalize("NFKC", character):
                if self._font_of(plain) is not None:
                    found.append(plain)
                elif unicodedata.category(plain)[0] in "LN":
                    name = unicodedata.name(plain, f"U+{ord(plain):04X}")
                    raise MissingGlyphError(f"no font has the letter {name}")
        return "".join(found)

    def _breakable(self, text: str, size: float, weight: int, width: float) -> Iterator[str]:
        """The pieces of a text between which a line may break; one that is wider than a line is cut."""
        for piece in pieces(text):
            while self.line(piece, size, weight).width > width and len(piece) > 1:
                end = len(piece) - 1
                while end > 1 and self.line(piece[:end], size, weight).width > width:
                    end -= 1
                yield piece[:end]
                piece = piece[end:]  # noqa: PLW2901 - the rest of it
            yield piece

    def _font_of(self, character: str) -> tuple[FontFile, Coverage] | None:
        if character not in self._known:
            self._known[character] = next((each for each in self._fonts if character in each[1]), None)
        return self._known[character]

    def _in_fonts(self, part: str, size: float, weight: int, *, is_rtl: bool) -> Iterator[Run]:
        """The runs of one font in a run of one direction, in logical order.

        What is no letter stays in the font of what is before it, if that has it.
        """
        current, start = self._fonts[0], 0
        for place, character in enumerate(part):
            is_letter = unicodedata.category(character)[0] == "L" or character == SEPARATOR
            if (not is_letter and character in current[1]) or character.isspace() or unicodedata.combining(character):
                continue
            found = self._font_of(character) or current
            if found != current:
                if place > start:
                    yield self._run(part[start:place], current[0], size, weight, is_rtl=is_rtl)
                current, start = found, place
        if part[start:]:
            yield self._run(part[start:], current[0], size, weight, is_rtl=is_rtl)

    def _run(self, text: str, font: FontFile, size: float, weight: int, *, is_rtl: bool) -> Run:
        width = _font(font, size, weight).getlength(text, direction=_direction(is_rtl=is_rtl))
        return Run(text, font, is_rtl, width)


def _direction(*, is_rtl: bool) -> str | None:
    """The direction argument for Pillow; None without raqm, which alone knows directions."""
    return ("rtl" if is_rtl else "ltr") if HAS_RAQM else None


@lru_cache(OPENED)
def _font(file: FontFile, size: float, weight: int) -> FreeTypeFont:
    font = ImageFont.truetype(str(file.path), size, index=file.index)
    with suppress(OSError):  # it comes in one weight
        font.set_variation_by_axes([weight])
    return font
