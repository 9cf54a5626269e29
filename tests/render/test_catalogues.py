"""Catalogues are tested as code: ids, placeholders, plural rules, completeness, fallback, and translators' tools."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from gettext import c2py
from pathlib import Path

import polib
import pytest
from babel import Locale

from bot.render import catalogue as catalogue_module
from bot.render.catalogue import CORE, Completeness, catalogues, chain, completeness, languages, placeholders
from bot.render.words import words
from tests.support.catalogues import (
    FOLDER,
    TEMPLATE,
    catalogue,
    forms_of,
    messages,
    note_of,
    references,
    template,
    updated,
)

OURS = ("en", "ar", "ja", "ko", "zh-Hans", "zh-Hant")
"""Languages that are kept complete; others may be partial."""
FILES = sorted(FOLDER.glob("*.po"))
PLURAL_SAMPLE = range(1000)


def ids(path: Path) -> str:
    return path.stem


def test_english_has_exactly_the_ids_that_code_and_templates_ask_for() -> None:
    assert set(messages(catalogue(FOLDER / "en.po"))) == set(references())


def test_every_id_names_its_area_and_its_sentence() -> None:
    assert [key for key in references() if not re.fullmatch(r"[a-z_]+\.[a-z0-9_]+", key)] == []
    assert {key.partition(".")[0] for key in references()} >= set(CORE)


def test_translators_are_told_where_every_sentence_stands() -> None:
    assert [key for key, each in messages(catalogue(FOLDER / "en.po")).items() if not note_of(each)] == []


@pytest.mark.parametrize("path", FILES, ids=ids)
def test_a_catalogue_is_as_the_tool_writes_it(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == updated(path), "run python -m tests.support.catalogues"


def test_the_template_is_as_the_tool_writes_it() -> None:
    assert TEMPLATE.read_text(encoding="utf-8") == template(), "run python -m tests.support.catalogues"


@pytest.mark.skipif(shutil.which("msgmerge") is None, reason="msgmerge is not installed")
@pytest.mark.parametrize("path", FILES, ids=ids)
def test_msgmerge_changes_nothing(path: Path, tmp_path: Path) -> None:
    options = ["--no-wrap", "--no-fuzzy-matching", "--add-location=file", "--quiet"]
    subprocess.run(["msgmerge", *options, str(path), str(TEMPLATE), "-o", str(tmp_path / path.name)], check=True)
    assert (tmp_path / path.name).read_text(encoding="utf-8") == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", FILES, ids=ids)
def test_polib_reads_and_writes_the_same_entries(path: Path) -> None:
    read = polib.pofile(str(path), wrapwidth=0)
    assert polib.pofile(str(read), wrapwidth=0) == read
    assert {entry.msgid for entry in read} == set(messages(catalogue(path)))


@pytest.mark.parametrize("path", FILES, ids=ids)
def test_translations_fill_the_placeholders_of_the_english(path: Path) -> None:
    english = messages(catalogue(FOLDER / "en.po"))
    read = catalogue(path)
    single = _forms_of_one_number(path.stem)
    for key, message in messages(read).items():
        if not message.string or not any(forms_of(message)):
            continue
        wanted = placeholders(forms_of(english[key])[-1])
        forms = forms_of(message)
        plural = isinstance(english[key].id, list | tuple)
        assert len(forms) == (read.num_plurals if plural else 1), key
        for number, form in enumerate(forms):
            assert form.strip() or not forms_of(english[key])[0].strip(), key
            may_lack = {"n"} if plural and number in single else set()
            assert wanted - may_lack <= placeholders(form) <= wanted, (key, form)


def _forms_of_one_number(tag: str) -> set[int]:
    """The plural forms that stand for a single number, which may say it in words."""
    rule = _rule(tag)
    numbers: dict[int, list[int]] = {}
    for n in PLURAL_SAMPLE:
        numbers.setdefault(rule(n), []).append(n)
    return {form for form, found in numbers.items() if len(found) == 1}


def _rule(tag: str) -> Callable[[int], int]:
    found = re.search(r"plural=(.+?);?$", catalogue(FOLDER / f"{tag}.po").plural_forms)
    assert found
    return c2py(found[1])


@pytest.mark.parametrize("path", FILES, ids=ids)
def test_plural_rules_are_those_of_the_language(path: Path) -> None:
    form, index = Locale.parse(path.stem.replace("-", "_")).plural_form, _rule(path.stem)
    kinds = {(form(n), index(n)) for n in PLURAL_SAMPLE}
    assert len(kinds) == len({kind for kind, _ in kinds}) == len({number for _, number in kinds})
    assert {number for _, number in kinds} == set(range(catalogue(path).num_plurals))


@pytest.mark.parametrize("tag", OURS)
def test_our_languages_are_complete_and_offered(tag: str) -> None:
    found = completeness(tag)
    assert (found.translated, found.core_missing) == (found.total, [])
    assert tag in languages()


def test_a_language_is_offered_from_nine_tenths_on_and_only_with_its_core() -> None:
    assert Completeness(90, 100, []).offered
    assert not Completeness(89, 100, []).offered
    assert not Completeness(99, 100, ["consent.confirm_button"]).offered


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the catalogues that a test may spoil, read in place of ours."""
    copy = tmp_path / "templates"
    shutil.copytree(FOLDER, copy / "locale")
    monkeypatch.setattr(catalogue_module, "folder", lambda: copy)
    caches = (catalogues, chain, completeness, catalogue_module._translated_ids, catalogue_module.load, languages)
    for each in caches:
        each.cache_clear()
    yield copy / "locale"
    for each in caches:
        each.cache_clear()


