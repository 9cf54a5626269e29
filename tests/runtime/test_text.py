"""Text from outside: what is removed, what stays, how wide it is, and where sentences end."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.runtime.text import JOINERS, display_width, one_line, pieces, printable, sentences, visible, without_controls

HIDDEN = "\x00\x1b\x9b\xad\u200b\u2060\u202e\u2066\ue000\ufdd0\ufeff\ufffb\U000e0041\U0010fffd"


def test_invisible_characters_go_and_spelling_stays() -> None:
    assert visible(f"a{HIDDEN}b") == "ab"
    for kept in ("می\u200cخواهم", "👩\u200d🔬", "\u200fنص\u200e", "a\tb\n", "e\u0301"):
        assert visible(kept) == kept
    assert visible("a\ud83db") == "a\ufffdb"
    assert one_line(f" a{HIDDEN}\r\n\u2028 b\u3000") == "a b"


@given(st.text())
def test_cleaning_leaves_nothing_to_clean_and_can_be_encoded(text: str) -> None:
    for clean in (visible, one_line, printable, without_controls):
        assert clean(clean(text)) == clean(text)
    visible(text).encode()
    assert not {unicodedata.category(each) for each in one_line(text)} & {"Cc", "Cs", "Co"}
    assert all(each.isprintable() or each in JOINERS for each in printable(text))
    assert len(printable(text)) == len(text)


@pytest.mark.parametrize(
    ("text", "width"), [("", 0), ("abc", 3), ("논문", 4), ("e\u0301", 1), ("ｶﾅ", 2), ("カナ", 4), ("a中b", 4)]
)
def test_how_many_columns_a_text_takes(text: str, width: int) -> None:
    assert display_width(text) == width


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", []),
        ("One. Two! Three? Four", ["One.", "Two!", "Three?", "Four"]),
        ("We gain 3.5 points, e.g. on Foo et al. sets. So.", ["We gain 3.5 points, e.g. on Foo et al. sets.", "So."]),
        ("一。二！「三。」四", ["一。", "二！", "「三。」", "四"]),
        ("ما هذا؟ هذا نص.", ["ما هذا؟", "هذا نص."]),
        ("यह है। वह है।", ["यह है।", "वह है।"]),
        ("By J. Doe. See https://a.org/x.html now.", ["By J. Doe.", "See https://a.org/x.html now."]),
    ],
)
def test_a_text_in_sentences(text: str, parts: list[str]) -> None:
    assert sentences(text) == parts


def test_a_line_breaks_between_wide_characters_but_not_within_a_number_and_its_unit() -> None:
    assert list(pieces("統計至 4月29日，共19篇。")) == ["統", "計", "至", " ", "4月29日，", "共", "19篇。"]
    assert list(pieces("小さなモデル・スケール")) == ["小", "さ", "な", "モデル・", "スケール"]
    assert list(pieces("4월 29일 기준")) == ["4월", " ", "29일", " ", "기준"]
