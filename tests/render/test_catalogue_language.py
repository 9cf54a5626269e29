"""A catalogue is written in its language: no English left over, no foreign letters, buttons short enough."""

import re
from collections.abc import Mapping, Sequence

import pytest

from bot.render.catalogue import DEFAULT, catalogues, languages, likely, load
from tests.support.catalogues import FOLDER, catalogue, messages, note_of

DIGESTS = ("site.", "section.")
"""Ids of words that digests print in English in every language; the site layouts repeat them."""
NAMES = {
    "AI", "arXiv", "Cookie", "Daily", "DM", "Face", "HF", "Hugging", "ID", "IP", "Liquid", "MAIL", "Morning", "Papers",
    "Top", "UTC", "Discord", "Telegram", "LLM", "MODEL", "BibTeX", "OPML", "RSS",
}  # fmt: skip
"""Names and abbreviations that every language writes in Latin letters."""
TYPED = {"author", "org", "keyword", "diffusion", "robotics", "time", "topics", "zone", "subscribe", "ping", "CODE"}
"""What is typed as it stands, and examples that must find English papers."""
QUOTED = re.compile(r"https?://\S+|\{\w+\}|[“„「『«‘][^”“」』»’]*[”“」』»’]")
LONGEST_BUTTON = 20
"""Characters of a button that a phone shows in full beside another one."""


def sentences(tag: str) -> Mapping[str, Sequence[str]]:
    found = load(tag)
    assert found is not None
    return {key: forms for key, forms in found.messages.items() if not key.startswith(DIGESTS)}


def latin_words(form: str) -> set[str]:
    return set(re.findall(r"[A-Za-z]{2,}", QUOTED.sub(" ", form)))


@pytest.mark.parametrize("tag", [tag for tag in languages() if likely(tag)[1] != "Latn"])
def test_other_scripts_hold_no_latin_words_but_names_and_what_is_typed(tag: str) -> None:
    found = {key: latin_words("\n".join(forms)) - NAMES - TYPED for key, forms in sentences(tag).items()}
    assert {key: words for key, words in found.items() if words} == {}


@pytest.mark.parametrize("tag", [tag for tag in catalogues() if tag != DEFAULT])
def test_no_sentence_is_left_in_english(tag: str) -> None:
    english = sentences(DEFAULT)
    same = {
        key: form
        for key, forms in sentences(tag).items()
        for form in forms
        if form in english[key] and latin_words(form) - NAMES - TYPED
    }
    assert len(same) <= (0 if likely(tag)[1] != "Latn" else len(english) // 10), same


@pytest.mark.parametrize("tag", languages())
def test_buttons_are_short(tag: str) -> None:
    notes = {key: " ".join(note_of(each)) for key, each in messages(catalogue(FOLDER / "en.po")).items()}
    buttons = [key for key in notes if key.endswith("_button") or notes[key].startswith("A button")]
    assert len(buttons) > 10
    shown = {key: [re.sub(r"\{\w+\}", "", form) for form in sentences(tag)[key]] for key in buttons}
    assert {key: forms for key, forms in shown.items() if any(len(form) > LONGEST_BUTTON for form in forms)} == {}


def test_japanese_writes_no_space_beside_latin_letters_and_digits() -> None:
    spaced = re.compile(r"[ぁ-ヿ一-鿿々。、）」]\x20+[A-Za-z0-9({]|[A-Za-z0-9)}]\x20+[ぁ-ヿ一-鿿々]")
    typed = "subscribe コード"
    found = {key: forms for key, forms in sentences("ja").items() if spaced.search("\n".join(forms).replace(typed, ""))}
    assert found == {}
