"""Recorded days of the feed as editions, with texts in every style and language, for tests of channel limits."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from bot.channel import Channel, Message
from bot.delivery.rendering import compose
from bot.model import ALL_PAPERS, Edition, Preferences, Style, Text
from bot.render.edition_page import Texts
from bot.render.styles import TEXT_FIELDS
from bot.render.words import english_name
from tests.support.authors import SENTENCES
from tests.support.pages import recorded


def days() -> Sequence[Path]:
    """The files of the recorded days; skips the test that asks where there are none."""
    where = os.environ.get("PAPERS_REFERENCE")
    if where is None:
        pytest.skip("PAPERS_REFERENCE names no recorded days")
    return sorted(Path(where, "data", "daily_papers").glob("*.json"))


def texts(edition: Edition, language: str) -> Texts:
    """A text of every style that a model writes, for every paper, some of them long."""
    said = SENTENCES.get(english_name(language), SENTENCES["English"])
    return {
        ranked.paper.id: {
            style: Text(
                ranked.paper.id,
                language,
                style,
                {part.name: " ".join(said[: 1 + (ranked.rank + place) % 7]) for place, part in enumerate(parts)},
            )
            for style, parts in TEXT_FIELDS.items()
        }
        for ranked in edition.papers
    }


def messages(
    channel: Channel, files: Sequence[Path], languages: Sequence[str], styles: Sequence[Style]
) -> Iterator[Message]:
    """What a channel says of each of these days in each of these languages and styles, all papers asked for."""
    for file in files:
        edition = recorded(file)
        for language in languages:
            said = texts(edition, language)
            for style in styles:
                wanted = Preferences(language=language, style=style, papers=ALL_PAPERS)
                message = compose(edition, wanted, channel, texts=said)
                assert message is not None
                yield message
