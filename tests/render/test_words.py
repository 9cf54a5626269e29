"""Every catalogue is tested as code: the same sentences, the same placeholders, nothing missing."""

import re
from datetime import UTC, date, datetime
from gettext import c2py
from pathlib import Path

import pytest
from babel import Locale
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from babel.support import Translations

from bot.channel import Direction
from bot.render import folder
from bot.render.words import DEFAULT, OFFERED_FROM, Words, catalogues, completeness, languages, match, words

ROOT = Path(__file__).resolve().parents[2]
Key = tuple[str | None, tuple[str, ...]]


def catalogue(tag: str) -> Catalog:
    with (folder() / "locale" / f"{tag}.po").open("rb") as written:
        return read_po(written, locale=tag.replace("-", "_"), abort_invalid=True)


def keys(tag: str) -> list[Key]:
    return [(each.context, sentences(each.id)) for each in catalogue(tag) if each.id]


def sentences(written: object) -> tuple[str, ...]:
    return tuple(map(str, written)) if isinstance(written, list | tuple) else (str(written),)


def placeholders(sentence: str) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", sentence))


def asked_for(folder: str, method: str) -> set[Key]:
    """The sentences that code or templates ask for, as Babel extracts them."""
    extensions = {"python": "**.py", "jinja2": "**"}
    found = extract_from_dir(str(ROOT / folder), [(extensions[method], method)])
    return {(context, sentences(message)) for _, _, message, _, context in found}


def test_the_reference_holds_exactly_the_sentences_that_are_asked_for() -> None:
    asked = asked_for("bot", "python") | asked_for("channels", "python") | asked_for("templates", "jinja2")
    assert set(keys(DEFAULT)) == asked


@pytest.mark.parametrize("tag", languages())
def test_every_language_has_the_sentences_of_the_reference_in_its_order(tag: str) -> None:
    assert keys(tag) == keys(DEFAULT)


@pytest.mark.parametrize("tag", [tag for tag in catalogues() if tag not in languages()])
def test_an_unfinished_language_has_sentences_of_the_reference_in_its_order(tag: str) -> None:
    there = set(keys(tag))
    assert keys(tag) == [key for key in keys(DEFAULT) if key in there]


@pytest.mark.parametrize("tag", [tag for tag in catalogues() if tag != DEFAULT])
def test_every_translation_is_there_and_fills_the_same_placeholders(tag: str) -> None:
    """What a language that is not offered to readers lacks yet is said in English."""
    written = catalogue(tag)
    for message in written:
        forms = sentences(message.string)
        if not message.id or (tag not in languages() and not any(forms)):
            continue
        english = sentences(message.id)
        assert not message.fuzzy, english
        assert len(forms) == (written.num_plurals if len(english) > 1 else 1)
        for form in forms:
            assert form.strip(), english
            assert placeholders(form) == placeholders(english[-1]), english
            assert (form != form.strip()) == (english[0] != english[0].strip()), english


@pytest.mark.parametrize("tag", catalogues())
def test_every_translator_is_told_what_a_sentence_is_for(tag: str) -> None:
    assert [each.id for each in catalogue(tag) if each.id and not each.user_comments] == []


def test_the_languages_are_the_files_there_are_that_are_nearly_complete() -> None:
    assert languages()[0] == catalogues()[0] == DEFAULT
    share = {tag: said / total for tag in catalogues() for said, total in [completeness(tag)]}
    assert languages() == tuple(tag for tag in catalogues() if share[tag] >= OFFERED_FROM)
    assert {"ar", "en", "ja", "ko", "zh-Hans", "zh-Hant"} <= set(languages())


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


class Broken(Translations):
    """What a translator may get wrong."""

    def gettext(self, message: str) -> str:
        return {"Hi {name}": "Salut {nom}", "Bye": "  ", "{a}": "{a.__class__} {a}"}.get(message, message)


def broken() -> Words:
    english = words("en")
    return Words("fr", Direction.LTR, english._locale, Broken())


def test_a_translation_with_a_wrong_placeholder_is_passed_over() -> None:
    assert broken().gettext("Hi {name}", name="Ada") == "Hi Ada"
    assert broken().gettext("Bye") == "Bye"


def test_placeholders_reach_nothing_but_what_is_given() -> None:
    assert broken().gettext("{a}", a="x") == "{a.__class__} x"
    assert words("en").gettext("{b} {a}", a="{b}", b="{a}") == "{a} {b}"


def test_plurals_dates_and_numbers_are_the_languages_own() -> None:
    english, korean = words("en"), words("ko")
    assert [english.ngettext("{n} vote", "{n} votes", n) for n in (0, 1, 1234)] == [
        "0 votes", "1 vote", "1,234 votes",
    ]  # fmt: skip
    assert korean.ngettext("{n} vote", "{n} votes", 1234) == "추천 1,234"
    assert english.day(date(2026, 4, 29)) == "Wednesday, 29 April 2026"
    assert korean.day(date(2026, 4, 29)) == "2026년 4월 29일 수요일"
    assert english.span(date(2026, 4, 27), date(2026, 5, 3)) == "27 Apr\u2009–\u20093 May 2026"
    assert english.month(date(2026, 4, 29)) == "April 2026"
    assert english.percent(0.54) == "54%"


def test_arabic_has_six_plural_forms_and_is_written_from_the_right() -> None:
    arabic = words("ar")
    assert (arabic.direction, words("ja").direction) == (Direction.RTL, Direction.LTR)
    votes = [arabic.ngettext("{n} vote", "{n} votes", n) for n in (0, 1, 2, 3, 10, 11, 99, 100, 102, 103, 1234)]
    assert votes == [
        "0 صوت", "1 صوت", "صوتان (2)", "3 أصوات", "10 أصوات", "11 صوتًا", "99 صوتًا",
        "100 صوت", "102 صوت", "103 أصوات", "1,234 صوتًا",
    ]  # fmt: skip


@pytest.mark.parametrize("tag", catalogues())
def test_the_plural_forms_of_a_catalogue_are_those_of_its_language(tag: str) -> None:
    form = Locale.parse(tag.replace("-", "_")).plural_form
    used = re.search(r"plural=(.+?);?$", catalogue(tag).plural_forms)
    assert used
    index = c2py(used[1])
    kinds = {(form(n), index(n)) for n in range(1000)}
    assert len(kinds) == len({kind for kind, _ in kinds}) == len({number for _, number in kinds})
    assert {number for _, number in kinds} == set(range(catalogue(tag).num_plurals))


def test_a_moment_is_told_by_the_clock_of_a_zone() -> None:
    moment = datetime(2026, 4, 29, 22, 4, tzinfo=UTC)
    assert words("en").moment(moment) == "29 April, 22:04 UTC"
    assert words("en").time(moment, "Asia/Seoul") == "07:04"
    assert words("ko").moment(moment, "Asia/Seoul") == "4월 30일 07:04"
