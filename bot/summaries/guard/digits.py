"""Numbers as they stand in a text: digits of any script, their multipliers, units, and words for numbers. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from bot.runtime.latex import plain_math
from bot.summaries.guard.numerals import SCALES, Spelled, compound, spelled
from bot.summaries.guard.units import unit_at


@dataclass(frozen=True, slots=True)
class Number:
    """One number of a text as it is written, and the ways to read it.

    `idiom` marks words that are also said of no exact amount ("ten years on").
    """

    written: str
    readings: tuple[Reading, ...]
    idiom: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """An amount in a unit (`""`: none that we know); `low` and `high` bound what it may have been rounded from."""

    amount: float
    unit: str
    low: float
    high: float


_SPACES = re.compile(r"\s+")
_THIN_SPACE = re.compile(r"\\[,;!]")
_SCRIPT = re.compile("[⁰¹²³⁴⁵⁶⁷⁸⁹]+|[₀-₉]+")
_SIGNS = str.maketrans({"٪": "%", "٫": ".", "٬": ",", "−": "-", "∼": "~", "\u200e": "", "\u200f": ""})
_SPOKEN_FRACTION = re.compile(r"(?<![\d.])(\d{1,9})\s?(?:분의|分の|分之)\s?(\d{1,9})")
_ORDINAL = re.compile(r"(?:st|nd|rd)(?![a-z])|\s?(?:번째|番目|인칭|人[称稱])")
_GLUED = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[-.][A-Za-z0-9]+)*")
_DIGITS = re.compile(r"(?<!\d)(?<!\d\.)(?:\d{1,3}(?:,\d{3})+(?!\d)(?:\.\d+)?|\d+(?:\.\d+)*)")
_OVER = re.compile(r"\s?/\s?(\d{1,6})(?![\d.])")
_CJK = "십백천만억조경十百千万萬亿億兆"
_CJK_RUN = re.compile(
    r"(?:[십백천]*[만억조]|[십백천]|\s?[十百千]|\s?[万萬亿億兆]+)"
    rf"(?:\s?[{_CJK}])*?(?:\s?\d[\d,.]*(?:[십백천]*[만억조]|[백천]|[千百]?[万萬亿億]))*"
    r"(?:(?<=[万萬만])\d{1,4}(?!\d)|(?<=만)\s\d,?\d{3}(?![\d,.]))?"
)
"""What follows digits and multiplies them, with further digits: 3만, 1억 6400만, 8万9000."""
_LATIN_SCALE = {"k": 1e3, "m": 1e6, "millions": 1e6, "b": 1e9, "billions": 1e9, "t": 1e12, **SCALES}
_LATIN_RUN = re.compile(r"(?:[KkMBT]|[\s-]?(?i:thousand|millions?|billions?|trillion|hundred))(?![A-Za-z0-9])")
_ARABIC_RUN = re.compile(
    r"\s?(?:(مليون(?:ين|ا|ًا)?|ملايين)|(مليار(?:ات|ين|ا|ًا)?)|(تريليون(?:ات|ين|ا|ًا)?)|([أا]لف(?:ا|ًا)?|[آا]لاف))(?![ء-ي])"
)
_ARABIC_SCALE = (1e6, 1e9, 1e12, 1e3)
_RANGE = re.compile(r"\s?[-–—~〜～]\s?\Z")
MOST_COUNTED = 3
"""Words up to this without a unit are no claim: they count what the text itself names ("one of", "two ways")."""
MOST_OF_IDIOM = 10
_IDIOM_UNITS = frozenset({"year", "h", "min", "s"})
"""Words up to ten of these are also said of no exact time ("in the past ten years", "hour-long")."""
_MOST_OFF = 0.13
"""However few digits are shown, what is this far off is another number: 2× is not said of 2.4×."""


def tidy(text: str) -> str:
    """The text with its digits, signs and decimals as English writes them, and without TeX's marks."""
    text = _SPACES.sub(lambda found: "\n" if "\n" in found[0] else " ", plain_math(_THIN_SPACE.sub("", text)))
    text = _SCRIPT.sub(lambda found: "^" + unicodedata.normalize("NFKC", found[0]), text)
    return _SPOKEN_FRACTION.sub(r"\2/\1", "".join(map(_plain, text)).translate(_SIGNS))


def _plain(sign: str) -> str:
    if sign.isascii():
        return sign
    digit = unicodedata.decimal(sign, None)
    if digit is not None:
        return str(digit)
    return chr(ord(sign) - 0xFEE0) if "！" <= sign <= "～" else sign


