"""Pages in a real browser: no overflow, accessible, light and dark, without scripts."""

from collections.abc import AsyncIterator
from datetime import date, timedelta
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from bot.channel import Link
from bot.model import Cadence
from bot.web.pages.thumbnails import Thumbnails
from tests.support.browser import MEASURE, SCHEMES, WIDTHS, chromium, page, violations
from tests.support.pages import DAY, HOSTILE, paper
from tests.support.web_program import Served, some

if TYPE_CHECKING:
    from playwright.async_api import Browser

EVERY = tuple(product(("en", "ko", "ar"), WIDTHS, SCHEMES))
SOME = (("en", 1200, "light"), ("ko", 320, "light"), ("ar", 320, "dark"))
PATHS = (
    "",
    "2026-04-29",
    "2026-04-29?style=abstract",
    "2026-W17",
    "archive",
    "papers/2604.00002",
    "search",
    "search?q=thing",
    "privacy",
    "nothing",
)


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    cache = tmp_path / "cache"
    cache.mkdir()
    Image.new("RGB", (320, 170), "grey").save(cache / "2604.00001.small.jpg")
    invited = [Link("Telegram", "https://t.me/papers_bot")]
    async with Served(tmp_path, thumbnails=Thumbnails(cache), invitations=invited) as opened:
        long = paper(2, title="A" * 300, organisation="b" * 200, authors=tuple(f"Author{n}" * 4 for n in range(40)))
        await opened.publish(paper(1, project="https://a.example"), long, paper(3, title=HOSTILE))
        await opened.publish(*some(2, 10), day=DAY - timedelta(days=1))
        await opened.publish(*some(2), day=date(2026, 4, 26), cadence=Cadence.WEEK)
        yield opened


@pytest.fixture
async def browser() -> AsyncIterator["Browser"]:
    async with chromium() as opened:
        yield opened


async def test_no_page_overflows_or_is_inaccessible(served: Served, browser: "Browser", long: bool) -> None:
    looked_at = EVERY if long else SOME
    for language, width, scheme in looked_at:
        async with page(browser, width=width, scheme=scheme, language=language) as shown:
            for path in PATHS:
                await shown.goto(f"{served.url}/{language}/{path}")
                seen = await shown.evaluate(MEASURE)
                where = (language, width, scheme, path)
                assert seen["wide"] <= 0, where
                assert seen["dir"] == ("rtl" if language == "ar" else "ltr"), where
                assert await violations(shown) == [], where


async def test_pages_work_without_scripts(served: Served, browser: "Browser") -> None:
    async with page(browser, scripts=False, language="ko-KR") as shown:
        await shown.goto(served.url)
        assert shown.url.endswith("/ko/")
        await shown.click("text=English")
        assert shown.url.endswith("/en/")
        await shown.click("text=Archive")
        await shown.click('a >> text="Tuesday, 28 April 2026"')
        await shown.click('[rel="next"]')
        assert shown.url.endswith("/en/2026-04-29")
        await shown.click("text=Abstract")
        await shown.click("text=Paper number 1")
        assert shown.url.endswith("/en/papers/2604.00001")
        await shown.click('nav >> text="Search"')
        await shown.fill("[name=q]", "number 2")
        await shown.click("form >> text=Search")
        assert "/en/search?q=number+2" in shown.url


@pytest.mark.parametrize("scripts", [True, False])
async def test_the_browser_contacts_no_other_server_and_stores_nothing(
    served: Served, browser: "Browser", scripts: bool
) -> None:
    async with page(browser, scripts=scripts) as shown:
        asked: list[str] = []
        said: list[str] = []
        shown.on("request", lambda request: asked.append(request.url))
        shown.on("console", lambda message: said.append(message.text))
        await shown.goto(f"{served.url}/en/2026-04-29")
        await shown.wait_for_load_state("networkidle")
        assert f"{served.url}/pictures/2604.00001.jpg" in asked
        assert [url for url in asked if not url.startswith(served.url)] == []
        assert said == []
        assert await shown.context.cookies() == []


async def test_keyboard_users_can_skip_to_the_content(served: Served, browser: "Browser") -> None:
    async with page(browser) as shown:
        await shown.goto(f"{served.url}/en/2026-04-29")
        await shown.keyboard.press("Tab")
        focused = "() => [document.activeElement.className, document.activeElement.getBoundingClientRect().left >= 0]"
        assert await shown.evaluate(focused) == ["skip", True]
        await shown.keyboard.press("Enter")
        assert shown.url.endswith("#main")
