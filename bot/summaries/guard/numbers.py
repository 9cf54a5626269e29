"""The numbers of a text as amounts, whatever script, unit and multiplier they are written with. Pure.

A text's number is true to its source where the source has the same amount in the same unit, or an amount that
rounds to it at the precision the text shows. Signs are left out: what one calls -10 % another calls a loss of 10 %.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from enum import Enum

from bot.summaries.guard.digits import Number, Reading, exactly, scan, tidy
from bot.summaries.guard.units import FAMILIES


class Finding(Enum):
    """What a source says about a number."""

    TRUE = "true"
    OTHER_UNIT = "other unit"
    ABSENT = "absent"


_IDENTIFIER = re.compile(r"(?<![A-Za-z0-9])(?=[A-Za-z])[A-Za-z][A-Za-z0-9+]*(?:[-_.@]?[A-Za-z0-9+]+)*")
_NAMED = re.compile(r"(?<![A-Za-z0-9])(?=[A-Za-z]*[-.]?\d)[A-Za-z0-9]+(?:[-.]?[A-Za-z0-9]+)*")
_TOKEN = re.compile(r"[a-z]+|[0-9]+(?:\.[0-9]+)*")
_ENUMERATOR = re.compile(
    r"(?:(?:\A|[\n。!?！？;；:：]|\.\s)\s*\d{1,2}(?:\.(?=\s)|、|\s?\)))|(?:(?<=[,，、])\s*\d{1,2}\)(?=[^\s\d]))|\(\s?\d{1,2}\s?\)(?!\s?[,;.])"
)
_CLAUSE_END = re.compile(r"[;:!?()\n]|\.(?!\w)")
_RIVALS = {"%": "×", "×": "%"}
"""Units taken for each other: a source that has the number in the one never means the other by bare digits or a sum."""
_LAST_ITEM = re.compile(r"\s*(and|or)\s|.{0,60}?\s(?:and|or)\s", re.DOTALL)


class SourceNumbers:
    """The numbers that a source has, ready to be asked for."""

    def __init__(self, source: str) -> None:
        text = tidy(source)
        self._text = text.lower()
        found = {(reading.amount, reading.unit) for number in scan(text, source=True) for reading in number.readings}
        self._skeletons = {_skeleton(name) for name in _NAMED.findall(text)}
        self._amounts: dict[str, list[float]] = {}
        self._raw: dict[str, list[float]] = {}
        for amount, unit in sorted(found):
            family, scale = FAMILIES[unit]
            self._amounts.setdefault(family, []).append(amount * scale)
            self._raw.setdefault(unit, []).append(amount)
        for amounts in self._amounts.values():
            amounts.sort()
        self._listed = set(_lengths_of_lists(text))

    def misnames(self, name: str) -> bool:
        """Whether a name with digits is wrong: `5D` where the source has `3D`, 8 in `Llama-8B` where it has no 8."""
        if self.identifies(name):
            return False
        wanted = _skeleton(name)
        if any(known.startswith(wanted) or wanted.startswith(known) for known in self._skeletons):
            return True
        return any(not self._has(exactly(float(amount), "")) for amount in re.findall(r"[0-9]+(?:\.[0-9]+)?", name))

    def identifies(self, name: str) -> bool:
        """Whether the source has a name, hyphens and spaces aside: `GPT-5` stands in `GPT 5-mini`, not in `GPT-5.2`."""
        tokens = _TOKEN.findall(name.lower())
        before = r"(?<![a-z])" if tokens and tokens[0].isalpha() else r"(?<![0-9])(?<![0-9]\.)"
        after = "" if not tokens or tokens[-1].isalpha() else r"(?![0-9]|\.[0-9])"
        return bool(
            re.search(
                before + r"[-_ /.@·]*".join("[x×]" if each == "x" else re.escape(each) for each in tokens) + after,
                self._text,
            )
        )

    def judge(self, number: Number) -> Finding:
        """Whether the source has this number, has it in another known unit alone, or does not have it."""
        if any(self._has(reading) for reading in number.readings):
            return Finding.TRUE
        if any(self._has_in_another_unit(reading) for reading in number.readings):
            return Finding.OTHER_UNIT
        return Finding.ABSENT

    def _has(self, reading: Reading) -> bool:
        amount, low, high = reading.amount, reading.low, reading.high
        family, scale = FAMILIES[reading.unit]
        if self._any(family, low * scale, high * scale):
            return True
        if _has(self._raw.get(_RIVALS.get(reading.unit, "none"), []), amount, amount):
            return False
        if self._any("", amount, amount):
            return True
        match reading.unit:
            case "part":
                # "by half" is also said of what is twice as small
                return self._any("%", low * 100, high * 100) or self._any("×", 1 / max(high, 1e-9), 1 / max(low, 1e-9))
            case "%":
                # what is 2x less is less by 50 %; "more than 90 %" is not all that is more
                most = min(high, 2 * amount - low)
                less = amount < 100 and self._any("×", 100 / (100 - low), 100 / max(100 - most, 1e-9))
                return less or (amount <= 100 and self._any("", low / 100, high / 100))
            case "":
                return any(_has(amounts, amount, amount) for amounts in self._raw.values()) or amount in self._listed
            case _:
                return False

    def _has_in_another_unit(self, reading: Reading) -> bool:
        others = (amounts for unit, amounts in self._raw.items() if unit != reading.unit)
        return reading.unit not in {"", "part"} and any(_has(found, reading.amount, reading.amount) for found in others)

    def _any(self, family: str, low: float, high: float) -> bool:
        return _has(self._amounts.get(family, []), low, high)


def numbers(text: str) -> tuple[list[Number], list[str]]:
    """The numbers that a text claims, and the names with digits in it; list numbers and small ordinals are neither."""
    tidied = tidy(text)
    names = [found[0] for found in _IDENTIFIER.finditer(tidied) if any(map(str.isdigit, found[0]))]
    bare = _IDENTIFIER.sub(lambda found: _blank(found) if any(map(str.isdigit, found[0])) else found[0], tidied)
    return list(scan(_without_enumerators(bare), names)), names


def _without_enumerators(text: str) -> str:
    """The text without the numbers of its lists, as far as they count from 1 on: (1), (2), (3)."""
    expected = 1

    def blank_in_order(found: re.Match[str]) -> str:
        nonlocal expected
        number = int(re.sub(r"[^0-9]", "", found[0]))
        if number not in {1, expected}:
            return found[0]
        expected = number + 1
        return _blank(found)

    return _ENUMERATOR.sub(blank_in_order, text)


def _lengths_of_lists(text: str) -> Iterator[int]:
    """How many things each enumeration names: who reads "A, B, C and D" may say that there are four."""
    for clause in _CLAUSE_END.split(text):
        items = 1
        for piece in clause.split(",")[1:]:
            last = _LAST_ITEM.match(piece)
            if last:
                yield items + (1 if last[1] else 2)
            # The first item has the sentence before it; those in the middle stand alone, or are no items.
            items = 1 if last or len(piece.split()) > 3 else items + 1


def _blank(found: re.Match[str]) -> str:
    return " " * len(found[0])


def _skeleton(name: str) -> str:
    return re.sub(r"\d+(?:\.\d+)*", "#", re.sub(r"[-_ @]", "", name.casefold()))


def _has(amounts: list[float], low: float, high: float) -> bool:
    at = bisect_left(amounts, low - abs(low) * 1e-9)
    return at < len(amounts) and amounts[at] <= high + abs(high) * 1e-9
