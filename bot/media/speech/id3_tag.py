"""An ID3v2.3 tag with chapters (https://id3.org/id3v2.3.0, https://id3.org/id3v2-chapters-1.0). Pure.

Version 2.3, since players that show chapters read it most widely.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

UTF_16 = b"\x01"
_TOC = b"toc\0"
_TOP_LEVEL_IN_ORDER = b"\x03"
_NO_OFFSET = b"\xff\xff\xff\xff"
_FRONT_COVER = b"\x03"
MOST_CHAPTERS = 255
LONGEST_TEXT = 500
"""Characters of one field."""
_LANGUAGES = {
    "ar": "ara", "de": "deu", "en": "eng", "es": "spa", "fr": "fra", "hi": "hin", "ja": "jpn", "ko": "kor",
    "pt": "por", "ru": "rus", "zh": "zho",
}  # fmt: skip
"""ISO 639-2 codes by the first part of a tag."""


@dataclass(frozen=True, slots=True)
class ChapterMark:
    """A chapter in a recording, from one second to another."""

    title: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Tags:
    """The metadata of a recording that players show."""

    title: str
    performer: str
    album: str
    language: str
    year: int
    chapters: Sequence[ChapterMark]
    artwork: bytes = b""
    """A PNG."""


def tag(shown: Tags, seconds: float) -> bytes:
    """The tag that stands before the sound, which plays for `seconds`."""
    fields = {
        "TIT2": shown.title,
        "TPE1": shown.performer,
        "TALB": shown.album,
        "TCON": "Podcast",
        "TYER": f"{shown.year:04}",
        "TLAN": _LANGUAGES.get(shown.language.partition("-")[0], "und"),
        "TLEN": str(_milliseconds(seconds)),
    }
    body = b"".join(_text(name, said) for name, said in fields.items())
    chapters = shown.chapters[:MOST_CHAPTERS]
    if chapters:
        names = [f"chp{number}".encode() + b"\0" for number in range(len(chapters))]
        body += _frame("CTOC", _TOC + _TOP_LEVEL_IN_ORDER + bytes([len(names)]) + b"".join(names))
        body += b"".join(_chapter(name, each) for name, each in zip(names, chapters, strict=True))
    if shown.artwork:
        body += _frame("APIC", b"\0image/png\0" + _FRONT_COVER + b"\0" + shown.artwork)
    return b"ID3\x03\x00\x00" + _syncsafe(len(body)) + body


def _chapter(name: bytes, mark: ChapterMark) -> bytes:
    times = b"".join(_milliseconds(each).to_bytes(4, "big") for each in (mark.start, mark.end))
    return _frame("CHAP", name + times + _NO_OFFSET * 2 + _text("TIT2", mark.title))


def _text(name: str, said: str) -> bytes:
    cut = said if len(said) <= LONGEST_TEXT else f"{said[: LONGEST_TEXT - 1]}…"
    return _frame(name, UTF_16 + cut.encode("utf-16", "replace"))


def _frame(name: str, body: bytes) -> bytes:
    return name.encode("ascii") + len(body).to_bytes(4, "big") + b"\0\0" + body


def _milliseconds(seconds: float) -> int:
    return min(round(seconds * 1000), 2**32 - 1)


def _syncsafe(size: int) -> bytes:
    """A size in seven bits a byte, so that nothing looks like the beginning of a frame of sound."""
    return bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0))
