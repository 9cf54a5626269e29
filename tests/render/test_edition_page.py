"""Pages of editions: the right papers, in the reader's language, with outside text cleaned."""

from dataclasses import replace
from datetime import date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channel import Page
from bot.model import Cadence, Paper, Preferences, Source, Style
from bot.publishing.feed import sample
from bot.render.attribution import say
from bot.render.edition_page import edition_page, filled, today_page
from bot.runtime.text import first_sentence, sentence_ends
from tests.support.pages import CLOSED, DAY, changed, edition, page, paper

TEN = [paper(number) for number in range(1, 11)]


def titles(page: Page) -> list[str]:
    return [block.title for block in page.blocks]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("One. Two.", "One."),
        ("We gain 3.5 points. Good.", "We gain 3.5 points."),
        ("Work by Doe et al. is used. Next.", "Work by Doe et al. is used."),
        ("Models, e.g. GPT, fail. Next.", "Models, e.g. GPT, fail."),
        ("Models (i.e. LLMs) fail. Next.", "Models (i.e. LLMs) fail."),
        ("See https://a.example/b.c?d. Then more.", "See https://a.example/b.c?d."),
        ("Is it so? Yes.", "Is it so?"),
        ('They call it "big." It is.', 'They call it "big."'),
        ("By J. Doe in Fig. 3 we see. Next.", "By J. Doe in Fig. 3 we see."),
        ("We use the U.S. census. Next.", "We use the U.S. census."),
        ("Speed-ups of 2x vs. the rest. Next.", "Speed-ups of 2x vs. the rest."),
        ("hard\nwrapped\n  text. Next.", "hard wrapped text."),
        ("它很好。下一句。", "它很好。"),
        ("no end at all", "no end at all"),
        ("", ""),
        ("  \n ", ""),
        ("...", "..."),
    ],
)  # fmt: skip
def test_a_sentence_ends_where_a_reader_sees_it_end(text: str, first: str) -> None:
    assert first_sentence(text) == first


@given(st.text())
def test_splitting_never_fails_and_ends_inside_the_text(text: str) -> None:
    assert all(0 < end < len(text) for end in sentence_ends(text))
    assert " ".join(text.split()).startswith(first_sentence(text))


def test_a_headline_is_the_feeds_sentence_else_the_abstracts_first() -> None:
    fed, bare = say(paper(), Style.HEADLINE), say(paper(sentence=None), Style.HEADLINE)
    assert (fed.source, fed.parts["sentence"]) == (Source.FEED, "Thing 1 is measured.")
    assert (bare.source, bare.parts["sentence"]) == (Source.AUTHORS, "We measure thing 1.")


def test_remnants_of_latex_are_shown_as_text() -> None:
    said = paper(
        1, title="VA-$\\pi$", abstract="It is 2times faster. It is small.", sentence="A 1.2times-2.4times speedup."
    )
    [shown] = page(said).blocks
    assert (shown.title, shown.abstract) == ("VA-π", "It is 2× faster. It is small.")
    assert "1.2×-2.4×" in shown.said.parts["sentence"]
    assert shown.paper.title == "VA-$\\pi$"


def test_an_abstract_is_the_authors_whole_text() -> None:
    said = say(paper(), Style.ABSTRACT)
    assert (said.source, said.parts["abstract"]) == (Source.AUTHORS, paper().abstract)


@pytest.mark.parametrize(
    ("wanted", "shown", "lead"),
    [
        (Preferences(papers=0), 10, "10 papers"),
        (Preferences(papers=3), 3, "Top 3 of 10 papers"),
        (Preferences(papers=50), 10, "10 papers"),
        (Preferences(papers=0, min_votes=95), 5, "Top 5 of 10 papers"),
        (Preferences(papers=0, min_votes=1000), 0, "None of the 10 papers reached 1,000 votes"),
    ],
)
def test_a_reader_gets_the_papers_that_were_asked_for(wanted: Preferences, shown: int, lead: str) -> None:
    made = edition_page(edition(*TEN), wanted)
    assert titles(made) == [paper.title for paper in TEN[:shown]]
    assert [block.rank for block in made.blocks] == list(range(1, shown + 1))
    assert made.lead == lead
    assert made.footer[-1].endswith("(https://huggingface.co/papers) · votes as of 29 April, 22:04 UTC")


def test_papers_of_a_topic_are_not_called_the_top() -> None:
    made = edition_page(edition(*TEN[:-1], replace(TEN[-1], keywords=("robots",))), Preferences(topics=("robots",)))
    assert made.lead == "1 of 10 papers"


def test_papers_without_votes_pass_the_filter_of_votes() -> None:
    made = edition_page(edition(paper(votes=None)), Preferences(min_votes=50))
    assert made.blocks[0].votes is None
    assert made.lead == "1 paper"
    assert made.footer[1].startswith("Papers appear in the order of this newsletter’s feed")


def test_a_page_is_in_the_readers_language() -> None:
    made = page(paper(comments=2, code="https://github.com/a/b", project="https://a.example"), language="ko-KR")
    block = made.blocks[0]
    assert made.language == "ko"
    assert made.heading == "일간 AI 논문 · 2026년 4월 29일 수요일"
    assert block.votes == "추천 99"
    assert [(link.label, link.url) for link in block.links] == [
        ("arXiv", "https://arxiv.org/abs/2604.00001"),
        ("PDF", "https://arxiv.org/pdf/2604.00001"),
        ("코드", "https://github.com/a/b"),
        ("프로젝트", "https://a.example"),
        ("토론 (2)", "https://huggingface.co/papers/2604.00001"),
        ("alphaXiv", "https://www.alphaxiv.org/ko/overview/2604.00001"),
    ]


