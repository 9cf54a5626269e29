"""Cuts a line into runs of one direction, in the order in which they stand from left to right. Pure.

The Unicode bidirectional algorithm (https://www.unicode.org/reports/tr9/) without embeddings, which no line here has:
rules W1 to W7, N0 to N2, I1 and I2, L2.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from itertools import groupby

_STRONG = {"L": "L", "R": "R", "AL": "R"}
_CONTROLS = {"LRI", "RLI", "FSI", "PDI", "LRE", "RLE", "LRO", "RLO", "PDF", "BN"}

_CLOSES = {"(": ")", "[": "]", "{": "}", "（": "）", "［": "］"}

Run = tuple[str, bool]
"""A piece of text, and whether it is written from right to left."""


def visual_runs(text: str, *, rtl: bool) -> list[Run]:
    """The runs of a line, the leftmost first, each in its logical order. `rtl` is the direction of the paragraph."""
    if text.isascii() and not rtl:
        return [(text, False)] if text else []
    letters = [each for each in text if unicodedata.bidirectional(each) not in _CONTROLS]
    kinds = _brackets(letters, _weak(letters, rtl=rtl), rtl=rtl)
    levels = _levels(_neutrals(kinds, rtl=rtl), rtl=rtl)
    runs = [
        ("".join(letters[place] for place in places), level)
        for level, places in ((level, list(each)) for level, each in groupby(range(len(levels)), levels.__getitem__))
    ]
    return [(run, level % 2 == 1) for run, level in _reordered(runs)]


def _weak(letters: Sequence[str], *, rtl: bool) -> list[str]:
    """Classes L, R, EN, AN and N: numbers and what belongs to them are settled (W1 to W7)."""
    kinds = [unicodedata.bidirectional(each) for each in letters]
    before = "R" if rtl else "L"
    arabic = False
    for place, kind in enumerate(kinds):
        if kind == "NSM":
            kinds[place] = kinds[place - 1] if place else before
        elif kind in {"L", "R", "AL"}:
            arabic = kind == "AL"
        elif kind == "EN" and arabic:
            kinds[place] = "AN"
    for place in range(1, len(kinds) - 1):
        around = {kinds[place - 1], kinds[place + 1]}
        if (kinds[place] in {"ES", "CS"} and around == {"EN"}) or (kinds[place] == "CS" and around == {"AN"}):
            kinds[place] = kinds[place - 1]
    for kind, places in [(kind, list(each)) for kind, each in groupby(range(len(kinds)), kinds.__getitem__)]:
        beside = (kinds[places[0] - 1 : places[0]], kinds[places[-1] + 1 : places[-1] + 2])
        if kind == "ET" and ["EN"] in beside:
            kinds[places[0] : places[-1] + 1] = ["EN"] * len(places)
    strong = before
    for place, kind in enumerate(kinds):
        strong = _STRONG.get(kind, strong)
        if kind == "EN" and strong == "L":
            kinds[place] = "L"
    return [_STRONG.get(kind, kind if kind in {"EN", "AN"} else "N") for kind in kinds]


def _brackets(letters: Sequence[str], kinds: Sequence[str], *, rtl: bool) -> list[str]:
    """Both brackets of a pair follow what stands between them, so that neither parts from it (N0)."""
    own = "R" if rtl else "L"
    found = list(kinds)
    for start, end in _pairs(letters):
        within = {_influence(kind) for kind in found[start + 1 : end] if kind != "N"}
        before = next((_influence(kind) for kind in reversed(found[:start]) if kind != "N"), own)
        if within:
            found[start] = found[end] = own if own in within else before
    return found


def _pairs(letters: Sequence[str]) -> list[tuple[int, int]]:
    """The places of brackets that belong together, by that of the first."""
    found, opened = [], []
    for place, letter in enumerate(letters):
        if letter in _CLOSES:
            opened.append((_CLOSES[letter], place))
        elif any(letter == closing for closing, _ in opened):
            while opened[-1][0] != letter:
                opened.pop()
            found.append((opened.pop()[1], place))
    return sorted(found)


def _neutrals(kinds: Sequence[str], *, rtl: bool) -> list[str]:
    """Resolve neutral characters: as their neighbours where they agree, else as the paragraph (N1, N2)."""
    own = "R" if rtl else "L"
    found = list(kinds)
    for kind, places in [(kind, list(each)) for kind, each in groupby(range(len(kinds)), found.__getitem__)]:
        if kind == "N":
            before = _influence(found[places[0] - 1]) if places[0] else own
            after = _influence(kinds[places[-1] + 1]) if places[-1] + 1 < len(kinds) else own
            found[places[0] : places[-1] + 1] = [before if before == after else own] * len(places)
    return found


def _influence(kind: str) -> str:
    return "L" if kind == "L" else "R"


def _levels(kinds: Sequence[str], *, rtl: bool) -> list[int]:
    levels = {"L": 2, "R": 1, "EN": 2, "AN": 2} if rtl else {"L": 0, "R": 1, "EN": 2, "AN": 2}
    return [levels[kind] for kind in kinds]


def _reordered(runs: Sequence[tuple[str, int]]) -> Iterator[tuple[str, int]]:
    """Turn round every sequence of runs at or above each odd level, from the highest level down (L2)."""
    ordered = list(runs)
    for level in range(max((level for _, level in ordered), default=0), 0, -1):
        start = 0
        while start < len(ordered):
            end = start
            while end < len(ordered) and ordered[end][1] >= level:
                end += 1
            ordered[start:end] = reversed(ordered[start:end])
            start = max(end, start + 1)
    yield from ordered
