"""Numbers that are written in words: English, Chinese and Japanese, Korean. Pure.

What is an ordinary word as often as a number (一般, 한) counts only where its surroundings make it a number.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Spelled:
    """A number in words: where it stands, how much it is, and `×` where the word itself says so ("twice").

    `part` marks words for parts of a whole, which are said of what is only nearly so ("half" of 49 %).
    """

    start: int
    end: int
    amount: float
    unit: str = ""
    part: bool = False


_UP_TO_TWENTY = """
zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen
nineteen
"""
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_ENGLISH: Mapping[str, float] = {
    **{word: float(n) for n, word in enumerate(_UP_TO_TWENTY.split())},
    **{word: n * 10.0 for n, word in enumerate(_TENS.split(), 2)},
}
SCALES = {"hundred": 1e2, "thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12}
_WORDS = "|".join(sorted((*_ENGLISH, *SCALES), key=len, reverse=True))
_ENGLISH_RUN = re.compile(
    rf"(?i)(?<![a-z0-9])(?:{_WORDS})(?:(?:(?:(?<=hundred)|(?<=thousand))\s+and\s+|[\s-])(?:{_WORDS}))*(?![a-z0-9])"
)
_ENGLISH_PARTS = re.compile(
    r"(?i)(?<![a-z])(?:(a|one|two|three|four)[\s-](third|quarter|fifth|tenth)s?(?=\s+(?:of|the|as)\b|[\s.,;)]*$)"
    r"|(one|two|three|four)[\s-](third|quarter|fifth|tenth)s?(?![\s-]?part)|(?:a\s)?half|halve[sd]?|halving)(?![a-z-])"
)
_PARTS_OF = {"third": 3.0, "quarter": 4.0, "fifth": 5.0, "tenth": 10.0}
_TIMES = {"twice": 2.0, "double": 2.0, "doubles": 2.0, "doubled": 2.0, "doubling": 2.0, "thrice": 3.0}
_TIMES |= {"triple": 3.0, "triples": 3.0, "tripled": 3.0, "tripling": 3.0, "quadruple": 4.0, "quadruples": 4.0}
_TIMES |= {f"{word}fold": amount for word, amount in _ENGLISH.items() if 2 <= amount <= 20}
_TIMES |= {"one-and-a-half times": 1.5, "one and a half times": 1.5}
_ENGLISH_TIMES = re.compile(rf"(?i)(?<![a-z-])(?:{'|'.join(_TIMES)})(?![a-z-])")

_IMPLIES = """
1 january jan
2 february feb
3 march
4 april
5 may
6 june
7 july
8 august aug
9 september sept
10 october oct
11 november nov
12 december dec
1 single sole first
2 dual both pair pairs couple second half
3 triple trio third
4 fourth quadruped
5 fifth
6 sixth
7 seventh
8 eighth
9 ninth
10 tenth
"""
_IMPLIED = {word: float(n) for n, *words in map(str.split, _IMPLIES.strip().splitlines()) for word in words}
_IMPLYING = re.compile(rf"(?i)(?<![a-z])(?:{'|'.join(_IMPLIED)})(?![a-z])")

_HAN = dict(zip("〇零一二三四五六七八九两兩", (0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 2, 2), strict=True))
_SMALL = {"十": 10.0, "百": 100.0, "千": 1000.0}
_LARGE = {"万": 1e4, "萬": 1e4, "亿": 1e8, "億": 1e8, "兆": 1e12, "京": 1e16}
_HAN_ANY = "〇零一二三四五六七八九十百千万萬亿億兆两兩"
_HAN_RUN = re.compile(rf"(?<![数數几幾第上成{_HAN_ANY}])[{_HAN_ANY}]+(?![{_HAN_ANY}])")
_HAN_FRACTION = re.compile(rf"([{_HAN_ANY}]{{1,12}})分[之の]([{_HAN_ANY}]{{1,12}})")
_HAN_COUNTER = re.compile(
    r"\s?(?:[项項](?!全能)|[个個种種类類次倍层層步篇条條张張轮輪组組套位天年款道台家国國语語枚回つ件点點人名段阶階大本ヶか箇カ対对"
    r"维維秒時时小级級章節节期代成割门門块塊份场場页頁行列句]|自由度|[领領]域|任[务務]|分[钟鐘])"
)

_NATIVE_ONES = {"한": 1, "하나": 1, "두": 2, "둘": 2, "세": 3, "셋": 3, "네": 4, "넷": 4, "다섯": 5, "여섯": 6}
_NATIVE_ONES |= {"일곱": 7, "여덟": 8, "아홉": 9}
_NATIVE_TENS = {"열": 10, "스물": 20, "스무": 20, "서른": 30, "마흔": 40, "쉰": 50, "예순": 60}
_KOREAN_COUNTER = (
    r"\s?(?:가지|개|배(?![치포경열])|단계|명(?!확)|편(?!의|리)|종(?!합|료)|차례|번(?!째)|곳|시간|달|축|갈래|쌍|층"
    r"|차원|부류|분야|언어|과제|모델)"
)
_NATIVE = re.compile(
    rf"(?<![가-힣])(?:(열|스물|서른|마흔|쉰|예순)?(한|하나|두|둘|세|셋|네|넷|다섯|여섯|일곱|여덟|아홉)|(열|스무))"
    rf"(?={_KOREAN_COUNTER})"
)


def spelled(text: str, *, lenient: bool = False) -> Iterator[Spelled]:
    """The numbers in words that a text holds, language by language.

    `lenient` is for a source: what only implies a number ("dual", "fourth", "millions") counts there as well.
    """
    yield from _english(text)
    yield from _han(text)
    yield from _korean(text)
    if lenient:
        for found in _IMPLYING.finditer(text):
            yield Spelled(found.start(), found.end(), _IMPLIED[found[0].lower()], "implied")


def compound(tokens: Sequence[float | str]) -> float | None:
    """The amount of digits and the signs 十 百 千 万 亿 兆 in their order; None where they make no number."""
    total, section, number = 0.0, 0.0, None
    for token in tokens:
        if isinstance(token, float):
            if number is not None:
                return None
            number = token
        elif token in _SMALL:
            section += (1.0 if number is None else number) * _SMALL[token]
            number = None
        else:
            section += number or 0.0
            if section:
                total += section * _LARGE[token]
            else:
                total = (total or 1.0) * _LARGE[token]
            section, number = 0.0, None
    return total + section + (number or 0.0)


def _english(text: str) -> Iterator[Spelled]:
    for found in _ENGLISH_RUN.finditer(_ENGLISH_PARTS.sub(lambda part: " " * len(part[0]), text)):
        total, current = 0.0, 0.0
        for word in re.split(r"[\s-]+", found[0].lower()):
            if word in _ENGLISH:
                current += _ENGLISH[word]
            elif word in SCALES:
                scale = SCALES[word]
                current = (current or 1.0) * scale
                if scale > 100:
                    total, current = total + current, 0.0
        yield Spelled(found.start(), found.end(), total + current)
    for found in _ENGLISH_PARTS.finditer(text):
        many, whole = found[1] or found[3], found[2] or found[4]
        amount = _ENGLISH.get((many or "one").lower(), 1.0) / _PARTS_OF[whole.lower()] if whole else 0.5
        yield Spelled(found.start(), found.end(), amount, part=True)
    for found in _ENGLISH_TIMES.finditer(text):
        yield Spelled(found.start(), found.end(), _TIMES[found[0].lower()], "×")


def _han(text: str) -> Iterator[Spelled]:
    taken = -1
    for found in _HAN_FRACTION.finditer(text):
        whole, many = _of_han(found[1]), _of_han(found[2])
        if whole and many is not None:
            taken = found.end()
            percent = found[1] == "百"
            yield Spelled(found.start(), taken, many if percent else many / whole, "%" if percent else "", not percent)
    for found in _HAN_RUN.finditer(text):
        run = found[0]
        if found.start() < taken and "分" in text[max(0, found.start() - 3) : found.end() + 2]:
            continue
        # One sign is a number only before what is counted, and 万 or 亿万 alone never is: 一般, 万能, 十分.
        if set(run) <= set("百千万萬亿億兆") or (len(run) == 1 and not _HAN_COUNTER.match(text, found.end())):
            continue
        amount = _of_han(run)
        if amount is not None:
            yield Spelled(found.start(), found.end(), amount)


def _of_han(run: str) -> float | None:
    return compound([float(_HAN[sign]) if sign in _HAN else sign for sign in run])


def _korean(text: str) -> Iterator[Spelled]:
    for found in _NATIVE.finditer(text):
        amount = _NATIVE_TENS.get(found[1] or found[3], 0) + _NATIVE_ONES.get(found[2], 0)
        yield Spelled(found.start(), found.end(), float(amount))
