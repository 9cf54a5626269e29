"""Which language a text is in, as far as scripts and small words tell. Pure.

Technical terms stay English in every language, so that a share of foreign letters is normal; what is asked is whether
the sentences around them are in the language.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from functools import lru_cache

_SCRIPTS = {"en": "LATIN", "zh": "CJK", "ja": "CJK", "ko": "HANGUL", "ar": "ARABIC"}
"""The script of a language, as Unicode calls it."""

_SAID_OFTEN = """
en a we our or be has the of and to that with for this which are by from is it as can these on an at into than
es el la los las de del que y en un una con por para se más como sin su al es son este esta
fr le la les des du de et en un une que qui pour avec dans sur par est sont au aux ce cette plus
de der die das und den dem des ein eine einer mit für von auf ist sind nicht wird zu durch als
it il lo la gli di del della che e in un una con per più sono è dei delle nel alla come questo
pt o a os as de do da dos das que e em um uma com por para mais não são é no na ao como
"""
_SMALL_WORDS = {tag: frozenset(words) for tag, *words in map(str.split, _SAID_OFTEN.strip().splitlines())}

_PERSIAN = frozenset("پچژگکی")

LEAST_WORDS = 6
"""Words that tell one language in Latin letters from another; fewer are accepted."""
LONGEST_NAME = 3
"""Words of a title that may be one name in every language."""
_LEAST = {"ko": 0.38, "ja": 0.38, "zh": 0.4, "ar": 0.5}
_WEIGHT = 2
"""A sign of Chinese, Japanese or Korean says as much as two letters or more."""
_BRACKETS = re.compile(r"[(（\[【][^()（）\[\]【】]{0,200}[)）\]】]")
_NAME = re.compile(r"(?<![A-Za-z])(?:[A-Z][\w.+&-]*|[A-Za-z]+(?:[-.]?\d[\w.+-]*))", re.ASCII)
_LATIN_RUN = re.compile(r"(?:[A-Za-z][A-Za-z'’-]*[ ,;:]+){14,}[A-Za-z]")
_WORD = re.compile(r"[^\W\d_]+")


def in_language(text: str, language: str, *, title: bool = False) -> bool:
    """Whether a text is written in the language of a tag (`ko`, `zh-Hant`).

    A `title` may be mostly terms and names. A text without letters is in every language, and every text is in a
    language that we know nothing of.
    """
    tag = language.partition("-")[0].lower()
    script = _SCRIPTS.get(tag)
    if not script:
        return True
    counts = _letters(_BRACKETS.sub(" ", text))
    if not counts:
        counts = _letters(text)
    if not counts:
        return True
    if script == "LATIN":
        return _in_english(text, counts, title=title)
    beside_names = _letters(_NAME.sub(" ", _BRACKETS.sub(" ", text)))
    if title and not beside_names and len(text.split()) <= LONGEST_NAME:
        return True
    if not _mostly(beside_names or counts, script, tag, title=title):
        return False
    if not title and _LATIN_RUN.search(text):
        return False
    match tag:
        case "zh":
            return _in_chinese(text, counts, traditional=is_traditional(language))
        case "ja":
            return _in_japanese(text, counts, title=title)
        case "ko":
            return counts["KANA"] <= counts["HANGUL"] / 10 and counts["CJK"] <= counts["HANGUL"]
        case "ar":
            return sum(letter in _PERSIAN for letter in text) * 20 <= counts["ARABIC"]
    return True


def is_latin(language: str) -> bool:
    """Whether a language is written in Latin letters, as those are that we know nothing of."""
    return _SCRIPTS.get(language.partition("-")[0].lower(), "LATIN") == "LATIN"


def is_traditional(language: str) -> bool:
    """Whether a Chinese tag means Traditional characters: by its script, else by its region."""
    parts = {part.lower() for part in language.split("-")[1:]}
    return "hant" in parts or ("hans" not in parts and bool(parts & {"tw", "hk", "mo"}))


def is_dense(language: str) -> bool:
    """Whether the language says in half the characters what others say: Chinese, Japanese, Korean."""
    return language.partition("-")[0].lower() in {"ko", "ja", "zh"}


@lru_cache(maxsize=8192)
def _script(letter: str) -> str:
    """`CJK`, `KANA`, `HANGUL`, `LATIN`…; empty for what is no letter."""
    if not letter.isalpha():
        return ""
    name = unicodedata.name(letter, "").partition(" ")[0].partition("-")[0]
    return {"HIRAGANA": "KANA", "KATAKANA": "KANA", "IDEOGRAPHIC": "CJK"}.get(name, name)


def _is_simplified(sign: str) -> bool:
    """Whether only Simplified Chinese writes a sign: neither Traditional Chinese nor Japanese has it."""
    return _script(sign) == "CJK" and _has(sign, "gb2312") and not (_has(sign, "big5") or _has(sign, "shift_jis"))


def _is_traditional(sign: str) -> bool:
    """Whether Traditional Chinese writes a sign and Simplified does not."""
    return _script(sign) == "CJK" and _has(sign, "big5") and not _has(sign, "gb2312")


@lru_cache(maxsize=8192)
def _has(sign: str, character_set: str) -> bool:
    try:
        return bool(sign.encode(character_set))
    except UnicodeEncodeError:
        return False


def _letters(text: str) -> Counter[str]:
    counts = Counter(map(_script, text))
    del counts[""]
    for dense in ("CJK", "KANA", "HANGUL"):
        if counts[dense]:
            counts[dense] *= _WEIGHT
    return counts


def _mostly(counts: Counter[str], script: str, tag: str, *, title: bool) -> bool:
    own = counts[script] + (counts["KANA"] if tag == "ja" else 0)
    if title:
        return own >= 2 * _WEIGHT or own >= 0.15 * counts.total()
    return own > 0 and own >= _LEAST.get(tag, 0.5) * counts.total()


def _in_chinese(text: str, counts: Counter[str], *, traditional: bool) -> bool:
    if (counts["KANA"] + counts["HANGUL"]) * 20 > counts["CJK"]:
        return False
    simplified, classical = sum(map(_is_simplified, text)), sum(map(_is_traditional, text))
    own, other = (classical, simplified) if traditional else (simplified, classical)
    return other <= max(1, own // 10) and (own >= other or other == 0)


def _in_japanese(text: str, counts: Counter[str], *, title: bool) -> bool:
    simplified = not counts["KANA"] and any(map(_is_simplified, text))
    if title:
        return not simplified and counts["HANGUL"] == 0
    return counts["KANA"] * 10 >= counts["CJK"] + counts["KANA"] and counts["HANGUL"] * 10 <= counts["KANA"]


def _in_english(text: str, counts: Counter[str], *, title: bool) -> bool:
    if counts["LATIN"] * 10 < counts.total() * (5 if title else 8) or not counts:
        return False
    words = [word.lower() for word in _WORD.findall(text)]
    if title or len(words) < LEAST_WORDS:
        return True
    # Dense English has next to no small words, but then it has few of another language either, and few accents.
    said = {known: len(small & set(words)) for known, small in _SMALL_WORDS.items()}
    others = max(times for known, times in said.items() if known != "en")
    accented = sum(any(_script(letter) == "LATIN" and not letter.isascii() for letter in word) for word in words)
    return others <= said["en"] * 1.3 + 1 and accented * 6 <= len(words)
