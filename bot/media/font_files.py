"""Where fonts are: in the wheels that the program depends on, else among those of the system."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

WHEELS = ("manimgx_fonts", "manimgx_fonts_cjk")
"""Packages that hold font files and nothing else."""


@dataclass(frozen=True, slots=True)
class FontFile:
    """A font: its file, and its place in it where the file is a collection."""

    path: Path
    index: int = 0


@dataclass(frozen=True, slots=True)
class Family:
    """A family of fonts: names of its files, the best first, and what to install where there is none."""

    files: Sequence[str]
    wheel: str
    package: str
    """The name of Debian's package."""


SANS = Family(("NotoSans[wght].ttf", "NotoSans-Regular.ttf", "DejaVuSans.ttf"), "manimgx-fonts", "fonts-noto-core")
ARABIC = Family(
    ("NotoSansArabic[wght].ttf", "NotoSansArabic-Regular.ttf", "DejaVuSans.ttf"), "manimgx-fonts", "fonts-noto-core"
)
DEVANAGARI = Family(
    ("NotoSansDevanagari[wght].ttf", "NotoSansDevanagari-Regular.ttf"), "manimgx-fonts", "fonts-noto-core"
)
CJK = Family(("NotoSansCJK-VF.otf.ttc", "NotoSansCJK-Regular.ttc"), "manimgx-fonts-cjk", "fonts-noto-cjk")
SYMBOLS = Family(
    ("NotoSansSymbols[wght].ttf", "NotoSansSymbols-Regular.ttf", "DejaVuSans.ttf"), "manimgx-fonts", "fonts-noto-core"
)

CJK_PLACES = {"ja": 0, "ko": 1, "zh-Hans": 2, "zh-Hant": 3}
"""The place in a collection of Noto Sans CJK of the font that draws characters as readers of a language write them."""
FIRST = {"ar": ARABIC, "hi": DEVANAGARI, **dict.fromkeys(CJK_PLACES, CJK)}
"""The family that a language is written in, where it is not SANS."""
USUAL_CJK = "ja"
"""The language whose forms Chinese characters have in pictures of other languages."""


def fonts_of(language: str) -> list[FontFile]:
    """The fonts for pictures in a language, the one that it is written in first; those that are missing are left out.

    The others stand in for single characters, such as a Greek letter in a Korean title.
    """
    found = []
    for family in dict.fromkeys((family_of(language), SANS, CJK, ARABIC, DEVANAGARI, SYMBOLS)):
        if (path := _file(family.files)) is not None:
            is_collection = path.suffix == ".ttc"
            index = CJK_PLACES.get(language, CJK_PLACES[USUAL_CJK]) if is_collection else 0
            found.append(FontFile(path, index))
    return found


def family_of(language: str) -> Family:
    """The family that a language is written in."""
    return FIRST.get(language, SANS)


@cache
def _file(names: Sequence[str]) -> Path | None:
    """The first of these files that there is."""
    for name in names:
        for folder in _wheels():
            if (folder / name).is_file():
                return folder / name
    installed = _installed()
    return next((installed[name] for name in names if name in installed), None)


def _wheels() -> Iterator[Path]:
    for package in WHEELS:
        spec = find_spec(package)
        for folder in () if spec is None else spec.submodule_search_locations or ():
            yield Path(folder)


@cache
def _installed() -> dict[str, Path]:
    """The font files of the system, by name."""
    found: dict[str, Path] = {}
    for folder in _font_folders():
        with suppress(OSError):
            for path in folder.rglob("*.[to]t[cf]"):
                found.setdefault(path.name, path)
    return found


def _font_folders() -> Iterator[Path]:
    if sys.platform == "win32":
        yield Path(os.environ.get("WINDIR", r"C:\Windows"), "Fonts")
    elif sys.platform == "darwin":
        yield from (Path("/Library/Fonts"), Path("/System/Library/Fonts"))
    else:
        yield from (Path("/usr/local/share/fonts"), Path("/usr/share/fonts"))
