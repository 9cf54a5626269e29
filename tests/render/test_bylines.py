"""With every text that a model wrote stand the model and the day: on pages, in exports, in the answer to /paper."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.model import ALL_PAPERS, Found, Preferences, Ranked, Style, Text
from bot.render.catalogue import languages
from bot.render.edition_page import edition_page, list_page
from bot.render.styles import TEXT_FIELDS
from bot.store import Store, paper_queries, text_queries
from bot.store.text_queries import StoredText, TextState
from tests.support.pages import edition, paper
from tests.support.site_channel import opened

MODEL = "Qwen/Qwen3_*<b>14B"
WRITTEN = datetime(2026, 3, 4, 23, 30, tzinfo=UTC)
STYLES = [Style.HIGHLIGHTS, Style.PLAIN, Style.TRANSLATION, Style.REVIEW]


def text(style: Style, model: str = MODEL) -> Text:
    parts = {field.name: f"Part {field.name}." for field in TEXT_FIELDS[style]}
    return Text(paper(1).id, "en", style, parts, model, WRITTEN)


@pytest.mark.parametrize("language", languages())
def test_a_byline_names_model_and_day_in_every_language(language: str) -> None:
    wanted = Preferences(language=language, style=Style.PLAIN)
    page = list_page(
        "H", "", [Ranked(1, paper(1), 1)], wanted, slug="x", texts={paper(1).id: {Style.PLAIN: text(Style.PLAIN)}}
    )
    byline = page.blocks[0].said.byline
    assert MODEL in byline
    assert "4" in byline or "٤" in byline


def test_peoples_words_and_texts_of_unknown_origin_have_none() -> None:
    for texts in ({}, {paper(1).id: {Style.PLAIN: text(Style.PLAIN, "")}}):
        page = list_page("H", "", [Ranked(1, paper(1), 1)], Preferences(style=Style.PLAIN), slug="x", texts=texts)
        assert page.blocks[0].said.byline == ""


@pytest.mark.parametrize("style", STYLES)
def test_an_export_says_it_in_every_layout(style: Style) -> None:
    channel = opened(Path("nowhere"))
    wanted = Preferences(style=style, papers=ALL_PAPERS)
    sheet = channel.compose(edition_page(edition(paper(1)), wanted, texts={paper(1).id: {style: text(style)}}))
    assert "4 Mar 2026" in sheet.markdown.replace("Mar 4, 2026", "4 Mar 2026")
    assert "Qwen/Qwen3" in sheet.markdown
    assert "<b>14B" not in sheet.markdown


async def test_the_store_says_who_wrote_a_text_and_when(store: Store) -> None:
    found = paper(1)
    stored = StoredText(found.id, "en", Style.PLAIN, MODEL, "p", TextState.ACCEPTED, {"idea": "I."}, [], 1, WRITTEN)
    async with store.write() as connection:
        await paper_queries.keep(connection, Found([found], frozenset({found.listed_on})))
        await text_queries.keep(connection, stored)
        texts = await text_queries.of(connection, [found.id], "en")
    assert (texts[found.id][Style.PLAIN].model, texts[found.id][Style.PLAIN].written_at) == (MODEL, WRITTEN)
