"""An edition on a phone: what is shown and what is folded, in how much room, and what copies, cites and leads back."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channel import Block, Link, Option, utf16_units
from bot.model import Edition, Preferences, Source, Style
from bot.publishing.feed import sample
from bot.render.edition_page import edition_page
from channels import telegram
from channels.telegram.channel import Telegram
from channels.telegram.chats import ChatAddress
from channels.telegram.copied_citation import LONGEST, citation
from channels.telegram.message import TelegramMessage
from tests.support import recorded_days
from tests.support.chat_pictures import PHONE, html_of, message
from tests.support.mail_pictures import CHROMIUM, LANGUAGES, window
from tests.support.pages import edition, kit, page, paper, recorded
from tests.support.telegram_server.rich import read_rich

if TYPE_CHECKING:
    from playwright.sync_api import Page

TALLEST = 1_800
"""Pixels of ten papers in the style headline, their buttons included."""
RESULT = "Experiments on four benchmarks show that it improves accuracy by 12.5% over the best baseline."
ABSTRACT = f"However, tools forget. We propose a memory for agents. It is large. {RESULT}"
HIGHLIGHTS = {"sentence": "A sentence.", "problem": "A problem. " * 20, "proposal": "An idea.", "result": "A result."}


@pytest.fixture
def bot(tmp_path: Path) -> Telegram:
    return telegram.open(telegram.Settings.model_validate({"TELEGRAM_TOKEN": "1:" + "a" * 35}), kit(tmp_path))


def said(bot: Telegram, style: str, parts: Mapping[str, str], *, alone: bool = False) -> str:
    """An edition of one paper with this text, in Telegram's HTML."""
    whole = page(paper(1))
    [block] = whole.blocks
    text = replace(block.said, style=style, parts=dict(parts), source=Source.FEED)
    return bot.compose(replace(whole, blocks=[replace(block, said=text, outcome="")], alone=alone)).text


def folded(text: str) -> str:
    return text.partition("<blockquote expandable>")[2].partition("</blockquote>")[0]


def test_the_title_carries_the_weight_and_votes_and_code_are_said_once(bot: Telegram) -> None:
    text = bot.compose(page(paper(1, code="https://github.com/a/b", project="https://a.example"), paper(2))).text
    assert '1. <a href="https://huggingface.co/papers/2604.00001"><b>Paper number 1</b></a> ▲\u00a099 ·\u00a0' in text
    assert "votes" not in text.replace("Votes as of", "")
    assert text.count("<a href") == 3
    assert '·\u00a0<a href="https://github.com/a/b">Code</a>\nThing 1 is measured. <i>Somewhere</i>\n' in text


def test_sentence_and_result_are_shown_and_the_rest_is_folded(bot: Telegram) -> None:
    text = said(bot, "highlights", HIGHLIGHTS)
    assert "A sentence.\n• A result.\n<blockquote" in text
    assert "A problem." in folded(text)
    assert "An idea." in folded(text)
    assert "<blockquote" not in said(bot, "highlights", HIGHLIGHTS, alone=True)


def test_of_the_authors_own_points_the_proposal_and_the_result_are_shown(bot: Telegram) -> None:
    text = said(bot, "highlights", HIGHLIGHTS | {"sentence": ""})
    assert "• An idea.\n• A result.\n<blockquote" in text
    assert "A problem." in folded(text)


def test_of_points_that_are_long_together_the_proposal_is_shown(bot: Telegram) -> None:
    idea, result = "An idea. " * 25, "A result. " * 30
    text = said(bot, "highlights", HIGHLIGHTS | {"sentence": "", "proposal": idea.strip(), "result": result.strip()})
    assert f"• {idea.strip()}\n<blockquote" in text
    assert "A problem." in folded(text)
    assert "A result." in folded(text)


@pytest.mark.parametrize(("letters", "folds"), [("word ", False), ("말글말글 ", True)])
def test_a_text_is_measured_by_its_width(bot: Telegram, letters: str, folds: bool) -> None:
    text = said(bot, "abstract", {"abstract": letters * 21})
    assert bool(folded(text)) is folds


def test_a_text_of_one_sentence_that_fills_the_screen_is_folded_too(bot: Telegram) -> None:
    long = "word " * 30
    text = bot.compose(
        page(paper(1, sentence=long, abstract="One."), paper(2, sentence=long), paper(3, sentence="word " * 15))
    ).text
    first, second, third = text.split("</b></a>")[1:]
    assert "<blockquote" not in first  # the lead's is whole
    assert folded(second).startswith("word word")
    assert "<blockquote" not in third
    assert folded(said(bot, "headline", {"sentence": "word " * 100}))


def test_the_first_paper_says_what_came_of_it_in_its_authors_words(bot: Telegram) -> None:
    text = bot.compose(page(paper(1, abstract=ABSTRACT), paper(2, abstract=ABSTRACT))).text
    assert folded(text) == f"{RESULT} <i>from the abstract</i>"
    assert text.count(RESULT) == 1


def test_the_foot_says_whose_words_they_are_and_when_votes_were_counted_in_the_readers_zone(bot: Telegram) -> None:
    foot = bot.compose(page(paper(1))).text.rpartition("\n\n")[2].split("\n")
    assert foot[0].startswith("<i>The summaries are Hugging Face’s")
    assert foot[1] == "Votes as of 29 April, 22:04 UTC</i>"
    seoul = edition_page(edition(paper(1)), Preferences(language="ko", timezone="Asia/Seoul"))
    assert bot.compose(seoul).text.endswith("추천 수는 4월 30일 07:04 기준</i>")