def scan(text: str, names: list[str] | None = None, *, source: bool = False) -> Iterator[Number]:
    """Every number of a tidied text; what turns out to be a name that begins with a digit goes to `names`."""
    rest: list[str] = []
    end, before, held = 0, 0, None
    for found in _DIGITS.finditer(text):
        if found.start() < end:
            continue
        figure = _Figure(text, found)
        rest += (text[end : found.start()], " ")
        end = figure.end
        if not source and figure.amount <= MOST_COUNTED and _ORDINAL.match(text, found.end()):
            continue
        glued = None if source or figure.unit or figure.scaled else _GLUED.match(text, found.end())
        if glued:
            end = glued.end()
            if names is not None:
                names.append(found[0] + glued[0])
            continue
        if held:
            if _RANGE.fullmatch(text, before, found.start()):
                held = figure.lend(held)
            yield held
        before, held = figure.end, figure.number()
        if source:
            yield from figure.sides()
    if held:
        yield held
    words = "".join(rest) + text[end:]
    for word in spelled(words, lenient=source):
        number = _of_word(words, word)
        if source or number.readings[0].unit or number.readings[0].amount > MOST_COUNTED:
            yield number


def _of_word(text: str, word: Spelled) -> Number:
    unit, end = word.unit or ("part" if word.part else ""), word.end
    if not unit:
        unit, end = unit_at(text, end)
    amount, idiom = word.amount, word.amount == 1 or (unit in _IDIOM_UNITS and word.amount <= MOST_OF_IDIOM)
    off = min(0.5, amount * _MOST_OFF) if unit in {"%", "×"} else 0.0
    return Number(text[word.start : end].strip(), (Reading(amount, unit, amount - off, amount + off),), idiom)


def exactly(amount: float, unit: str) -> Reading:
    """An amount that has not been rounded."""
    return Reading(amount, unit, amount, amount)


class _Figure:
    """One number in digits, with the multiplier and the unit after it."""

    def __init__(self, text: str, found: re.Match[str]) -> None:
        self._text, self._found = text, found
        self.end = found.end()
        self._plain = _value(found[0])
        self.amount, self.scaled = self._plain, False
        _, _, decimals = found[0].partition(".")
        self._step = 10.0 ** -min(len(decimals), 300)
        """The worth of the last digit that is shown."""
        self._part: float | None = None
        self._multiply()
        self.unit, self.end = unit_at(text, self.end)

    def number(self) -> Number:
        written = self._text[self._found.start() : self.end].strip()
        if self._part is None:
            return Number(written, (self._read(),))
        part = Reading(self._part, "part", self._part - 0.005, self._part + 0.005)
        return Number(written, (part if self._part < 1 else exactly(self._plain, ""),))

    def sides(self) -> Iterator[Number]:
        """What a fraction is made of: who has read 8/10 may say 8 of 10."""
        if self._part is not None:
            for side in re.findall(r"\d+(?:\.\d+)?", self._text[self._found.start() : self.end]):
                yield Number(side, (exactly(float(side), ""),))

    def lend(self, before: Number) -> Number:
        """The number before this one in a range, read with what is said once for both: the 3 of "3-5 million"."""
        first = before.readings[0]
        if first.unit:
            return before
        factor = self.amount / self._plain if self._plain else 1.0
        shared = exactly(first.amount * factor, self.unit)
        return Number(before.written, (shared,) if self.unit and factor == 1 else (shared, *before.readings))

    def _multiply(self) -> None:
        text, end = self._text, self.end
        over = _OVER.match(text, end)
        cjk = _CJK_RUN.match(text, end)
        latin = _LATIN_RUN.match(text, end)
        arabic = _ARABIC_RUN.match(text, end)
        if over and float(over[1]):
            self._part, self.end = self._plain / float(over[1]), over.end()
        elif cjk:
            signs = (self._found[0] + cjk[0]).translate(str.maketrans("십백천만억조경萬億", "十百千万亿兆京万亿"))
            tokens = re.findall(r"\d[\d,.]*|[十百千万亿兆京]", signs)
            amount = compound([_value(each.rstrip(".,")) if each[0].isdigit() else each for each in tokens])
            if amount is not None and self._plain:
                last = max(n for n, each in enumerate(tokens) if each[0].isdigit())
                closing = compound([1.0, *tokens[last + 1 :]])
                self._scale(amount / self._plain, end + len(cjk[0].rstrip()), step=closing or 1.0)
        elif latin:
            self._scale(_LATIN_SCALE[latin[0].strip(" -\n").lower()], latin.end())
        elif arabic:
            self._scale(_ARABIC_SCALE[(arabic.lastindex or 4) - 1], arabic.end())

    def _scale(self, factor: float, end: int, step: float = 0.0) -> None:
        self.amount, self.end, self.scaled = self._plain * factor, end, True
        self._step *= step or factor

    def _read(self) -> Reading:
        is_rounded = self._step < 1 or self.scaled or self.unit
        off = min(self._step / 2, self.amount * _MOST_OFF) if is_rounded else 0.0
        return Reading(self.amount, self.unit, self.amount - off, self.amount + off)


def _value(written: str) -> float:
    head, *more = written.replace(",", "").split(".")
    return float(f"{head}.{more[0]}" if more else head)
