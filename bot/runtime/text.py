"""Text from outside made safe to show: invisible characters, line breaks, display width; and sentence ends. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from itertools import pairwise

JOINERS = "\u200c\u200d"
"""ZWNJ and ZWJ. They are invisible, but part of the spelling in Persian, Hindi and other languages, and of emoji."""

_INVISIBLE = re.compile(
    "["
    "\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f"  # controls; those that are white space are not here
    "\xad\u200b\u2060-\u2064\ufeff"  # soft hyphen, zero-width spaces: they split words that are searched for
    "\u202a-\u202e\u2066-\u206f"  # bidirectional overrides and isolates: they reverse the text that follows
    "\ue000-\uf8ff\U000f0000-\U0010ffff"  # private use
    "\ufdd0-\ufdef\ufff9-\ufffc\ufffe\uffff"  # non-characters and annotations: they break encoders
    "\U000e0000-\U000e007f"  # tags: no reader sees them, but a language model reads them
    "]"
)
_OPENING = "「『（【《〈“‘(["
_KATAKANA = re.compile(r"[\u30a1-\u30fa\u30fc]{2}")
_CLOSING = "」』）】》〉”’、。・，．！？：；)]"
_PIECES = re.compile(r"\s+|\S+")
_SURROGATE = re.compile("[\ud800-\udfff]")
_CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f]")

_END = re.compile(r"[.!?…؟۔।]['\")\]’”»]*(?=\s+\S)|[。！？][」』”）]*")
"""Where a sentence may end: a mark followed by white space, so not inside a decimal or a URL."""
_ABBREVIATIONS = frozenset(
    """
    al approx app cf ch chap dept dr e.g ed eds eq eqs etc fig figs i.e inc jr ltd mr mrs ms no nos p pp prof
    ref refs resp sec sect sr st tab u.s viz vol vs w.r.t a.k.a i.i.d ph.d
    """.split()  # noqa: SIM905 — a list of words reads best as words
)


def visible(text: str) -> str:
    """`text` without invisible characters: controls, zero-width spaces, direction overrides, tags, private use.

    White space stays, and so do JOINERS and direction marks (U+200E, U+200F, U+061C), which writers need. Half of a
    surrogate pair becomes U+FFFD.
    """
    return text if text.isprintable() else _INVISIBLE.sub("", _SURROGATE.sub("\ufffd", text))


def one_line(text: str) -> str:
    """`visible` text with every run of white space, line breaks too, as one space."""
    return " ".join(visible(text).split())


def printable(text: str) -> str:
    """`text` with a space for every character that cannot be printed (`str.isprintable`), except JOINERS.

    For input that is parsed and for reasons that are logged, where characters should not move together.
    """
    return text if text.isprintable() else "".join(c if c.isprintable() or c in JOINERS else " " for c in text)


def without_controls(text: str) -> str:
    """`text` without control characters except line feeds, so that it cannot send commands to a terminal."""
    return _CONTROL.sub("", text)


def display_width(text: str) -> int:
    """Columns that a text takes on a terminal: 2 for wide East Asian characters, 0 for combining marks, else 1."""
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(c) else 1 + (unicodedata.east_asian_width(c) in "WF") for c in text)


def wrapped(lead: str, text: str, columns: int) -> Iterator[str]:
    """The lines of a text behind `lead`, as wide as it may be; later lines are indented by the width of `lead`.

    Links stay whole; Chinese and Japanese break between characters.
    """
    indent = " " * display_width(lead)
    line, filled = lead, len(indent)
    for piece in pieces(text):
        wide = display_width(piece)
        if filled + wide > columns and filled > len(indent):
            yield line.rstrip()
            line, filled = indent, len(indent)
            if piece.isspace():
                continue
        line, filled = line + piece, filled + wide
    if line.strip():
        yield line.rstrip()


def pieces(text: str) -> Iterator[str]:
    """Split a text where a line may break: between words, in wide scripts between characters and their punctuation."""
    for word in _PIECES.findall(text):
        if word.isascii() or word.isspace() or not any(map(_breaks, word)):
            yield word
            continue
        piece = ""
        for character in word:
            holds = character in _CLOSING or (piece and (piece[-1] in _OPENING or _is_one_word(piece, character)))
            if piece and not holds and (_breaks(character) or _breaks(piece[-1])):
                yield piece
                piece = ""
            piece += character
        yield piece


def _is_one_word(piece: str, character: str) -> bool:
    """Whether a break would part a number from what it counts, the parts of a date (4月29日), or a word in katakana."""
    if piece[-1].isdecimal() or (character.isdecimal() and any(map(str.isdecimal, piece))):
        return True
    return _KATAKANA.fullmatch(piece[-1] + character) is not None


def _breaks(character: str) -> bool:
    """Whether a line may break beside a character: in Chinese and Japanese, not in Korean, which has spaces."""
    return unicodedata.east_asian_width(character) in {"W", "F"} and not "\uac00" <= character <= "\ud7a3"


def sentence_ends(text: str) -> list[int]:
    """The indexes in `text` after which a new sentence may begin, ascending; the end of `text` is not among them."""
    return [found.end() for found in _END.finditer(text) if found.end() < len(text) and _ends(text, found)]


def sentences(text: str) -> list[str]:
    """The sentences of `text`, stripped, in order; empty only where `text` is blank."""
    places = [0, *sentence_ends(text), len(text)]
    return [each for start, end in pairwise(places) if (each := text[start:end].strip())]


def first_sentence(text: str) -> str:
    """The first sentence of `text` on one line; all of it where it holds only one."""
    line = " ".join(text.split())
    return line[: next(iter(sentence_ends(line)), len(line))]


def _ends(text: str, mark: re.Match[str]) -> bool:
    """Whether a mark really ends a sentence: not an abbreviation, an initial, or a point before a small letter."""
    if mark[0][0] in "。！？":
        return True
    following = text[mark.end() :].lstrip()[:1]
    if mark[0][0] == ".":
        word = text[max(0, mark.start() - 40) : mark.start()].rsplit(maxsplit=1)[-1:] or [""]
        last = word[0].lstrip("([{'\"“‘").lower()
        if last in _ABBREVIATIONS or re.fullmatch(r"[^\W\d]", last):  # "e.g. this", "J. Doe"
            return False
    return not following.islower()