# Buttons


def alone(bot: Telegram, language: str = "en") -> TelegramMessage:
    return bot.compose(replace(page(paper(1), language=language), alone=True))


@pytest.mark.parametrize(("language", "sign"), [("en", "◀ Back"), ("ar", "▶ رجوع")])
def test_a_paper_leads_back_to_where_it_was_opened_and_can_be_cited(bot: Telegram, language: str, sign: str) -> None:
    report = Option("Report", "paper 2604.00001 wrong plain")
    rows = alone(bot, language).rows(ChatAddress(1), "papers_bot", back="date 2026-04-29 mine", options=[report])
    back, cite = rows[0]
    assert (back.label, back.callback and back.callback.line) == (sign, "date 2026-04-29 mine")
    assert cite.copies == "Ada et al. (2026). Paper number 1. https://arxiv.org/abs/2604.00001"
    assert [button.label for button in rows[1]] == ["Report"]
    assert len(alone(bot).rows(ChatAddress(1), "papers_bot")[0]) == 1


@given(st.text(max_size=400), st.lists(st.text(max_size=200), max_size=4))
def test_a_citation_can_be_copied_whatever_a_paper_is_called(title: str, names: list[str]) -> None:
    [block] = page(paper(1, title=title, authors=tuple(names))).blocks
    cited = citation(block)
    assert 1 <= utf16_units(cited) <= LONGEST
    assert cited.endswith("https://arxiv.org/abs/2604.00001")
    assert "\n" not in cited


@pytest.mark.parametrize("letter", ["a", "\U0001d400"])
def test_a_citation_has_room_for_a_title_whatever_its_authors_are_called(letter: str) -> None:
    [block] = page(paper(1, title="Measuring " * 40, authors=(letter * 90, letter * 90))).blocks
    assert utf16_units(citation(block)) <= LONGEST
    assert "Measuring… https" in citation(block)


def test_a_long_title_is_cut_at_a_word() -> None:
    block: Block = page(paper(1, title="Measuring " * 40)).blocks[0]
    assert "Measuring… https" in citation(block)


# The rich layout


@pytest.mark.parametrize("language", ["en", "ko", "ar"])
@pytest.mark.parametrize("style", [Style.HEADLINE, Style.HIGHLIGHTS, Style.BRIEF])
def test_the_rich_layout_opens_with_the_first_paper_and_folds_the_others(language: str, style: Style) -> None:
    papers = [paper(n, abstract=ABSTRACT, thumbnail="https://cdn.example/1.png") for n in (1, 2, 3)]
    made = message("telegram", edition(*papers), language, style)
    assert isinstance(made, TelegramMessage)
    rich = made.rich({"picture": "on"})
    read_rich({"html": rich})
    first, *others = rich.split("<details>")
    assert '<img src="https://cdn.example/1.png">' in first
    assert "<h3>" in first
    assert len(others) == 2
    assert all("<summary>" in each and "2604.0000" in each for each in others)
    assert "<footer>" in rich
    assert "<img" not in made.rich({})


def test_the_rich_layout_is_rendered_once_for_all_readers_with_the_same_choice(bot: Telegram) -> None:
    made = bot.compose(page(paper(1, thumbnail="https://cdn.example/1.png")))
    with_picture, without = made.rich({"picture": "on"}), made.rich({})
    assert with_picture != without
    assert made.rich({"picture": "on", "silent": "on"}) is with_picture
    assert made.rich({"picture": "off"}) is without


def test_the_rich_layout_names_missed_editions_and_whose_words_they_are(bot: Telegram) -> None:
    missed = Link("You missed: Monday", "https://huggingface.co/papers/date/2026-04-27")
    made = bot.compose(page(paper(1, sentence=None), actions=[missed]))
    assert "from the abstract" in made.rich({})
    assert '<a href="https://huggingface.co/papers/date/2026-04-27">You missed: Monday</a>' in made.rich({})


# On a phone


@pytest.fixture(scope="module")
def there() -> Iterator[Page]:
    """A window of Chromium; a person's machine may lack it, CI may not."""
    if not Path(CHROMIUM).exists() and not os.environ.get("CI"):
        pytest.skip("Chromium is not installed")
    with window() as opened:
        yield opened


def height(there: Page, of: Edition, language: str) -> int:
    made = message("telegram", of, language, Style.HEADLINE)
    there.set_viewport_size({"width": PHONE[0], "height": 100})
    there.set_content(html_of(made, language, "light"), wait_until="load")
    tall: int = there.evaluate("document.documentElement.scrollHeight")
    return tall


@pytest.mark.slow
def test_ten_papers_take_little_room_on_a_phone(there: Page, long: bool) -> None:
    files = recorded_days.days()
    for file in files if long else files[::24]:
        day = recorded(file)
        if len(day.papers) < 10:
            continue
        for language in LANGUAGES:
            assert height(there, day, language) <= TALLEST, (file.stem, language)


@pytest.mark.slow
def test_the_sample_takes_little_room_too(there: Page) -> None:
    assert height(there, replace(sample.edition(), sample=False), "en") <= TALLEST // 1.5
