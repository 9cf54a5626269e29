"""Numbers as they stand in a text: digits of any script, their multipliers, units, and words for numbers. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from bot.summaries.guard.numerals import Spelled, compound, spelled
from bot.summaries.guard.units import unit_at


@dataclass(frozen=True, slots=True)
class Number:
    """One number of a text as it is written, and the ways to read it.

    `idiom` marks words that are also said of no exact amount ("ten years on", "half the battle").
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


_COMMA_DECIMALS = re.compile(
    r"(?i)(?:bg|ca|cs|da|de|el|es|et|eu|fi|fr|gl|hr|hu|id|is|it|lt|lv|mk|nb|nl|no|pl|pt|ro|ru|sk|sl|sq|sr|sv|tr|uk|vi)\b"
)
_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")
_SUPERSCRIPT = re.compile("[⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺]+")
_LISTED = re.compile("[①-⒛⓪⓵-⓾❶-➓㈠-㈩㊀-㊉]")
_SPACES = re.compile(r"[^\S\u00a0\u2009\u202f]+")
_FRACTION = {"½": " 1/2", "⅓": " 1/3", "⅔": " 2/3", "¼": " 1/4", "¾": " 3/4", "⅕": " 1/5"}
_SIGNS = str.maketrans({"٪": "%", "٫": ".", "٬": ",", "−": "-", "∼": "~", "\u200e": "", "\u200f": "", **_FRACTION})
_TEX = (
    (re.compile(r"\\[dt]?frac\s?\{([^{}]{0,40})\}\s?\{([^{}]{0,40})\}"), r"\1/\2"),
    (re.compile(r"(?<=\d)times(?![a-z])"), "×"),
    (re.compile(r"\\(?:times|cdot)\b"), "×"),
    (re.compile(r"\\(?:sim|approx)\b"), "~"),
    (re.compile(r"\\%"), "%"),
    (re.compile(r"\\[,;!]"), ""),
    (re.compile(r"\\[a-zA-Z]+|\\ "), " "),
    (re.compile(r"[${}]"), ""),
)

_SPOKEN = (
    (re.compile(r"(?<![\d.])(\d{1,9}\.\d{1,9})\s?(?:분의|分の|分之)\s?[1一일](?!\d)"), r"\1×"),
    (re.compile(r"百分之\s?(\d+(?:\.\d+)?)"), r"\1%"),
    (re.compile(r"(?<![\d.])(\d{1,9})\s?(?:분의|分の|分之)\s?(\d{1,9})"), r"\2/\1"),
)

_GLUED = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[-.][A-Za-z0-9]+)*")
_ORDINAL_BEFORE = re.compile(r"(?:第|제)\s?$")
_ORDINAL_AFTER = re.compile(r"\s?(?:st|nd|rd|th|번째|番目|つ目|인칭|人[称稱])")
_DIGITS = re.compile(
    r"(?<!\d)(?<!\d\.)(?:\d{1,3}(?:(?:,|[\u00a0\u2009\u202f'’](?=\d{3}))\d{3})+(?!\d)(?:\.\d+)?|\d+(?:\.\d+)*)"
    r"(?:[eE][-+]?\d{1,3}(?![A-Za-z0-9]))?"
)
_POWER = re.compile(r"(?:\s?[×x*]\s?10)?\^\s?([-+]?\d{1,3})(?!\d)")
_OVER = re.compile(r"\s?/\s?(\d{1,6})(?![\d.])")
_CJK = "십백천만억조경十百千万萬亿億兆"
_CJK_RUN = re.compile(
    r"(?:[십백천]*(?:만(?!큼|들|족)|억(?!제|지)|조(?!각|건|합|정|사)|경(?!계|로|우|쟁|험))|[십백](?!분)|천(?!천)|\s?[十百千](?!分)"
    r"|\s?[万萬亿億兆]+)"
    rf"(?:\s?[{_CJK}])*?(?:\s?\d[\d,.]*(?:[십백천]*[만억조]|[백천]|[千百]?[万萬亿億])(?!큼|제|각|건))*"
    r"(?:(?<=[万萬만])\d{1,4}(?!\d)|(?<=만)\s\d,?\d{3}(?![\d,.]))?"
)
_COUNTER = re.compile(r"\s?(?:개|건|권|규모|단계|명|번|시간|쌍|여|이상|장|종|초|편|회)")
_LATIN_SCALE = {"k": 1e3, "thousand": 1e3, "m": 1e6, "mn": 1e6, "million": 1e6, "b": 1e9, "bn": 1e9, "billion": 1e9}
_LATIN_SCALE |= {"t": 1e12, "tn": 1e12, "trillion": 1e12, "hundred": 1e2, "lakh": 1e5, "lakhs": 1e5, "crore": 1e7}
_LATIN_SCALE |= {"crores": 1e7, "millions": 1e6, "billions": 1e9}
_LATIN_RUN = re.compile(
    r"(?:[KkMBT]|bn|mn|tn|[\s-]?[KMBT](?=[\s\-+,.;)]|\Z)|[\s-]?(?i:thousand|millions?|billions?|trillion|hundred"
    r"|lakhs?|crores?))(?![A-Za-z0-9])"
)
_ARABIC_RUN = re.compile(
    r"\s?(?:(مليون(?:ين|ا|ًا)?|ملايين)|(مليار(?:ات|ين|ا|ًا)?)|(تريليون)|([أا]لف(?:ا|ًا)?|[آا]لاف))(?![ء-ي])"
)
_ARABIC_SCALE = (1e6, 1e9, 1e12, 1e3)

