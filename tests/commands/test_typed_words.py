"""Typed words are understood as people write them, in every language; greetings are answered."""

from __future__ import annotations

from datetime import date

import pytest

from bot.channel.preference import Kind
from bot.model import Cadence, Style
from bot.render import preference_values, typed_values
from bot.render.catalogue import languages
from bot.render.words import words
from bot.rules.preferences import PREFERENCES

TODAY = date(2026, 11, 29)
BY_KIND = {each.kind: each for each in PREFERENCES}


@pytest.mark.parametrize(
    ("kind", "typed", "language", "means"),
    [
        (Kind.LANGUAGE, "한국어", "en", "ko"),
        (Kind.LANGUAGE, "korean", "ar", "ko"),
        (Kind.LANGUAGE, "영어", "ko", "en"),
        (Kind.LANGUAGE, "Japanese", "en", "ja"),
        (Kind.LANGUAGE, "العربية", "en", "ar"),
        (Kind.LANGUAGE, "ja", "en", "ja"),
        (Kind.LANGUAGE, "klingon", "en", None),
        (Kind.TOPICS, "all", "en", ()),
        (Kind.TOPICS, "none", "en", ()),
        (Kind.HOUR, "오전 8시", "en", 480),
        (Kind.HOUR, "오후 7시 반", "ko", 1170),
        (Kind.HOUR, "7.30pm", "en", 1170),
        (Kind.HOUR, "noon", "en", 720),
        (Kind.HOUR, "midnight", "ko", 0),
        (Kind.COUNT, "ten", "en", 10),
        (Kind.COUNT, "열", "ko", 10),
        (Kind.COUNT, "10편", "ko", 10),
        (Kind.COUNT, "五", "zh-Hans", 5),
        (Kind.COUNT, "5 or 10", "en", None),
        (Kind.CADENCE, "weekly", "ko", Cadence.WEEK),
        (Kind.STYLE, "Abstract", "en", Style.ABSTRACT),
    ],
)
def test_a_value_is_understood(kind: Kind, typed: str, language: str, means: object) -> None:
    assert preference_values.parse(BY_KIND[kind], typed, words(language)) == means


@pytest.mark.parametrize("language", sorted(languages()))
def test_what_menus_call_a_value_can_be_typed(language: str) -> None:
    w = words(language)
    for style, (name, _) in preference_values.styles(w).items():
        assert preference_values.parse(BY_KIND[Kind.STYLE], name, w) is style
    for cadence, name in preference_values.cadences(w).items():
        assert preference_values.parse(BY_KIND[Kind.CADENCE], name, w) is cadence
    for number, name in enumerate(typed_values.alternatives("typed.numbers", language), start=1):
        assert typed_values.number(name, language) == number
    assert len(typed_values.alternatives("typed.numbers", language)) == 10


@pytest.mark.parametrize(
    ("typed", "language", "means"),
    [
        ("yesterday", "en", date(2026, 11, 28)),
        ("어제", "ko", date(2026, 11, 28)),
        ("昨日", "ja", date(2026, 11, 28)),
        ("أمس", "ar", date(2026, 11, 28)),
        ("today", "zh-Hans", TODAY),
        ("26.11.2026", "en", date(2026, 11, 26)),
        ("26/11/2026", "en", date(2026, 11, 26)),
        ("11/26/2026", "en", date(2026, 11, 26)),
        ("26.11.", "en", date(2026, 11, 26)),
        ("32.11.2026", "en", None),
    ],
)
def test_a_day_is_understood(typed: str, language: str, means: date | None) -> None:
    assert typed_values.day(typed, TODAY, language) == means


@pytest.mark.parametrize("typed", ["tomorrow", "30.11.2026", "11/30", "1"])
def test_a_day_to_come_is_understood(typed: str) -> None:
    assert typed_values.until(typed, TODAY) == date(2026, 11, 30)


@pytest.mark.parametrize(
    ("typed", "language", "is_one"),
    [("Hello!", "en", True), ("안녕하세요", "ko", True), ("hi", "ja", True), ("hello world models", "en", False)],
)
def test_a_greeting_is_told_from_a_question(typed: str, language: str, is_one: bool) -> None:
    assert typed_values.is_greeting(typed, language) is is_one
