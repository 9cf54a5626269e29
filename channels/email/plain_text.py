"""Plain-text bodies: lines wrapped by display width."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from bot.runtime.text import display_width

COLUMNS = 72
"""Columns per line; leaves room for the > marks of quoting replies."""

_INDENT = re.compile(r" *(?:\S{1,5} {2,})?")
_OPENING = "「『（【《〈“‘(["
_CLOSING = "」』）】》〉”’、。，．！？：；)]"
_PIECES = re.compile(r"\s+|\S+")


def wrap(text: str) -> str:
    """Wrap lines with a hanging indent. Links stay whole; Chinese and Japanese break between characters."""
    written = (line for each in text.split("\n") for line in _lines(each.rstrip()))
    return re.sub(r"\n{4,}", "\n\n\n", "\n".join(written)).strip("\n") + "\n"


def _lines(written: str) -> Iterator[str]:
    if display_width(written) <= COLUMNS:
        yield written
        return
    found = _INDENT.match(written)
    lead = found[0] if found else ""
    indent = " " * display_width(lead)
    line, filled = lead, display_width(lead)
    for piece in _pieces(written[len(lead) :]):
        wide = display_width(piece)
        if filled + wide > COLUMNS and filled > len(indent):
            yield line.rstrip()
            line, filled = indent, len(indent)
            if piece.isspace():
                continue
        line, filled = line + piece, filled + wide
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
