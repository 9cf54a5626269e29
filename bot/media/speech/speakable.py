"""Text made speakable: numbers, units, signs, TeX, names and addresses as a voice should say them. Pure.

Voices stumble over what is written for the eye: "3.2×" is skipped, "7B" becomes a letter, an address is spelled out.
What is a word already stays as it is.
"""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal
from functools import lru_cache

from bot.media.speech.spoken_signs import GREEK, SIGNS, UNITS, SpokenSigns, spoken_signs
from bot.runtime.latex import plain_math
from bot.runtime.text import one_line

LONGEST = 6_000
"""Characters of one text that are spoken; the rest of a longer one is left out at the end of a sentence or word."""

_NUMBER = r"\d{1,15}(?:\.\d{1,15})?"
_ALONE = r"(?<![A-Za-z0-9_.])"
"""Not within a name or a longer number. Chinese and Japanese set no space before a number."""
_NO_WORD = r"(?![A-Za-z0-9_])"

_ADDRESS = re.compile(
    r"(?:\b(?:at|see|via)\s)?(?:(?:https?://|www\.)\S+|(?<![\w.])[A-Za-z0-9.-]{1,200}\.(?:com|org|io|ai|net|dev|cn|co)(?:/\S*)?(?![\w]))"
)
_EMPTY = re.compile(r"[(（\[]\s*[)）\]]")
_CITED = re.compile(r"\[\d+(?:\s?[,–-]\s?\d+)*\]")
_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,80}>")
_THOUSANDS = re.compile(r"(?<![\d.,])\d{1,3}(?:,\d{3})+(?![\d,])")
_MONEY = re.compile(rf"([$€£])\s?({_NUMBER})(?:\s?(K|k|M|B|T)(?![A-Za-z0-9])|\s(thousand|million|billion|trillion)\b)?")
_POINTS = re.compile(rf"({_NUMBER})\s?(?:%p|%\s?points?|pp)(?![A-Za-z])")
_PERCENT = re.compile(rf"({_NUMBER})\s?[%％]")
_SIZE = re.compile(rf"{_ALONE}({_NUMBER})\s?[×x]\s?(?=({_NUMBER}))")
_MANY = re.compile(rf"{_ALONE}({_NUMBER})\s?[×x]\s?(?=[A-Z][A-Za-z]*\d)")
"""A number of devices: "8×H100"."""
_TIMES = re.compile(rf"{_ALONE}({_NUMBER})\s?[×✕]|{_ALONE}({_NUMBER})x(?![A-Za-z0-9_₀-₉])")
_TIMES_FIRST = re.compile(rf"(?<![A-Za-z0-9_])[×x]\s?({_NUMBER}){_NO_WORD}")
_LARGE = re.compile(rf"(?<![A-Za-z0-9_.-])({_NUMBER})(K|k|M|B|T)(?![A-Za-z0-9-])")
_UNIT = re.compile(
    rf"{_ALONE}({_NUMBER})(\s?)({'|'.join(sorted(map(re.escape, UNITS), key=len, reverse=True))})(?![A-Za-z0-9])"
)
_SPAN = re.compile(
    rf"(?<![A-Za-z0-9_.-])({_NUMBER})\s?(?:[–—~〜～]|(?<=\d)-(?=\d))\s?({_NUMBER})(?![A-Za-z0-9_-]|\.\d)"
)
_PERCENT_SPAN = re.compile(rf"(?<![A-Za-z0-9_.-])({_NUMBER})\s?[%％]?\s?[-–—~〜～]\s?({_NUMBER})\s?[%％](?!p)")
_LARGE_SPAN = re.compile(rf"(?<![A-Za-z0-9_.-])({_NUMBER})([KMBT])\s?[-–—~〜～]\s?({_NUMBER})([KMBT])(?![A-Za-z0-9-])")
_MORE = re.compile(rf"(?<![\w)])\+\s?(?={_NUMBER})")
_ABOUT = re.compile(rf"[~～∼](?={_NUMBER})")
_MINUS = re.compile(rf"(?<![A-Za-z0-9_)\]%％\uac00-\ud7a3])[-−–]({_NUMBER})(?![A-Za-z])")
_NUMBERED = re.compile(r"(?<!\w)#(\d+)")
_POWER = re.compile(r"([⁻]?)([⁰¹²³⁴⁵⁶⁷⁸⁹]+)")
_WRITTEN_POWER = re.compile(r"\^\(?(-?\d+|[A-Za-z])\)?")
_ARROWS = str.maketrans("⇒⟶➔⇐＞＜＝＋", "→→→←><=+")
_INDEX = str.maketrans("₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎", "0123456789+-=  ")
_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
_INDEXED = re.compile(r"(?<=[^\W\d_])(?=[₀-₉])")
_AT = re.compile(r"(?<=\w)@(?=\w)")
_SIGN = re.compile(f"[{re.escape(''.join(sorted({*SIGNS} - {'·', '&', '+', '@'})))}]")
_PLUS = re.compile(rf"(?<=[\w)])\s?\+\s?(?=[\w(])|\+(?={_NUMBER})")
_PLUSES = re.compile(r"(?<=\w)\+{1,3}(?![\w+])")
"""Behind a name: "C++"."""
_AND = re.compile(r"\s?&\s?")
_LETTER = re.compile(f"([{GREEK}])-?")
_APPLIED = re.compile(r"(?<=[A-Za-z])\((?=[^\s()]{1,8}\))")
"""The bracket of a function: "O(n²)"."""
_VERSION = re.compile(r"(?<=[A-Za-z][a-z])(?=\d)")
_HUMPS = re.compile(r"(?<=[A-Za-z][a-z][a-z])(?=[A-Z])")
"""Where a name of several words has its next one; "LoRA" and "LLaMA" have none."""
_NAME = re.compile(
    r"(?<![A-Za-z0-9.])[A-Za-z][A-Za-z0-9.]{0,60}(?:[-_][A-Za-z0-9.]{1,60})+|[A-Z][A-Za-z]{1,60}[A-Z][A-Za-z]*"
)
_NAME_JOINT = re.compile(r"[-_]")
_SLASH = re.compile(r"(?<=[^\W\d_])\s?/\s?(?=[^\W\d_])")
_PARTICLE = re.compile(r"[)）\]】〕](?=[\uac00-\ud7a3])")
"""A closing bracket before a Korean particle, which belongs to the word before it."""
_OPEN = re.compile(r"\s*[(（\[【〔]\s*")
_CLOSE = re.compile(r"\s*[)）\]】〕]\s*")
_DASH = re.compile(r"\s+[-–—]+\s+|\s*[—–]+\s*")
_QUOTES = re.compile(r"[\"“”„«»「」『』《》〈〉`´]|(?<!\w)['‘’]|['‘’](?!\w)")
_REST = re.compile(r"[\\{}^_$|*~<>†‡§¶#•…‥√∥⟨⟩×✕+]+|\.{2,}")
_PAUSES = re.compile(r"(?:\s*[,،，、]){2,}")
_BEFORE_STOP = re.compile(r"\s*[,،，、]\s*(?=[.!?。！？؟:：;；])")
_AFTER_STOP = re.compile(r"(?<=[.!?。！？؟])\s*[,،，、]+\s*")
_BEFORE_MARK = re.compile(r"\s+(?=[,.!?;:،؟。，、！？；：])")
_OF_EMOJI = re.compile(r"(?<!\S)[\u200c\u200d\ufe0e\ufe0f\u20e3]+|[\u200c\u200d\ufe0e\ufe0f\u20e3]+(?!\S)")
"""Characters that join emoji or say how they look, left over once these are gone; between letters they are spelling."""
_WIDE_SPACE = re.compile(r"(?<=[\u3001-\u9fff\uff01-\uff60])\s+(?=[\u3001-\u9fff\d])|(?<=\d)\s+(?=[\u3040-\u9fff])")
"""Spaces that Chinese and Japanese do not write."""
_LAST = re.compile(r"[.!?。！？؟]\Z")
_WORDS_OF_SIZE = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_LETTERS_OF_SIZE = {"K": 10**3, "k": 10**3, "M": 10**6, "B": 10**9, "T": 10**12}


