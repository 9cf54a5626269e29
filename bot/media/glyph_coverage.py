"""Which characters a font file has glyphs for, read from its `cmap` table.

https://learn.microsoft.com/typography/opentype/spec/cmap
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import BinaryIO

LARGEST_TABLE = 4 << 20
"""Bytes of a `cmap` table that is read; the largest there are have a tenth of it."""
SUBTABLES = ((3, 10), (0, 6), (0, 4), (3, 1), (0, 3))
"""Platform and encoding of the Unicode subtables, the most complete first."""

Ranges = Sequence[tuple[int, int]]
"""First and last characters, ascending, both included."""


class Coverage:
    """The characters of a font."""

    def __init__(self, ranges: Ranges) -> None:
        self._firsts = [first for first, _ in ranges]
        self._lasts = [last for _, last in ranges]

    def __contains__(self, character: str) -> bool:
        place = bisect_right(self._firsts, ord(character)) - 1
        return place >= 0 and ord(character) <= self._lasts[place]


@cache
def coverage(path: Path, index: int = 0) -> Coverage:
    """The characters of a font in a file, or of the font at `index` in a collection.

    Raises ValueError for what is no font, OSError.
    """
    try:
        with path.open("rb") as file:
            return Coverage(sorted(_ranges(_cmap(file, index))))
    except (struct.error, IndexError) as error:
        raise ValueError(f"{path.name} is no font") from error


def _cmap(file: BinaryIO, index: int) -> bytes:
    start = 0
    if file.read(4) == b"ttcf":
        file.seek(12 + 4 * index)
        (start,) = struct.unpack(">I", file.read(4))
    file.seek(start + 4)
    (count,) = struct.unpack(">H", file.read(2))
    file.seek(start + 12)
    for _ in range(count):
        tag, _, offset, length = struct.unpack(">4sIII", file.read(16))
        if tag == b"cmap":
            file.seek(offset)
            return file.read(min(length, LARGEST_TABLE))
    raise ValueError("the font has no table of characters")


def _ranges(cmap: bytes) -> Iterator[tuple[int, int]]:
    (count,) = struct.unpack_from(">H", cmap, 2)
    places = {}
    for each in range(count):
        platform, encoding, offset = struct.unpack_from(">HHI", cmap, 4 + 8 * each)
        places[platform, encoding] = offset
    offset = next((places[each] for each in SUBTABLES if each in places), None)
    if offset is None:
        return
    (kind,) = struct.unpack_from(">H", cmap, offset)
    if kind == 12:
        (groups,) = struct.unpack_from(">I", cmap, offset + 12)
        for each in range(groups):
            first, last, _ = struct.unpack_from(">III", cmap, offset + 16 + 12 * each)
            yield first, last
    elif kind == 4:
        yield from _segments(cmap, offset)


def _segments(cmap: bytes, offset: int) -> Iterator[tuple[int, int]]:
    """The ranges of a subtable of format 4, in which single characters of a segment may have no glyph."""
    (twice,) = struct.unpack_from(">H", cmap, offset + 6)
    count = twice // 2
    lasts = struct.unpack_from(f">{count}H", cmap, offset + 14)
    firsts = struct.unpack_from(f">{count}H", cmap, offset + 16 + twice)
    deltas = struct.unpack_from(f">{count}h", cmap, offset + 16 + 2 * twice)
    where = offset + 16 + 3 * twice
    shifts = struct.unpack_from(f">{count}H", cmap, where)
    for place, (first, last, delta, shift) in enumerate(zip(firsts, lasts, deltas, shifts, strict=True)):
        if first == 0xFFFF:
            continue
        if shift == 0:
            yield first, last
            continue
        for character in range(first, last + 1):
            at = where + 2 * place + shift + 2 * (character - first)
            (glyph,) = struct.unpack_from(">H", cmap, at)
            if glyph and (glyph + delta) % 0x10000:
                yield character, character
