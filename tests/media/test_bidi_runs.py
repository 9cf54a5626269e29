"""Runs of one direction stand as the Unicode bidirectional algorithm puts them."""

import pytest
from bidi.algorithm import get_display
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.media.bidi_runs import visual_runs


def shown(text: str, *, rtl: bool) -> str:
    return "".join(run[::-1] if is_rtl else run for run, is_rtl in visual_runs(text, rtl=rtl))


def test_latin_words_and_numbers_keep_their_direction_in_arabic() -> None:
    runs = visual_runs("نماذج LLM-7B عام 2026", rtl=True)
    assert [run.strip() for run, _ in runs] == ["2026", "عام", "LLM-7B", "نماذج"]


def test_isolates_are_not_shown() -> None:
    assert visual_runs("\u2068GPT-4\u2069", rtl=False) == [("GPT-4", False)]
    assert visual_runs("", rtl=True) == []


@settings(max_examples=150)
@given(st.text("ab אב نم 12٣.-+%/:,€", max_size=14), st.booleans())
def test_lines_are_ordered_as_the_algorithm_orders_them(text: str, rtl: bool) -> None:
    assert shown(text, rtl=rtl) == get_display(text, base_dir="R" if rtl else "L")


def test_brackets_stay_with_what_they_hold() -> None:
    """Rule N0, which the library that the property compares with leaves out."""
    runs = visual_runs("الأبحاث: Daily Papers (huggingface.co).", rtl=True)
    assert [run.strip() for run, _ in runs] == [".", "Daily Papers (huggingface.co)", "الأبحاث:"]
    assert visual_runs("نص (RL) نص", rtl=True) == [(") نص", True), ("RL", False), ("نص (", True)]
    assert [run for run, _ in visual_runs("a (أب) c", rtl=False)] == ["a (", "أب", ") c"]


@pytest.mark.parametrize("rtl", [False, True])
def test_nothing_is_lost(rtl: bool) -> None:
    text = "Agent-World: نموذج (v2.1) für 한국어 — 12 % π₀"
    assert sorted("".join(run for run, _ in visual_runs(text, rtl=rtl))) == sorted(text)