HEADER = r"""msgid ""
msgstr ""
"Language: {tag}\n"
"Content-Type: text/plain; charset=UTF-8\n"
"Plural-Forms: {plural}\n"
"""


def test_a_partial_language_is_not_offered_and_falls_back_with_the_plural_rule_of_the_fallback(elsewhere: Path) -> None:
    french = HEADER.format(tag="fr", plural="nplurals=2; plural=(n > 1);")
    french += '\nmsgid "edition.daily"\nmsgstr "Articles du jour"\n'
    (elsewhere / "fr.po").write_text(french, encoding="utf-8")
    assert "fr" in catalogues()
    assert "fr" not in languages()
    w = words("fr")
    assert w.gettext("edition.daily") == "Articles du jour"
    assert w.gettext("edition.weekly") == words("en").gettext("edition.weekly")
    assert w.ngettext("paper.votes", 0) == words("en").ngettext("paper.votes", 0)


def test_traditional_chinese_falls_back_to_simplified_and_then_to_english(elsewhere: Path) -> None:
    file = elsewhere / "zh-Hant.po"
    text = file.read_text(encoding="utf-8")
    file.write_text(re.sub(r'(msgid "edition\.daily"\nmsgstr ").*"', r'\1"', text), encoding="utf-8")
    assert [each.tag for each in chain("zh-Hant")] == ["zh-Hant", "zh-Hans", "en"]
    assert [each.tag for each in chain("zh-Hans")] == ["zh-Hans", "en"]
    assert words("zh-Hant").gettext("edition.daily") == words("zh-Hans").gettext("edition.daily")


def test_a_translation_with_a_placeholder_that_nobody_fills_is_passed_over(elsewhere: Path) -> None:
    text = (elsewhere / "ko.po").read_text(encoding="utf-8")
    (elsewhere / "ko.po").write_text(text.replace("{zone}", "{zona}"), encoding="utf-8")
    english = words("en").gettext("settings.zone_now", zone="Asia/Seoul", time="08:00")
    assert words("ko").gettext("settings.zone_now", zone="Asia/Seoul", time="08:00") == english


def test_placeholders_reach_nothing_but_what_is_given(elsewhere: Path) -> None:
    text = (elsewhere / "ko.po").read_text(encoding="utf-8")
    hostile = text.replace("{zone}", "{zone}{zone.__class__}")
    (elsewhere / "ko.po").write_text(hostile, encoding="utf-8")
    assert "{zone.__class__}" in words("ko").gettext("settings.zone_now", zone="{time}", time="08:00")
    assert "{time}" in words("en").gettext("settings.zone_now", zone="{time}", time="08:00")


def test_a_catalogue_that_cannot_be_read_costs_its_own_language_alone(elsewhere: Path) -> None:
    (elsewhere / "ko.po").write_text('msgid "edition.daily\n', encoding="utf-8")
    (elsewhere / "xx-not-a-language.po").write_text('msgid ""\nmsgstr ""\n', encoding="utf-8")
    assert words("ko").gettext("edition.daily") == words("en").gettext("edition.daily")
    assert words("ja").gettext("edition.daily")


def test_an_unknown_id_is_never_shown(caplog: pytest.LogCaptureFixture) -> None:
    assert words("ko").gettext("no.such_sentence") == ""
    assert "no.such_sentence" in str(caplog.records[-1].__dict__)
