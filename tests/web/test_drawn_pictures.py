"""Pictures of editions on pages: text that stays text, in the page's colours; files with addresses that may be kept."""

from __future__ import annotations

import re
import shutil
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.web.pages.page_cache import FRESH
from tests.support.browser import chromium, page, violations
from tests.support.pages import DAY, paper
from tests.support.web_program import Served

WORDS = ("large language models", "world models", "reinforcement learning", "planning", "<b>bold</b> & co")
RIGHTS = "[...document.querySelectorAll('.drawn > *')].map(each => each.getBoundingClientRect().right <= innerWidth)"
RECENT = [paper(100 + n, keywords=()) for n in range(12)]


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the first test leaves its pictures: what is there already is not drawn again."""
    return tmp_path_factory.mktemp("drawn")


@pytest.fixture
async def served(tmp_path: Path, drawn: Path) -> AsyncIterator[Served]:
    shutil.copytree(drawn, tmp_path / "media")
    async with Served(tmp_path, public="") as opened:
        for n, each in enumerate(RECENT, start=1):
            await opened.publish(each, day=DAY - timedelta(days=n))
        made = await opened.publish(
            *(paper(n, keywords=(*WORDS, f"topic {n}x", f"theme {n}x"), thumbnail=None) for n in range(1, 5))
        )
        await opened.illustrate(made, "en", "ar")
        shutil.copytree(tmp_path / "media", drawn, dirs_exist_ok=True)
        yield opened


async def test_an_edition_shows_its_cloud_its_trend_and_a_link_to_its_poster(served: Served) -> None:
    shown = (await served.get("/en/2026-04-29")).text
    assert shown.count("<svg") == 2
    assert ">reinforcement learning</text>" in shown
    assert "&lt;b&gt;bold&lt;/b&gt; &amp; co</text>" in shown
    assert 'aria-label="Keyword cloud: ' in shown
    assert 'aria-label="Papers a day"' in shown
    assert "style=" not in re.sub(r"\?style=", "", shown)
    (address,) = re.findall(r'href="(/media/2026-04-29/en/poster\.png\?v=[0-9a-f]+)"', shown)
    picture = await served.get(address)
    assert (picture.status, picture.headers["Content-Type"]) == (200, "image/png")
    assert "31536000" in picture.headers["Cache-Control"]
    again = await served.get(address, If_None_Match=picture.headers["ETag"])
    assert again.status == 304
    plain = await served.get("/media/2026-04-29/en/trend-dark.png")
    assert plain.status == 200
    assert "max-age=60" in plain.headers["Cache-Control"]


async def test_no_cache_hides_a_picture_that_is_drawn_again(served: Served) -> None:
    first = await served.get("/en/2026-04-29")
    old = await served.get("/media/2026-04-29/en/poster.png")
    served.media.put("2026-04-29", "en", "poster.png", b"drawn again", made_from="0a1b2c", now=served.now)
    served.now += 2 * FRESH
    new = await served.get("/en/2026-04-29", If_Modified_Since=first.headers["Last-Modified"])
    assert new.status == 200
    assert "poster.png?v=0a1b2c" in new.text
    again = await served.get("/media/2026-04-29/en/poster.png", If_None_Match=old.headers["ETag"])
    assert (again.status, again.body) == (200, b"drawn again")
    tags = f'"other", W/{again.headers["ETag"]}'
    assert (await served.get("/media/2026-04-29/en/poster.png", If_None_Match=tags)).status == 304


async def test_links_to_it_show_its_card(served: Served) -> None:
    shown = (await served.get("/ar/2026-04-29")).text
    assert re.search(r'og:image" content="http://[^"]+/media/2026-04-29/ar/card\.png\?v=[0-9a-f]+"', shown)
    assert 'direction="rtl"' in shown
    about = (await served.get("/ar/papers/2604.00002")).text
    assert re.search(r'og:image" content="http://[^"]+/media/2604\.00002/ar/card\.png\?v=[0-9a-f]+"', about)


async def test_a_page_without_pictures_has_none(served: Served) -> None:
    assert "<svg" not in (await served.get("/ko/2026-04-29")).text


async def test_no_other_file_can_be_fetched(served: Served) -> None:
    for path in (
        "/media/2026-04-29/en/keywords.json",
        "/media/2026-04-29/ko/trend.png",
        "/media/2026-04-29/en/..%2f..%2f..%2fsubscribers.db",
        "/media/..%2f/en/trend.png",
        "/media/2026-04-29/en/episode-headline.mp3",
    ):
        assert (await served.get(path)).status == 404, path


async def test_the_front_page_shows_those_of_the_latest_edition(served: Served) -> None:
    assert (await served.get("/en/")).text.count("<svg") == 2


async def test_damaged_data_of_a_picture_costs_the_picture(served: Served) -> None:
    found = served.media.find("2026-04-29", "en", "keywords.json")
    assert found is not None
    found.path.write_text('{"width": 1}', encoding="utf-8")
    assert (await served.get("/en/2026-04-29")).text.count("<svg") == 1


@pytest.mark.slow
async def test_they_fit_and_are_accessible(served: Served) -> None:
    async with chromium() as browser:
        for language in ("en", "ar"):
            async with page(browser, width=320, scheme="dark") as tab:
                await tab.goto(f"{served.url}/{language}/2026-04-29")
                rights = await tab.evaluate(RIGHTS)
                assert rights == [True] * 3
                assert await violations(tab) == []
                ink = await tab.evaluate("getComputedStyle(document.querySelector('.drawn text.tone-ink')).fill")
                assert ink == "rgb(233, 229, 220)"
