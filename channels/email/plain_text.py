"""Plain-text bodies: lines wrapped by display width."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.runtime.text import display_width, wrapped

COLUMNS = 72
"""Columns per line; leaves room for the > marks of quoting replies."""

_INDENT = re.compile(r" *(?:\S{1,5} {2,})?")


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
    yield from wrapped(lead, written[len(lead) :], COLUMNS)
