"""The units that numbers come with, as six languages write them. Pure."""

from __future__ import annotations

import re

_TIMES = r"[xX×](?![A-Za-z0-9]|\s?\d)|(?i:times|fold)(?![a-z])|배(?![치포경열])|倍|(?:ال)?[أا]?ضعا?ف|مر(?:ة|ات)"
_MINUTES = r"(?i:min(?:ute)?s?(?![a-z]))|분(?=[^가-힣]|간|의\s|[이을을에]|\Z)|分[钟鐘]|分間|دقيق[ةه]|دقائق"
_TOKENS = r"(?:[A-Z][A-Za-z]+\s)?(?i:tokens?)(?![a-z])|(?:[A-Za-z]+\s)?(?:토큰|トークン|[词詞]元|令牌)|رمز"
_PARAMETERS = r"(?i:param(?:eter)?s?(?![a-z]))|파라미터|매개변수|[参參][数數]|パラメータ|معلم[ةه]|معلمات|معامل"
_UNITS: tuple[tuple[str, str, float, str], ...] = (
    # unit, family, in the family's own, as it is written
    ("%", "%", 1.0, r"%|퍼센트|(?i:per\s?cent(?:age)?)|パーセント|[个個]?百分[点點]|(?:بالم|في الم)ا?ئ[هة]"),
    ("×", "×", 1.0, _TIMES),
    ("割", "%", 10.0, r"割(?!り当)|成(?!功|本|分|果|员|員|为|為|立|熟)"),
    ("ms", "time", 1e-3, r"ms(?![a-z])|(?i:milliseconds?)|밀리초|毫秒|ミリ秒|ميلي ثانية"),
    ("s", "time", 1.0, r"s(?![A-Za-z])|(?i:sec(?:ond)?s?(?![a-z]))|초(?!과|기|반)|秒|ثانية|ثوان[يٍ]?"),
    ("min", "time", 60.0, _MINUTES),
    ("h", "time", 3600.0, r"h(?![A-Za-z])|(?i:h(?:ou)?rs?(?![a-z]))|시간|小[时時]|時間|ساع[ةه]|ساعات"),
    ("year", "time", 31557600.0, r"(?i:years?(?![a-z]))|년(?!대)|年(?!代)|سنوات|أعوام|عاما"),
    ("MB", "bytes", 1e6, r"Mi?B(?![a-z])"),
    ("GB", "bytes", 1e9, r"Gi?B(?![a-z])|기가바이트"),
    ("Hz", "Hz", 1.0, r"(?i:hz)(?![a-z])"),
    ("token", "token", 1.0, _TOKENS),
    ("parameter", "parameter", 1.0, _PARAMETERS),
)  # fmt: skip
FAMILIES = {unit: (family, scale) for unit, family, scale, _ in _UNITS} | {
    "": ("", 1.0),
    "part": ("", 1.0),
    "implied": ("implied", 1.0),
}
"""The family of a unit, and how much of the family's own it is."""
_UNIT = re.compile(
    r"[\s-]?(?:[개個个](?:의|の|的)?\s?|の|的)?(?:" + "|".join(f"({written})" for *_, written in _UNITS) + ")"
)


def unit_at(text: str, at: int) -> tuple[str, int]:
    """The unit that stands at a place of a text, after a counter at most, and where it ends; `("", at)` for none."""
    found = _UNIT.match(text, at)
    return (_UNITS[(found.lastindex or 1) - 1][0], found.end()) if found else ("", at)
