"""Editions of weeks and months have their cloud as their picture on Telegram and Discord, where it can be fetched."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bot.channel import Kit, Page, cloud_url
from bot.model import ON, Cadence, Preferences
from bot.render.edition_page import edition_page
from bot.signing import SignedLinks
from channels import telegram
from channels.discord.message import Composer
from channels.discord.wording import Words
from channels.telegram.channel import Telegram
from channels.telegram.message import PICTURE
from tests.support.pages import edition, kit, paper

PUBLIC = "https://papers.example.org"
CLOUD = f"{PUBLIC}/media/2026-W18/en/keywords.png?v=0a1b2c"
SECRET = "0" * 40


@pytest.fixture
def lent(tmp_path: Path) -> Kit:
    def media(slug: str, language: str, name: str) -> Path | None:
        return (
            tmp_path / "keywords.0a1b2c.png" if (slug, language, name) == ("2026-W18", "en", "keywords.png") else None
        )

    return replace(kit(tmp_path), media=media, links=SignedLinks([SECRET], PUBLIC))


def week(language: str = "en", cadence: Cadence = Cadence.WEEK) -> Page:
    made = replace(edition(paper(1), paper(2)), cadence=cadence)
    return edition_page(made, Preferences(language=language))


def test_it_is_there_for_weeks_whose_cloud_was_drawn(lent: Kit) -> None:
    assert cloud_url(week(), lent) == CLOUD
    assert cloud_url(week("ko"), lent) == ""
    assert cloud_url(week(cadence=Cadence.DAY), lent) == ""
    assert cloud_url(week(), replace(lent, links=SignedLinks([SECRET], "http://papers.example.org"))) == ""
    assert cloud_url(week(), replace(lent, links=SignedLinks([SECRET], None))) == ""


def test_telegram_shows_it_to_who_wants_pictures(lent: Kit) -> None:
    bot = telegram.open(telegram.Settings.model_validate({}), lent)
    assert isinstance(bot, Telegram)
    message = bot.compose(week())
    assert message.preview({PICTURE.name: ON}).url == CLOUD
    assert message.preview({}).is_disabled
    assert bot.compose(week(cadence=Cadence.DAY)).preview({PICTURE.name: ON}).url != CLOUD


def test_discord_shows_it_in_the_first_papers_place(lent: Kit) -> None:
    composer = Composer(lent, Words(lent))
    message = composer.compose(week())
    assert message.container is not None
    assert message.container.picture == CLOUD
    assert message.embeds[0]["image"] == {"url": CLOUD}
    day = composer.compose(week(cadence=Cadence.DAY))
    assert day.container is not None
    assert day.container.picture != CLOUD
