"""Which language a text is in, as far as scripts and small words tell. Pure.

Technical terms stay English in every language, so that a share of foreign letters is normal; what is asked is whether
the sentences around them are in the language.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from functools import lru_cache

_SCRIPTS = {"zh": "CJK", "yue": "CJK", "ja": "CJK", "ko": "HANGUL", "el": "GREEK", "he": "HEBREW", "hi": "DEVANAGARI"}
_SCRIPTS |= (
    dict.fromkeys(("ar", "fa", "ur"), "ARABIC") | dict.fromkeys(("bg", "ru", "sr", "uk"), "CYRILLIC") | {"th": "THAI"}
)
"""The script of a language that is not written in Latin letters (CLDR, likely subtags), as Unicode calls it."""
_TAGGED = {"latn": "LATIN", "cyrl": "CYRILLIC", "arab": "ARABIC"}

_SAID_OFTEN = """
en a we our or be has the of and to that with for this which are by from is it as can these on an at into than
es el la los las de del que y en un una con por para se más como sin su al es son este esta
fr le la les des du de et en un une que qui pour avec dans sur par est sont au aux ce cette plus
de der die das und den dem des ein eine einer mit für von auf ist sind nicht wird zu durch als
it il lo la gli di del della che e in un una con per più sono è dei delle nel alla come questo
pt o a os as de do da dos das que e em um uma com por para mais não são é no na ao como
nl de het een en van in met voor op dat is zijn door niet aan wordt te als deze die ook
id yang dan di dari untuk dengan pada ini adalah ke dalam tidak oleh atau lebih sebagai dapat
vi và của các một cho trong với là được có không này những trên từ để khi
pl i w na z do że się jest nie oraz dla przez jak od po który które to
tr ve bir bu için ile olarak daha çok da de olan gibi kadar
sv och att det en ett som på är av för med den till inte om har de
"""
_SMALL_WORDS = {tag: frozenset(words) for tag, *words in map(str.split, _SAID_OFTEN.strip().splitlines())}
_ENGLISH_ALONE = _SMALL_WORDS["en"].difference(*(words for tag, words in _SMALL_WORDS.items() if tag != "en"))

# Frequent signs in pairs, Simplified then Traditional; only what the other script does not write at all.
_PAIRS = (
    "个個们們这這来來时時为為说說对對发發进進过過还還现現动動经經给給见見长長问問间間开開关關应應种種样樣点點实實"
    "机機电電学學习習训訓练練数數据據模模语語言言义義让讓认認识識测測试試评評验驗证證显顯图圖处處务務层層优優"
    "传傳统統构構结結组組织織级級类類线線络絡视視频頻设設计計该該误誤读讀调調论論质質转轉换換输輸达達远遠选選"
    "难難随隨预預领領题題题題须須师師际際际際険险户戶执執扩擴则則创創别別刘劉劳勞势勢区區单單卫衛压壓广廣"
    "强強归歸当當录錄态態总總战戰护護报報标標树樹桥橋极極决決准準减減温溫湾灣满滿滤濾滞滯灵靈热熱爱愛状狀独獨"
    "环環盘盤确確码碼础礎离離积積称稱稳穩穷窮简簡绝絕续續维維编編缩縮网網节節获獲虚虛补補规規觉覺触觸词詞译譯详詳"
    "负負财財贝貝费費资資赖賴车車轻輕较較边邊迁遷运運适適递遞释釋错錯键鍵门門队隊险險静靜韩韓页頁项項顺順颗顆额額"
    "风風驱驅骤驟体體么麼从從仅僅价價众眾会會伤傷两兩严嚴丰豐临臨举舉乐樂书書亏虧产產亲親"
)
SIMPLIFIED = frozenset(_PAIRS[::2]) - frozenset(_PAIRS[1::2])
TRADITIONAL = frozenset(_PAIRS[1::2]) - frozenset(_PAIRS[::2])
_PERSIAN = frozenset("پچژگکی")

LEAST_WORDS = 6
"""Words that tell one language in Latin letters from another; fewer are accepted."""
LONGEST_NAME = 3
"""Words of a title that may be one name in every language."""
_LEAST = {"ko": 0.38, "ja": 0.38, "zh": 0.4, "yue": 0.4, "ar": 0.5}
_WEIGHT = 2
"""A sign of Chinese, Japanese or Korean says as much as two letters or more."""
_BRACKETS = re.compile(r"[(（\[【][^()（）\[\]【】]{0,200}[)）\]】]")
_NAME = re.compile(r"(?<![A-Za-z])(?:[A-Z][\w.+&-]*|[A-Za-z]+(?:[-.]?\d[\w.+-]*))", re.ASCII)
_LATIN_RUN = re.compile(r"(?:[A-Za-z][A-Za-z'’-]*[ ,;:]+){14,}[A-Za-z]")
_WORD = re.compile(r"[^\W\d_]+")


def in_language(text: str, language: str, *, title: bool = False) -> bool:
    """Whether a text is written in the language of a tag (`ko`, `zh-Hant`, `sr-Latn`).

    A `title` may be mostly terms and names. A text without letters is in every language, and a tag that we know nothing
    of accepts Latin letters or none.
    """
    tag, _, rest = language.partition("-")
    tag = tag.lower()
    script = _TAGGED.get(rest.partition("-")[0].lower()) or _SCRIPTS.get(tag, "LATIN")
    counts = _letters(_BRACKETS.sub(" ", text))
    if not counts:
        counts = _letters(text)
    if not counts:
        return True
    if script == "LATIN":
        return _in_latin(text, tag, counts, title=title)
    beside_names = _letters(_NAME.sub(" ", _BRACKETS.sub(" ", text)))
    if title and not beside_names and len(text.split()) <= LONGEST_NAME:
        return True
    if not _mostly(beside_names or counts, script, tag, title=title):
        return False
    if not title and _LATIN_RUN.search(text):
        return False
    match tag:
        case "zh" | "yue":
            return _in_chinese(text, counts, traditional=is_traditional(language))
        case "ja":
            return _in_japanese(text, counts, title=title)
        case "ko":
            return counts["KANA"] <= counts["HANGUL"] / 10 and counts["CJK"] <= counts["HANGUL"]
        case "ar":
            return sum(letter in _PERSIAN for letter in text) * 20 <= counts["ARABIC"]
    return True


def is_traditional(language: str) -> bool:
    """Whether a Chinese tag means Traditional characters: by its script, else by its region."""
    parts = {part.lower() for part in language.split("-")[1:]}
    return (
        "hant" in parts or ("hans" not in parts and bool(parts & {"tw", "hk", "mo"})) or language[:3].lower() == "yue"
    )


def is_dense(language: str) -> bool:
    """Whether the language says in half the characters what others say: Chinese, Japanese, Korean."""
    return language.partition("-")[0].lower() in {"ko", "ja", "zh", "yue"}


@lru_cache(maxsize=8192)
def _script(letter: str) -> str:
    """`CJK`, `KANA`, `HANGUL`, `LATIN`…; empty for what is no letter."""
    if not letter.isalpha():
        return ""
    name = unicodedata.name(letter, "").partition(" ")[0].partition("-")[0]
    return {"HIRAGANA": "KANA", "KATAKANA": "KANA", "IDEOGRAPHIC": "CJK"}.get(name, name)


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
    simplified = sum(sign in SIMPLIFIED for sign in text)
    classical = sum(sign in TRADITIONAL for sign in text)
    own, other = (classical, simplified) if traditional else (simplified, classical)
    return other <= max(1, own // 10) and (own >= other or other == 0)


def _in_japanese(text: str, counts: Counter[str], *, title: bool) -> bool:
    simplified = sum(sign in SIMPLIFIED for sign in text) if not counts["KANA"] else 0
    if title:
        return not simplified and counts["HANGUL"] == 0
    return counts["KANA"] * 10 >= counts["CJK"] + counts["KANA"] and counts["HANGUL"] * 10 <= counts["KANA"]


def _in_latin(text: str, tag: str, counts: Counter[str], *, title: bool) -> bool:
    if counts["LATIN"] * 10 < counts.total() * (5 if title else 8) or not counts:
        return False
    words = [word.lower() for word in _WORD.findall(text)]
    if title or len(words) < LEAST_WORDS:
        return True
    counted = set(words) if tag == "en" else words
    said = {known: sum(word in small for word in counted) for known, small in _SMALL_WORDS.items()}
    others = max(times for known, times in said.items() if known != tag)
    if tag == "en":
        # Dense English has next to no small words, but then it has few of another language either, and few accents.
        accented = sum(any(_script(letter) == "LATIN" and not letter.isascii() for letter in word) for word in words)
        return others <= said[tag] * 1.3 + 1 and accented * 6 <= len(words)
    if tag in said:
        return said[tag] * 25 >= len(words) - 15 and others <= said[tag] * 1.3 + 1
    return sum(word in _ENGLISH_ALONE for word in words) * 6 < len(words)