@lru_cache(maxsize=1024)
def speakable(text: str, language: str) -> str:
    """`text` in a language as a voice of that language should be given it: one line that ends like a sentence.

    Empty where nothing is left to say. Never raises.
    """
    said = _cut(one_line(plain_math(text[: 2 * LONGEST])))
    said = unicodedata.normalize("NFC", _TAG.sub(" ", _CITED.sub("", _ADDRESS.sub("", said))))
    said = said.translate(_ARROWS)
    said = _EMPTY.sub("", _THOUSANDS.sub(lambda found: found[0].replace(",", ""), said))
    signs = spoken_signs(language)
    if signs is not None:
        said = _abbreviated(said, signs)
        said = _numbers(said, signs)
        said = _names(said, signs)
        said = _signs(said, signs)
    return _punctuated(said, signs)


def _cut(text: str) -> str:
    if len(text) <= LONGEST:
        return text
    return text[:LONGEST].rsplit(" ", 1)[0]


def _abbreviated(said: str, signs: SpokenSigns) -> str:
    for written, spoken in signs.names.items():
        said = re.sub(rf"(?<![A-Za-z0-9]){re.escape(written)}(?![A-Za-z0-9])", spoken, said)
    return said


def _numbers(said: str, signs: SpokenSigns) -> str:
    """Numbers with what belongs to them."""
    said = _NUMBERED.sub(lambda found: signs.number.format(n=found[1]), said)
    said = _MONEY.sub(lambda found: _money(found, signs), said)
    said = _LARGE_SPAN.sub(lambda found: _large_span(found, signs), said)
    said = _PERCENT_SPAN.sub(lambda found: signs.percent.format(n=signs.span.format(n=found[1], m=found[2])), said)
    said = _SPAN.sub(lambda found: _span(found, signs), said)
    said = _MORE.sub(f"{signs.words['+']} ", said)
    said = _MINUS.sub(lambda found: signs.minus.format(n=found[1]), said)
    said = _POINTS.sub(lambda found: signs.points.format(n=found[1]), said)
    said = _PERCENT.sub(lambda found: signs.percent.format(n=found[1]), said)
    said = _SIZE.sub(lambda found: signs.by.format(n=found[1], m=""), said)
    said = _MANY.sub(r"\1 ", said)
    said = _TIMES.sub(lambda found: signs.times.format(n=found[1] or found[2]), said)
    said = _TIMES_FIRST.sub(lambda found: signs.times.format(n=found[1]), said)
    said = _LARGE.sub(lambda found: _large(found, signs), said)
    said = _UNIT.sub(lambda found: _unit(found, signs), said)
    return _ABOUT.sub(lambda _: f"{signs.words['≈']} ", said)


