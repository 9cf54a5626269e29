"""Plain-text bodies: lines wrapped by display width."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

COLUMNS = 72
"""Columns per line; leaves room for the > marks of quoting replies."""

_CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f]")
_INDENT = re.compile(r" *(?:\S{1,5} {2,})?")
_OPENING = "「『（【《〈“‘(["
_CLOSING = "」』）】》〉”’、。，．！？：；)]"
_PIECES = re.compile(r"\s+|\S+")


def strip_control(text: str) -> str:
    """Plain text's escape function: removes control characters."""
    return _CONTROL.sub("", text)


def wrap(text: str) -> str:
    """Wrap lines with a hanging indent. Links stay whole; Chinese and Japanese break between characters."""
    written = (line for each in text.split("\n") for line in _lines(each.rstrip()))
    return re.sub(r"\n{4,}", "\n\n\n", "\n".join(written)).strip("\n") + "\n"


def width(text: str) -> int:
    """Columns that a text takes on a terminal."""
    return len(text) if text.isascii() else sum(map(_columns, text))


def _columns(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1


def _lines(written: str) -> Iterator[str]:
    if width(written) <= COLUMNS:
        yield written
        return
    found = _INDENT.match(written)
    lead = found[0] if found else ""
    indent = " " * width(lead)
    line, with_links = lead, width(lead)
    for piece in _pieces(written[len(lead) :]):
        wide = width(piece)
        if with_links + wide > COLUMNS and with_links > len(indent):
            yield line.rstrip()
            line, with_links = indent, len(indent)
            if piece.isspace():
                continue
        line, with_links = line + piece, with_links + wide
    if line.strip():
        yield line.rstrip()


def _pieces(text: str) -> Iterator[str]:
    """Split a text where a line may break: between words, in wide scripts between characters and their punctuation."""
    for word in _PIECES.findall(text):
        if word.isascii() or word.isspace() or not any(map(_breaks, word)):
            yield word
            continue
        piece = ""
        for character in word:
            holds = character in _CLOSING or (piece and piece[-1] in _OPENING)
            if piece and not holds and (_breaks(character) or _breaks(piece[-1])):
                yield piece
                piece = ""
            piece += character
        yield piece


def _breaks(character: str) -> bool:
    """Whether a line may break beside a character: in Chinese and Japanese, not in Korean, which has spaces."""
    return unicodedata.east_asian_width(character) in {"W", "F"} and not "\uac00" <= character <= "\ud7a3"