_RANGE = re.compile(r"\s?(?:[-–—~〜～至到]|to|에서|から|إلى)\s?\Z")
_ABOUT = re.compile(
    r"(?:(?i:about|around|roughly|approximately|some)|약|대략|[约約]|大[约約]|およそ|حوالي|نحو|[~≈])\s?\Z"
)
_MORE = re.compile(r"(?:(?i:more than|over|at least|above|exceeding)|超[过過]|逾|أكثر من)\s?\Z")
_LESS = re.compile(r"(?:(?i:nearly|almost|up to|under|less than)|거의|近|将近|將近|ほぼ|قراب[ةه]|ما يقارب)\s?\Z")
_ABOUT_AFTER = re.compile(r"[\w%\s×]{0,3}?(?:정도|안팎|左右|上下|程度|前後)")
_MORE_AFTER = re.compile(r"[\w%\s×]{0,3}?(?:이상|넘|以上|[余餘多超])|여\s?[개명편]")
_LESS_AFTER = re.compile(r"[\w%\s×]{0,3}?(?:가까이|近く|[弱])")
MOST_COUNTED = 3
"""Words up to this without a unit are no claim: they count what the text itself names ("one of", "two ways")."""
MOST_OF_IDIOM = 10
_IDIOM_UNITS = frozenset({"day", "year", "h", "min", "s"})
"""Words up to ten of these are also said of no exact time ("in the past ten years", "hour-long")."""
_MOST_OFF = 0.13
"""However few digits are shown, what is this far off is another number: 2× is not said of 2.4×."""
_NEARLY = 0.04
"""How far from a half something may be that is called a half, as a share of it."""


def tidy(text: str, language: str = "en") -> str:
    """The text with its digits, signs and decimals as English writes them, and without TeX's marks."""
    text = _SPACES.sub(lambda found: "\n" if "\n" in found[0] else " ", _LISTED.sub(" ", text))
    text = _SUPERSCRIPT.sub(lambda found: "^" + found[0].translate(_RAISED), text)
    text = "".join(map(_plain, text)).translate(_SIGNS)
    for mark, plain in _TEX:
        text = mark.sub(plain, text)
    for written, fraction in _SPOKEN:
        text = written.sub(fraction, text)
    if _COMMA_DECIMALS.match(language):
        text = re.sub(r"(?<=\d)(?<!\b0)\.(?=\d{3}(?!\d))", "", text)
        text = re.sub(r"(?<=\d),(?=\d)", ".", text)
        text = re.sub(r"(?<![\d.])(\d{1,3}) (?=\d{3}(?!\d))", r"\1", text)
    return text


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
        glued = None if figure.unit or figure.scaled else _GLUED.match(text, found.end())
        ordinal = _ORDINAL_AFTER.match(text, found.end()) or _ORDINAL_BEFORE.search(
            text[max(0, found.start() - 3) : found.start()]
        )
        if glued and not ordinal and not source:
            end = glued.end()
            if names is not None:
                names.append(found[0] + glued[0])
            continue
        if ordinal and not source and figure.amount <= 3:
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
    amount, end, unit = word.amount, word.end, word.unit
    multiplier = _ARABIC_RUN.match(text, end)
    if multiplier:
        amount, end = amount * _ARABIC_SCALE[(multiplier.lastindex or 4) - 1], multiplier.end()
    if not word.part and not unit:
        unit, end = unit_at(text, end)
    written = text[word.start : end].strip()
    if word.part:
        off = amount * _NEARLY
        return Number(written, (Reading(amount, "part", amount - off, amount + off),), idiom=amount == 0.5)
    off = min(0.5, amount * _MOST_OFF) if unit in {"%", "×"} else 0.0
    idiom = amount == 1 or (unit in _IDIOM_UNITS and amount <= MOST_OF_IDIOM)
    return Number(written, (Reading(amount, unit, amount - off, amount + off),), idiom)