def _money(found: re.Match[str], signs: SpokenSigns) -> str:
    size = _LETTERS_OF_SIZE.get(found[3] or "") or _WORDS_OF_SIZE.get(found[4] or "") or 1
    return signs.words[found[1]].format(n=_sized(found[2], size, signs))


def _span(found: re.Match[str], signs: SpokenSigns) -> str:
    """A range; two numbers that look like a date or a page of a calendar stay."""
    if "-" in found[0] and len(found[1]) == 4 and len(found[2]) == 2:
        return found[0]
    return signs.span.format(n=found[1], m=found[2])


def _large_span(found: re.Match[str], signs: SpokenSigns) -> str:
    least, most = (_sized(found[n], _LETTERS_OF_SIZE[found[n + 1]], signs) for n in (1, 3))
    return signs.span.format(n=least, m=most)


def _large(found: re.Match[str], signs: SpokenSigns) -> str:
    """A number with a letter of size; "4K" and "8K" are as often resolutions, which are said as written."""
    if found[2] in {"K", "k"} and len(found[1]) == 1:
        return f"{found[1]} K"
    return _sized(found[1], _LETTERS_OF_SIZE[found[2]], signs)


def _sized(number: str, size: int, signs: SpokenSigns) -> str:
    """A number times a power of ten, in the words of the language: 7 and 10⁹ are "7 billion" or "70억"."""
    if size == 1:
        return number
    whole = Decimal(number) * size
    for unit, word in signs.large:
        if whole >= unit:
            return f"{(whole / unit).normalize():f}{word}"
    return f"{whole.normalize():f}"


