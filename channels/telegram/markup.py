"""Telegram's HTML: escaping, and sizes as Telegram counts them.

Rules: https://core.telegram.org/bots/api#html-style and #sendmessage.
"""

from __future__ import annotations

import html
import re

from bot.channel import utf16_units

_TAG = re.compile(r"<(/?)[a-z][^<>]*>")
_HREF = re.compile(r'<a href="([^"<>]*)">')
_QUOTE = re.compile(r"<blockquote expandable>.*?</blockquote>", re.DOTALL)
_BLANK_LINES = re.compile(r"\n\s*\n")
_POINTS = re.compile(r"\n\s*\n(?=• )")
_BEHIND_QUOTE = re.compile(r"</blockquote>\n\s*\n(?=.?\d)")
_GAPS = re.compile(r"\n{3,}")
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"})
"""The only named entities that Telegram knows."""


def escape(text: str) -> str:
    """Escape text for Telegram's HTML, between tags or in an attribute."""
    return text.translate(_ESCAPES)


def collapse_blank_lines(markup: str) -> str:
    """Remove the blank lines within quotations, behind them and before points, and leave single ones elsewhere."""
    quoted = _QUOTE.sub(lambda found: _BLANK_LINES.sub("\n", found[0]), _POINTS.sub("\n", markup.strip()))
    quoted = _BEHIND_QUOTE.sub("</blockquote>\n", quoted)
    return _GAPS.sub("\n\n", quoted)


def text_length(markup: str) -> int:
    """Length of a message after its markup is parsed, in UTF-16 code units."""
    return utf16_units(html.unescape(_TAG.sub("", markup)))


def entity_count(markup: str) -> int:
    """Number of formatting entities in a message."""
    return sum(not found[1] for found in _TAG.finditer(markup))


def link_bytes(markup: str) -> int:
    """Total length of the link addresses, in bytes."""
    return sum(len(html.unescape(href).encode()) for href in _HREF.findall(markup))
