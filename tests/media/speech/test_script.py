"""The spoken text of an edition: what is in it, in which language, and where its chapters begin."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from bot.media.speech.script import MOST_PAPERS, Script, script
from bot.model import Cadence, Style, Text
from bot.render.catalogue import languages
from bot.render.words import words
from tests.support.pages import DAY, HOSTILE, edition, paper

FIRST = paper(1, title="DeepSeek-R1 at 97.3%", sentence="It is 3.2× faster.")


def said(of: Script) -> str:
    return " ".join(each.text for chapter in of.chapters for each in chapter.utterances)


def translated(**parts: str) -> dict[str, dict[Style, Text]]:
    style = Style.TRANSLATION
    return {FIRST.id: {style: Text(FIRST.id, "ko", style, parts, "m", datetime(2026, 4, 29, tzinfo=UTC))}}


def test_it_greets_counts_tells_and_takes_its_leave() -> None:
    found = script(edition(FIRST, paper(2)), "en", Style.HEADLINE)
    assert [each.title for each in found.chapters] == [
        "Opening",
        "1. DeepSeek-R1 at 97.3%",
        "2. Paper number 2",
        "Closing",
    ]
    assert [chapter.utterances[0].text for chapter in found.chapters] == [
        "Welcome to Morning Papers, with the AI papers of Wednesday, 29 April 2026. 2 papers.",
        "Number 1. Deep Seek R1 at 97.3 percent. It is 3.2 times faster.",
        "Number 2. Paper number 2. Thing 2 is measured.",
        "The summaries come with the feed. That is all for this edition. Thank you for listening.",
    ]
    assert found.characters == sum(len(each.text) for chapter in found.chapters for each in chapter.utterances)


@pytest.mark.parametrize("language", languages())
def test_every_language_speaks_for_itself_and_leaves_english_to_an_english_voice(language: str) -> None:
    found = script(edition(FIRST, paper(2)), language, Style.HEADLINE)
    w = words(language)
    assert w.gettext("newsletter.name").split()[0] in said(found)
    spoken = {each.language for each in found.chapters[1].utterances}
    assert spoken == ({language} if language == "en" else {language, "en"})
    assert found.languages == spoken
    assert not any("\u2068" in each.text for chapter in found.chapters for each in chapter.utterances)


def test_a_translation_is_spoken_in_its_own_language() -> None:
    texts = translated(title="7B 모델", abstract="3.2배 빠르다.")
    found = script(edition(FIRST), "ko", Style.TRANSLATION, texts)
    paper_chapter = found.chapters[1]
    assert [each.language for each in paper_chapter.utterances] == ["ko"]
    assert paper_chapter.utterances[0].text == "1위. 70억 모델. 3.2배 빠르다."
    assert paper_chapter.title == "1. 7B 모델"


def test_only_the_first_papers_are_read_aloud() -> None:
    found = script(edition(*map(paper, range(1, 31))), "en", Style.HEADLINE)
    assert len(found.chapters) == MOST_PAPERS + 2
    assert "Top 10 of 30 papers." in said(found)


def test_weeks_months_and_incomplete_editions_say_so() -> None:
    week = edition(FIRST, cadence=Cadence.WEEK, day=date(2026, 5, 3))
    assert "from Monday, 27 April 2026 to Sunday, 3 May 2026" in said(script(week, "en", Style.HEADLINE))
    month = edition(FIRST, cadence=Cadence.MONTH, day=date(2026, 4, 30))
    assert "the AI papers of April 2026" in said(script(month, "en", Style.HEADLINE))
    whole = script(edition(FIRST), "en", Style.HEADLINE)
    assert script(replace(edition(FIRST), complete=False), "en", Style.HEADLINE).digest != whole.digest


def test_hostile_papers_and_papers_without_words_do_no_harm() -> None:
    found = script(
        edition(paper(1, title=HOSTILE, sentence=HOSTILE), paper(2, title="🎉", sentence="…")), "ar", Style.PLAIN
    )
    assert len(found.chapters) == 4
    assert not any(c in said(found) for c in "<>{}\\")


def test_it_says_who_wrote_it() -> None:
    by_authors = script(edition(FIRST), "en", Style.ABSTRACT)
    assert "authors own" in said(by_authors)
    by_model = script(edition(FIRST), "ko", Style.TRANSLATION, translated(title="가", abstract="나다."))
    assert "언어 모델" in said(by_model)


def test_a_digest_is_the_same_for_the_same_words() -> None:
    assert script(edition(FIRST), "ko", Style.HEADLINE).digest == script(edition(FIRST), "ko", Style.HEADLINE).digest
    assert (
        script(edition(FIRST, day=DAY), "ko", Style.HEADLINE).digest
        != script(edition(FIRST), "en", Style.HEADLINE).digest
    )
