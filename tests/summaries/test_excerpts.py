"""Excerpts of a paper: its sections by kind, cut to what a prompt has room for."""

from typing import get_args

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.runtime.text import visible
from bot.summaries.fulltext.library import FullText, Section, excerpt
from bot.summaries.fulltext.sections import MOST_TEXT, Draft, Kind, cut, kind_of, shortened
from tests.support.full_texts import read
from tests.support.paper_server import (
    FILLER,
    section,
)

# Sections and excerpts


@pytest.mark.parametrize(
    ("title", "kind"),
    [
        ("Introduction", "introduction"),
        ("1. Introduction", "introduction"),
        ("IV. Results and Discussion", "results"),
        ("3.2 Experimental Setup", "results"),
        ("A New Method", "method"),
        ("Appendix A Proofs", "appendix"),
        ("Supplementary Material", "appendix"),
        ("Related Work", "related"),
        ("2 Background and Related Work", "related"),
        ("Background Subtraction", "other"),
        ("Comparison with Prior Work", "results"),
        ("References", "references"),
        ("Reference-Free Evaluation", "results"),
        ("Acknowledgements", "acknowledgements"),
        ("Conflicts of Interest", "acknowledgements"),
        ("Resolving Knowledge Conflicts", "other"),
        ("Limitations", "limitations"),
        ("Conclusion and Future Work", "conclusion"),
        ("In-Context Learning", "other"),
        ("", "other"),
    ],
)
def test_what_a_section_is_good_for(title: str, kind: str) -> None:
    assert kind_of(title) == kind


def test_an_endless_list_of_headings_is_bounded() -> None:
    draft = Draft()
    for number in range(5_000):
        draft.heading(2, f"Part {number}")
        draft.text(FILLER * 10)
    sections = draft.sections()
    assert len(sections) <= 500
    assert sum(len(each.text) for each in sections) <= MOST_TEXT


SECTIONS = st.lists(
    st.builds(
        Section,
        st.text(max_size=30),
        st.one_of(st.text(max_size=300), st.lists(st.sampled_from(FILLER.split()), max_size=99).map(" ".join)),
        st.sampled_from(get_args(Kind)),
    ),
    max_size=12,
)


@given(SECTIONS, st.integers(-5, 2_000))
def test_an_excerpt_is_never_longer_than_it_may_be(sections: list[Section], most: int) -> None:
    found = excerpt(FullText("html", sections, ()), most)
    assert len(found) <= max(most, 0)


@given(SECTIONS)
def test_an_excerpt_with_room_is_all_that_may_be_said(sections: list[Section]) -> None:
    found = excerpt(FullText("html", sections, ()), 1_000_000)
    unsaid = {"abstract", "references", "acknowledgements"}
    wanted = [each for each in sections if each.kind not in unsaid and each.text.strip()]
    assert found == "\n\n".join(f"{each.title}\n{each.text}" if each.title else each.text for each in wanted)


@given(st.text(max_size=300), st.integers(-5, 300))
@example("One two. Three four", 10)
@example("We follow Foo et al. in this", 21)
@example("一二三。四五六", 5)
def test_a_cut_ends_at_a_sentence_or_a_word_where_there_is_one(text: str, most: int) -> None:
    found = cut(text, most)
    assert len(found) <= max(most, 0)
    assert text.lstrip().startswith(found.lstrip())
    if found.strip() and len(found) < len(text):
        after = text[len(found) :] if text.startswith(found) else " "
        assert after[0].isspace() or found[-1] in "。！？" or not any(map(str.isspace, text[:most].strip()))


def test_a_cut_prefers_sentences_and_knows_abbreviations() -> None:
    assert cut("One two. Three four five six.", 15) == "One two."
    assert cut("We follow Foo et al. in this and say so.", 25) == "We follow Foo et al. in"
    assert cut("A line\nwithout an end", 12) == "A line"
    assert cut("Unbreakable", 4) == "Unbr"


@given(st.text(max_size=300), st.integers(0, 300))
def test_a_line_is_clean_and_stays_so(text: str, most: int) -> None:
    line = shortened(text, most)
    assert len(line) <= most
    assert "\n" not in line
    assert visible(line) == line
    assert shortened(line, most) == line


def test_what_matters_comes_first_and_in_the_papers_order() -> None:
    text = read(section("Our Method", 2, FILLER * 40), section("Related Work", 3, FILLER * 40))
    short = excerpt(text, 3_000)
    titles = ["1 Introduction", "2 Our Method", "4 Experiments", "5 Conclusion"]
    assert [line for line in short.splitlines() if line in titles] == titles
    assert "Related Work" not in short
    assert "Proofs" not in short
    assert 2_500 < len(short) <= 3_000
    assert all(line in titles or line[-1] in ".a" for line in short.splitlines() if line)
    assert "Related Work" in excerpt(text, 9_000)