def test_authors_are_named_and_the_rest_counted() -> None:
    def named(*names: str) -> str | None:
        return page(paper(authors=names)).blocks[0].authors

    assert named() is None
    assert named("Ada") == "Ada"
    assert named("Ada", " ", "Bo", "Chi") == "Ada, Bo, Chi"
    assert named(*(f"A{n}" for n in range(1500))) == "A0, A1, A2 +1,497"


def test_a_link_that_does_not_lead_to_the_web_is_left_out() -> None:
    for url in ("javascript:alert(1)", "ftp://a.example", "//a.example", "https://", "http://[", "https://a b", ""):
        links = page(paper(project=url, code=url)).blocks[0].links
        assert [link.label for link in links] == ["arXiv", "PDF", "Discussion", "alphaXiv"]


def test_outside_text_loses_control_characters_and_direction_overrides() -> None:
    evil = "a\x1b[31mb\u202ec\u2066d\x00e\ud800f\n g\u200dh"
    block = page(paper(title=evil, sentence=evil, organisation=evil, authors=(evil,))).blocks[0]
    clean = "a[31mbcde\ufffdf g\u200dh"
    assert {block.title, block.said.parts["sentence"], block.organisation, block.authors} == {clean}


def test_a_paper_without_words_is_still_named() -> None:
    block = page(paper(title="", abstract="", sentence=None, organisation=" ", authors=())).blocks[0]
    assert (block.title, block.organisation, block.authors) == ("2604.00001", None, None)


def test_a_source_is_marked_where_the_footer_does_not_name_it() -> None:
    headlines, abstracts = page(*TEN), page(*TEN, style=Style.ABSTRACT)
    assert headlines.labels["said_by_feed"] == abstracts.labels["said_by_authors"] == ""
    assert headlines.labels["said_by_authors"].casefold() in headlines.footer[0].casefold()


def test_an_edition_closed_without_the_feed_says_so() -> None:
    assert edition_page(edition(paper()), Preferences()).notes == []
    (note,) = edition_page(edition(paper(), complete=False), Preferences()).notes
    assert "may be missing" in note


def test_the_sample_says_that_it_is_one() -> None:
    made = edition_page(sample.edition(), Preferences())
    assert "sample" in made.notes[0]
    assert "sample" in made.footer[0]
    assert made.about.slug == "sample"
    assert made.lead == "5 papers"
    assert [block.votes_count for block in made.blocks] == [56, 35, 32, 22, 22]


@pytest.mark.parametrize(
    ("cadence", "heading", "slug"),
    [
        (Cadence.DAY, "Daily papers · Sunday, 3 May 2026", "2026-05-03"),
        (Cadence.WEEK, "Weekly papers · 27 Apr\u2009–\u20093 May 2026", "2026-W18"),
        (Cadence.MONTH, "Monthly papers · May 2026", "2026-05"),
    ],
)
def test_every_cadence_names_its_period(cadence: Cadence, heading: str, slug: str) -> None:
    made = edition_page(replace(edition(paper()), cadence=cadence, day=date(2026, 5, 3)), Preferences())
    assert (made.heading, made.about.slug) == (heading, slug)


def test_zones_differ_in_the_hour_of_the_count_alone() -> None:
    seoul, tokyo, utc = (
        edition_page(edition(*TEN), Preferences(timezone=zone, hour=600))
        for zone in ("Asia/Seoul", "Asia/Tokyo", "UTC")
    )
    assert seoul.footer[-1].endswith("votes as of 30 April, 07:04")
    assert tokyo == seoul, "readers with the same clock share a rendering"
    assert changed(seoul, footer=utc.footer, counted_at=utc.about.counted_at) == utc


def test_todays_list_says_how_complete_it_is() -> None:
    made = today_page(reversed(TEN), DAY, Preferences(papers=0), now=CLOSED.replace(hour=4, minute=0))
    assert titles(made) == [paper.title for paper in TEN]
    assert made.heading.startswith("Papers so far")
    assert "54%" in made.notes[0]
    assert "04:00 UTC" in made.notes[0]


def test_a_finished_day_needs_no_such_note() -> None:
    made = today_page(TEN, DAY, Preferences(), now=CLOSED + timedelta(hours=2))
    assert made.notes == []
    assert made.heading.startswith("Daily papers")


def test_a_day_fills_steadily() -> None:
    midnight = datetime(2026, 4, 29, 9, tzinfo=timezone(timedelta(hours=9)))
    shares = [filled(DAY, midnight + timedelta(minutes=10 * n)) for n in range(-6, 150)]
    assert shares == sorted(shares)
    assert (shares[0], filled(DAY, midnight + timedelta(hours=16)), shares[-1]) == (0, 0.9, 1)


@given(st.builds(paper, title=st.text(), abstract=st.text(), sentence=st.none() | st.text()))
def test_any_paper_makes_a_page(wild: Paper) -> None:
    for style in Style:
        made = page(wild, style=style)
        assert made.blocks[0].title
