"""The style brief: what an edition is about, three papers with half a sentence each, and the others behind them."""

from pathlib import Path

from hypothesis import example, given
from hypothesis import strategies as st

from bot.channel import Message
from bot.delivery.rendering import compose
from bot.model import Edition, Preferences, Source, Style, Text
from bot.render.brief import HALF_SENTENCE, MOST_THEMES, half_sentence, themes
from bot.render.catalogue import languages
from bot.render.edition_page import NO_TEXTS, Texts, edition_page
from bot.render.fit import first_part
from bot.runtime.text import display_width
from channels.outbox.channel import OutboxMessage, make
from tests.support import recorded_days
from tests.support.pages import edition, kit, paper, recorded, settings

LONG = (
    "The framework builds tools for agents that work for days on end in offices, by giving each of them a memory, a "
    "calendar and a colleague, and shows that they forget less."
)
TEN = [paper(n, keywords=("video generation", f"topic number{n}"), sentence=LONG) for n in range(1, 11)]


def brief(of: Edition, language: str = "en", *, papers: int = 0, texts: Texts = NO_TEXTS) -> OutboxMessage:
    made: Message | None = compose(
        of,
        Preferences(language=language, style=Style.BRIEF, papers=papers),
        make(settings(), kit(Path())),
        texts=texts,
    )
    assert isinstance(made, OutboxMessage)
    return made


def test_a_theme_is_shared_and_not_what_every_day_shares() -> None:
    shared = [paper(n, keywords=("World Models", "Large Language Models", f"own thing{n}")) for n in range(1, 4)]
    shared += [paper(n, title="A World Model of Pose Estimation", keywords=("pose estimation",)) for n in (4, 5)]
    assert themes(shared) == ["world models", "pose estimation"]


def test_without_shared_keywords_the_first_papers_own_stand_in() -> None:
    found = themes(
        [paper(1, keywords=("GPT-5", "protein folding")), paper(2, keywords=("Gaussian splatting",)), paper(3)]
    )
    assert found == ["protein folding", "Gaussian splatting"]
    assert themes([paper(1), paper(2)]) == []


def test_without_themes_the_line_says_how_many_papers_there_are() -> None:
    page = edition_page(edition(paper(1), paper(2)), Preferences(style=Style.BRIEF))
    assert page.lead.startswith("2 papers")


def test_a_brief_edition_shows_its_themes_and_three_papers_with_half_a_sentence() -> None:
    text = " ".join(brief(edition(*TEN)).parts()["text"].split())
    assert "These papers look at video generation" in text
    assert [f"Paper number {n}" in text for n in range(1, 6)] == [True, True, True, False, False]
    assert text.count("each of them a memory…") == 3
    assert "colleague" not in text
    assert "+7 more papers" in text


def test_the_themes_are_those_of_the_day_however_few_papers_are_wanted() -> None:
    whole, few = (edition_page(edition(*TEN), Preferences(style=Style.BRIEF, papers=papers)) for papers in (0, 2))
    assert whole.lead == few.lead


def test_the_others_follow_three_at_a_time() -> None:
    page = brief(edition(*TEN)).page
    assert page.paging.next == "date +3 2026-04-29 mine"
    assert brief(edition(*TEN), papers=2).page.paging.next is None


def test_places_with_room_for_all_papers_show_three_too() -> None:
    page = first_part(edition_page(edition(*TEN), Preferences(style=Style.BRIEF, papers=0)))
    assert (len(page.blocks), page.paging.more) == (3, "+7 more papers")
    whole = edition_page(edition(*TEN), Preferences(papers=0))
    assert first_part(whole) is whole


def test_what_a_model_wrote_for_highlights_is_halved_in_the_readers_language() -> None:
    said = (
        "에이전트가 며칠 동안 이어지는 사무 업무를 스스로 해내도록 돕는 도구를 만들고, 기억과 달력과 동료를 함께 주어 "
        "덜 잊는다는 것을 여러 실험으로 확인합니다."
    )
    parts = {"sentence": said, "problem": "", "proposal": "", "result": ""}
    written = Text("2604.00001", "ko", Style.HIGHLIGHTS, parts)
    (block, *_) = brief(edition(*TEN), "ko", texts={"2604.00001": {Style.HIGHLIGHTS: written}}).page.blocks
    assert (block.said.source, block.said.language, block.said.style) == (Source.MODEL, "ko", "brief")
    assert said.startswith(block.said.parts["sentence"].removesuffix("…"))
    assert block.said.parts["sentence"].endswith("만들고…")


@given(st.text(st.sampled_from("ab ,.;é한國،👩🏽‍💻\u0301"), max_size=300) | st.text(max_size=200))
def test_half_a_sentence_is_its_beginning_and_short(sentence: str) -> None:
    half = half_sentence(sentence)
    assert display_width(half) <= HALF_SENTENCE + 1
    if half != sentence:
        assert half.endswith("…")
        assert sentence.startswith(half.removesuffix("…").rstrip())


@given(st.lists(st.lists(st.text(max_size=30) | st.sampled_from([": :", "- a", "a b"]), max_size=4), max_size=4))
@example([[": :"]])
def test_themes_are_found_in_whatever_keywords_there_are(keywords: list[list[str]]) -> None:
    found = themes([paper(number, keywords=tuple(each)) for number, each in enumerate(keywords, start=1)])
    assert len(found) <= MOST_THEMES
    assert all(each.strip() for each in found)


def test_every_recorded_day_has_a_line_in_every_language() -> None:
    for file in recorded_days.days()[::16]:
        day = recorded(file)
        if not day.papers:
            continue
        assert len(themes([ranked.paper for ranked in day.papers])) <= MOST_THEMES
        for language in languages():
            assert brief(day, language).page.lead
