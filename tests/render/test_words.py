"""Words: the nearest language, plurals, dates, numbers, and text that keeps its direction."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from bot.channel import Direction
from bot.render.catalogue import DEFAULT
from bot.render.words import match, words

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("wanted", "got"),
    [
        ("ko", "ko"), ("ko-KR", "ko"), ("ko_KR.UTF-8", "ko"), ("KO", "ko"), ("en-US", "en"),
        ("zh-TW", "zh-Hant"), ("zh-HK", "zh-Hant"), ("zh_Hant", "zh-Hant"), ("zh-hant-TW", "zh-Hant"),
        ("zh", "zh-Hans"), ("zh-CN", "zh-Hans"), ("zh-SG", "zh-Hans"), ("ja-JP", "ja"), ("iw", "he"),
        ("fr", "xx"), ("", "xx"), (None, "xx"), ("🙂", "xx"), ("-", "xx"),
    ],
)  # fmt: skip
def test_the_nearest_language_is_found(wanted: str | None, got: str) -> None:
    assert match(wanted, "xx", ("en", "he", "ja", "ko", "zh-Hans", "zh-Hant")) == got


def test_another_script_of_the_same_language_is_better_than_a_foreign_language() -> None:
    assert match("zh-TW", "en", ("en", "zh-Hans")) == "zh-Hans"


def test_a_language_without_a_catalogue_is_answered_in_english() -> None:
    assert words("xx-unknown").language == DEFAULT


def test_plurals_dates_and_numbers_are_the_languages_own() -> None:
    english, korean = words("en"), words("ko")
    assert [english.ngettext("paper.votes", n) for n in (0, 1, 1234)] == [
        "0 votes", "1 vote", "1,234 votes",
    ]  # fmt: skip
    assert korean.ngettext("paper.votes", 1234) == "추천 1,234"
    assert english.day(date(2026, 4, 29)) == "Wednesday, 29 April 2026"
    assert korean.day(date(2026, 4, 29)) == "2026년 4월 29일 수요일"
    assert english.span(date(2026, 4, 27), date(2026, 5, 3)) == "27 Apr\u2009–\u20093 May 2026"
    assert english.month(date(2026, 4, 29)) == "April 2026"
    assert english.percent(0.54) == "54%"


def test_arabic_has_six_plural_forms_and_is_written_from_the_right() -> None:
    arabic = words("ar")
    assert (arabic.direction, words("ja").direction) == (Direction.RTL, Direction.LTR)
    votes = [arabic.ngettext("paper.votes", n) for n in (0, 1, 2, 3, 10, 11, 99, 100, 102, 103, 1234)]
    assert votes == [
        "لا أصوات", "صوت واحد", "صوتان", "3 أصوات", "10 أصوات", "11 صوتًا", "99 صوتًا",
        "100 صوت", "102 صوت", "103 أصوات", "1,234 صوتًا",
    ]  # fmt: skip


def test_a_moment_is_told_by_the_clock_of_a_zone() -> None:
    moment = datetime(2026, 4, 29, 22, 4, tzinfo=UTC)
    assert words("en").moment(moment) == "29 April, 22:04 UTC"
    assert words("en").time(moment, "Asia/Seoul") == "07:04"
    assert words("ko").moment(moment, "Asia/Seoul") == "4월 30일 07:04"


def test_values_keep_their_own_direction_in_right_to_left_sentences() -> None:
    arabic, english = words("ar"), words("en")
    assert arabic.gettext("settings.value", preference="x", value="+9") != english.gettext(
        "settings.value", preference="x", value="+9"
    )
    assert "\u2068+9\u2069" in arabic.gettext("settings.value", preference="x", value="+9")
    assert "\u2068" not in english.gettext("settings.value", preference="x", value="+9")
    assert "\u2068" not in arabic.ngettext("paper.votes", 1234)
