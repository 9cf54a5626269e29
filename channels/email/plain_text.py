"""Plain-text bodies: lines wrapped by display width."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.runtime.text import display_width, wrapped

COLUMNS = 72
"""Columns per line; leaves room for the > marks of quoting replies."""

_INDENT = re.compile(r" *(?:\S{1,5} {2,})?")
_ISOLATES, _END = "\u2066\u2067\u2068", "\u2069"
"""What begins an isolate, by which a name keeps its direction, and what ends one (https://www.unicode.org/reports/tr9/)."""
_SPACES = re.compile(" *")


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
    yield from _whole_isolates(wrapped(lead, written[len(lead) :], COLUMNS))


def _whole_isolates(lines: Iterator[str]) -> Iterator[str]:
    """Lines of one paragraph, each with its isolates ended: a line break ends them, and shows the rest bare."""
    open_ones: list[str] = []
    for line in lines:
        begins = "".join(open_ones)
        for character in line:
            if character in _ISOLATES:
                open_ones.append(character)
            elif character == _END and open_ones:
                open_ones.pop()
        indent = _SPACES.match(line)
        place = indent.end() if indent and begins else 0
        yield f"{line[:place]}{begins}{line[place:]}{_END * len(open_ones)}"
