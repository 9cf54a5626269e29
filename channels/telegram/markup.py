"""Telegram's HTML: what may not stand in it as it is, and how long it is for Telegram.

Rules: https://core.telegram.org/bots/api#html-style and #sendmessage.
"""

from __future__ import annotations

import html
import re

from bot.channel import utf16_units

_TAG = re.compile(r"<(/?)[a-z][^<>]*>")
_HREF = re.compile(r'<a href="([^"<>]*)">')
_QUOTE = re.compile(r"<blockquote expandable>.*?</blockquote>", re.DOTALL)
_LINES = re.compile(r"\n\s*\n")
_GAPS = re.compile(r"\n{3,}")
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"})
"""The only entities with names that Telegram knows."""


def escape(text: str) -> str:
    """Text as it stands in Telegram's HTML, between tags or in an attribute."""
    return text.translate(_ESCAPES)


def close_up(markup: str) -> str:
    """The same without the empty lines that a style leaves within a quotation, and with single ones elsewhere."""
    quoted = _QUOTE.sub(lambda found: _LINES.sub("\n", found[0]), markup.strip())
    return _GAPS.sub("\n\n", quoted)


def units(markup: str) -> int:
    """How long a message is once its markup has been read, in UTF-16 code units."""
    return utf16_units(html.unescape(_TAG.sub("", markup)))


def entities(markup: str) -> int:
    """How many pieces of formatting a message has."""
    return sum(not found[1] for found in _TAG.finditer(markup))


def link_bytes(markup: str) -> int:
    """How many bytes the addresses of its links take."""
    return sum(len(html.unescape(href).encode()) for href in _HREF.findall(markup))