def _unit(found: re.Match[str], signs: SpokenSigns) -> str:
    """A measure; "2020s" is a decade and "5 m" may be five meters, but "5m" is not."""
    number, space, unit = found.groups()
    if unit in {"s", "m", "h", "W", "V"} and not space and ("." not in number or unit == "m") and len(number) > 3:
        return found[0]
    if unit == "m" and not space:
        return found[0]
    between = "" if signs.words[unit][0] > "\u2e7f" else " "  # Korean, Chinese and Japanese set none
    return f"{number}{between}{signs.words[unit]}"


def _names(said: str, signs: SpokenSigns) -> str:
    """Names of models and data sets in words: "DeepSeek-R1" is "Deep Seek R1"."""
    said = _AT.sub(f" {signs.words['@']} ", said)
    return _NAME.sub(_name, said)


def _name(found: re.Match[str]) -> str:
    name = found[0]
    if _NAME_JOINT.search(name) and name.islower() and name.replace("-", "").isalpha():
        return name  # "state-of-the-art" is spoken as it stands
    return _VERSION.sub(" ", _HUMPS.sub(" ", _NAME_JOINT.sub(" ", name)))


def _signs(said: str, signs: SpokenSigns) -> str:
    """Signs of mathematics, Greek letters, powers and indices."""
    words = signs.words
    said = _INDEXED.sub(" ", _APPLIED.sub(" ", said)).translate(_INDEX)
    said = _POWER.sub(lambda found: _power(f"{'-' if found[1] else ''}{found[2].translate(_RAISED)}", signs), said)
    said = _WRITTEN_POWER.sub(lambda found: _power(found[1], signs), said)
    said = _LETTER.sub(lambda found: f" {words[found[1]]}{_gap(found)}", said)
    said = _PLUS.sub(f" {words['+']} ", said)
    said = _PLUSES.sub(lambda found: f" {words['+']}" * len(found[0]), said)
    said = _AND.sub(f" {words['&']} ", said)
    said = _SIGN.sub(lambda found: f" {words[found[0]]} ", said)
    return _SLASH.sub(signs.marks[0], said)


def _gap(found: re.Match[str]) -> str:
    """The space behind a word for a sign; none before a Korean particle."""
    return "" if "\uac00" <= found.string[found.end() : found.end() + 1] <= "\ud7a3" else " "


def _power(exponent: str, signs: SpokenSigns) -> str:
    if exponent in {"2", "3"}:
        return f" {signs.powers[int(exponent) - 2]}"
    negative = exponent.startswith("-")
    said = signs.minus.format(n=exponent[1:]) if negative else exponent
    return f" {signs.powers[2].format(n=said)}"


def _punctuated(said: str, signs: SpokenSigns | None) -> str:
    """Brackets and dashes as pauses, no other marks, one full stop at the end."""
    pause, stop = (", ", ".") if signs is None else signs.marks
    said = _DASH.sub(pause, _CLOSE.sub(pause, _OPEN.sub(pause, _PARTICLE.sub("", said))))
    said = _QUOTES.sub("", said).replace("’", "'")
    said = _REST.sub(" ", said)
    said = "".join(" " if unicodedata.category(c) in {"So", "Sk", "Cs", "Co", "Cn"} else c for c in said)
    said = _OF_EMOJI.sub("", said)
    said = _PAUSES.sub(pause, said)
    said = _BEFORE_MARK.sub("", _AFTER_STOP.sub(" ", _BEFORE_STOP.sub("", " ".join(said.split()))))
    said = _WIDE_SPACE.sub("", said).strip(" ,،，、;；:：-–—/")
    if not any(map(str.isalnum, said)):
        return ""
    return said if _LAST.search(said) else f"{said}{stop}"