def exactly(amount: float, unit: str) -> Reading:
    """An amount that has not been rounded."""
    return Reading(amount, unit, amount, amount)


class _Figure:
    """One number in digits, with the multiplier and the unit after it and the hint of about how much around it."""

    def __init__(self, text: str, found: re.Match[str]) -> None:
        self._text, self._found = text, found
        self.end = found.end()
        self._plain = self._value(found[0])
        self.amount, self.scaled, self._only = self._plain, False, False
        self._step = _step(found[0])
        self._loose = _step(found[0], loose=True)
        self._part: float | None = None
        self._multiply()
        self.unit, self.end = unit_at(text, self.end)

    def number(self) -> Number:
        readings = [self._read(self.amount)]
        if self._part is not None:
            part = Reading(self._part, "part", self._part - 0.005, self._part + 0.005)
            readings = [part if self._part < 1 else exactly(self._plain, "")]
        if self._only and not self.unit and not _COUNTER.match(self._text, self.end):
            # "3만": thirty thousand, or only three
            readings.append(exactly(self._plain, ""))
        return Number(self._text[self._found.start() : self.end].strip(), tuple(readings))

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

    @staticmethod
    def _value(written: str) -> float:
        plain = re.sub(r"[,'’\s]", "", written)
        head, *more = plain.split(".")
        return float(f"{head}.{more[0]}" if more else head)

    def _multiply(self) -> None:
        text, end = self._text, self.end
        power = _POWER.match(text, end)
        over = _OVER.match(text, end)
        cjk = _CJK_RUN.match(text, end)
        latin = _LATIN_RUN.match(text, end)
        arabic = _ARABIC_RUN.match(text, end)
        if power:
            exponent, times = float(power[1]), "10" in power[0][: -len(power[1])]
            self._scale(10.0 ** max(-300.0, min(exponent, 300.0)) if times else 1.0, power.end())
            if not times:
                self.amount = self._plain ** min(exponent, 30.0) if 0 < self._plain < 1e9 else self._plain
        elif over and float(over[1]):
            self._part, self.end = self._plain / float(over[1]), over.end()
        elif cjk:
            tokens = re.findall(rf"\d[\d,.]*|[{_CJK}]", self._found[0] + cjk[0])
            signs = "".join(tokens).translate(str.maketrans("십백천만억조경萬億", "十百千万亿兆京万亿"))
            parsed = [self._value(t.rstrip(".,")) if t[0].isdigit() else t for t in re.findall(r"\d[\d,.]*|\D", signs)]
            amount = compound(parsed)
            if amount is not None and self._plain:
                self._only = cjk[0] == "만"
                self._scale(amount / self._plain, end + len(cjk[0].rstrip()), last=_last(parsed))
        elif latin:
            self._scale(_LATIN_SCALE[latin[0].strip(" -\n").lower()], latin.end())
        elif arabic:
            self._scale(_ARABIC_SCALE[(arabic.lastindex or 4) - 1], arabic.end())

    def _scale(self, factor: float, end: int, last: float | None = None) -> None:
        self.amount, self.end, self.scaled = self._plain * factor, end, True
        self._step *= factor if last is None else last
        self._loose *= factor if last is None else last

    def _read(self, amount: float) -> Reading:
        start = self._found.start()
        ahead, behind = self._text[max(0, start - 14) : start], self._text[self.end : self.end + 8]
        most = amount * _MOST_OFF
        rounded = min(self._step / 2, most) if self._step < 1 or self.scaled or self.unit else 0.0
        low, high = amount - rounded, amount + rounded
        if _ABOUT.search(ahead) or _ABOUT_AFTER.match(behind):
            low, high = amount - min(self._loose / 2, most), amount + min(self._loose / 2, most)
        elif _MORE.search(ahead) or _MORE_AFTER.match(behind):
            high = max(high, amount + min(self._loose, most))
        elif _LESS.search(ahead) or _LESS_AFTER.match(behind):
            low = min(low, amount - min(self._loose, most))
        return Reading(amount, self.unit, low, high)


def _step(written: str, *, loose: bool = False) -> float:
    """The worth of the last digit that is shown; with `loose`, of the last that is not a zero of a round number."""
    digits = re.split(r"[eE]", written)[0]
    _, _, decimals = digits.partition(".")
    if decimals:
        return float(10.0 ** -min(len(decimals), 300))
    zeros = len(digits) - len(digits.rstrip("0,")) if loose else 0
    return float(10.0 ** min(zeros - digits[len(digits) - zeros :].count(","), 300))


def _last(tokens: list[float | str]) -> float:
    """The worth of one of the last digits before the closing signs: 1000 × 10000 for 2千万."""
    at = max((n for n, token in enumerate(tokens) if isinstance(token, float)), default=0)
    return compound([1.0, *tokens[at + 1 :]]) or 1.0
