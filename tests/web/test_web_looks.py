"""Pages in a real browser: no overflow, accessible, light and dark, without scripts."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, timedelta
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from bot.channel import Link
from bot.model import Cadence
from bot.summaries.fulltext.figures import Size
from bot.web.pages.thumbnails import Thumbnails
from tests.support.browser import MEASURE, SCHEMES, WIDTHS, chromium, page, violations
from tests.support.pages import DAY, HOSTILE, paper, recorded
from tests.support.web_program import Served, some
from tests.support.web_sample import illustrate, papers

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

PAPER = {"light": "rgb(252, 250, 245)", "dark": "rgb(22, 23, 26)"}
"""What pages are printed on, by day and by night."""
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
    "authors/ada",
    "feeds?topics=x",
    "nothing",
)

READABLE = """lines => [...document.querySelectorAll('.papers > li')].filter(each => {
  const title = each.querySelector('h2').getBoundingClientRect();
  const said = each.querySelector('.said').getBoundingClientRect();
  return title.top >= 0 && Math.min(said.bottom, said.top + 21 * lines) <= innerHeight;
}).length"""
"""The papers of which the title and the first lines of what is said can be read without scrolling."""
FIRST_SCREENS = ((1200, 900, 4, 2), (390, 844, 2, 1))
"""Width and height in pixels, how many papers can be read there, and how many lines of each."""
LOADED = """() => new Promise(done => {
  const seen = {shift: 0, largest: null};
  const watch = (type, take) =>
    new PerformanceObserver(all => all.getEntries().forEach(take)).observe({type, buffered: true});
  watch('layout-shift', each => { seen.shift += each.value; });
  watch('largest-contentful-paint', each => {
    const {element} = each;
    seen.largest = element && [element.tagName, element.tagName !== 'IMG' || Boolean(element.width && element.height)];
  });
  const wait = () => {
    if (!seen.largest) return setTimeout(wait, 20);
    scrollTo(0, document.body.scrollHeight);  // pictures further down are loaded now
    setTimeout(() => done(seen), 200);
  };
  wait();
})"""
"""How much a page moved while it was loaded, and what was largest in it: its tag, and whether it is of a set size."""


SMALL = """least => {
  const found = [];
  for (const each of document.querySelectorAll('a, button, summary, select, input:not([type=hidden])')) {
    if (each.tabIndex < 0 || !each.checkVisibility() || each.closest('.by, .skip, p:not(.product)')) continue;
    each.scrollIntoView({block: 'center', inline: 'center'});
    const box = each.getBoundingClientRect();
    const [x, y] = [box.left + box.width / 2, box.top + box.height / 2];
    const hit = (dx, dy) => {
      const there = document.elementFromPoint(x + dx, y + dy);
      return there && (each.contains(there) || there.contains(each) && there.matches('label'));
    };
    const reach = (dx, dy) => { let n = 0; while (n < least && hit(n * dx, n * dy)) n++; return n; };
    if (reach(1, 0) + reach(-1, 0) < least || reach(0, 1) + reach(0, -1) < least) found.push(each.outerHTML);
  }
  return found;
}"""
"""What is harder to hit with a finger than it may be, in pixels; links within a sentence are as high as its lines."""


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    cache = tmp_path / "cache"
    cache.mkdir()
    for size in Size:
        Image.new("RGB", size.value[:2], "grey").save(cache / size.file_name("2604.00001"))
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


@pytest.mark.timeout(600)
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
        await shown.click("summary >> text=한국어")
        await shown.click("text=English")
        assert shown.url.endswith("/en/")
        await shown.click("text=Archive")
        await shown.click('time[datetime="2026-04-28"]')
        await shown.click('[rel="next"]')
        assert shown.url.endswith("/en/2026-04-29")
        await shown.click("summary >> text=Headline")
        await shown.click("text=Abstract")
        await shown.click("text=Paper number 1")
        assert shown.url.endswith("/en/papers/2604.00001")
        await shown.fill("[name=q]", "number 2")
        await shown.press("[name=q]", "Enter")
        assert "/en/search?q=number+2" in shown.url


async def visit(shown: "Page", address: str) -> tuple[list[str], list[str]]:
    """Open a page and wait until it is loaded; returns what was asked for, and what the console said."""
    asked: list[str] = []
    said: list[str] = []
    shown.on("request", lambda request: asked.append(request.url))
    shown.on("console", lambda message: said.append(message.text))
    await shown.goto(address)
    await shown.wait_for_load_state("networkidle")
    return asked, said


async def test_the_browser_contacts_no_other_server_and_stores_nothing(served: Served, browser: "Browser") -> None:
    for scripts in (True, False):
        async with page(browser, scripts=scripts) as shown:
            asked, said = await visit(shown, f"{served.url}/en/2026-04-29")
            assert f"{served.url}/pictures/2604.00001.large.jpg" in asked, scripts
            assert [url for url in asked if not url.startswith(served.url)] == [], scripts
            assert said == [], scripts
            assert await shown.context.cookies() == [], scripts


@pytest.fixture
async def sampled(tmp_path: Path) -> AsyncIterator[Served]:
    """A day of papers that all have pictures, and all else that papers have."""
    illustrate(tmp_path / "cache", papers())
    async with Served(tmp_path, thumbnails=Thumbnails(tmp_path / "cache")) as opened:
        await opened.publish(*papers())
        yield opened


async def test_the_first_screen_shows_papers(sampled: Served, browser: "Browser") -> None:
    for width, height, least, lines in FIRST_SCREENS:
        async with page(browser, width=width, height=height, touch=width < 600) as shown:
            for path in ("en/", "ko/2026-04-29", "ar/2026-04-29"):
                await shown.goto(f"{sampled.url}/{path}")
                assert await shown.evaluate(READABLE, lines) >= least, (path, width)


async def test_the_first_screen_of_recorded_days_shows_papers(
    tmp_path: Path, browser: "Browser", reference: Path, long: bool
) -> None:
    days = sorted((reference / "data" / "daily_papers").glob("*.json"))[:: 8 if long else 60]
    (tmp_path / "cache").mkdir()
    async with Served(tmp_path, thumbnails=Thumbnails(tmp_path / "cache")) as opened:
        for file in days:
            found = [replace(each.paper, thumbnail=None) for each in recorded(file).papers]
            illustrate(tmp_path / "cache", found[:6])
            await opened.publish(*found, day=date.fromisoformat(file.stem))
        for width, height, least, lines in FIRST_SCREENS:
            async with page(browser, width=width, height=height, touch=width < 600) as shown:
                for file in days:
                    await shown.goto(f"{opened.url}/en/{file.stem}")
                    assert await shown.evaluate(READABLE, lines) >= least, (file.stem, width)


async def test_fingers_hit_what_they_aim_at(sampled: Served, browser: "Browser") -> None:
    async with page(browser, width=390, height=844, touch=True) as shown:
        for path in ("2026-04-29", "papers/2604.25917", "archive", "search?q=agents", "feeds"):
            await shown.goto(f"{sampled.url}/en/{path}")
            assert await shown.evaluate(SMALL, 43) == [], path


async def test_nothing_moves_while_a_page_is_loaded(sampled: Served, browser: "Browser") -> None:
    for width in (390, 1200):
        async with page(browser, width=width, height=844) as shown:
            await shown.goto(f"{sampled.url}/en/2026-04-29")
            seen = await shown.evaluate(LOADED)
            assert seen["shift"] == 0, width
            tag, sized = seen["largest"]
            assert tag in {"IMG", "P", "H1", "H2", "A"}, width
            assert sized, width


async def test_the_switch_turns_the_systems_colours_over(served: Served, browser: "Browser") -> None:
    colour = "() => getComputedStyle(document.documentElement).backgroundColor"
    for scheme in SCHEMES:
        async with page(browser, scheme=scheme, width=320) as shown:
            await shown.goto(f"{served.url}/en/2026-04-29")
            before = await shown.evaluate(colour)
            await shown.check("#theme")
            after = await shown.evaluate(colour)
            assert (before, after) == (PAPER[scheme], PAPER[SCHEMES[scheme == "light"]])
            assert await violations(shown) == []


async def test_the_box_to_subscribe_is_folded_and_a_link_opens_it(served: Served, browser: "Browser") -> None:
    async with page(browser, width=390) as shown:
        await shown.goto(f"{served.url}/en/")
        assert not await shown.locator(".subscribe .button").is_visible()
        await shown.click(".subscribe summary")
        assert await shown.locator(".subscribe .button").is_visible()
        await shown.goto(f"{served.url}/en/archive")
        await shown.click(".join")
        assert shown.url == f"{served.url}/en/#subscribe"
        assert await shown.locator(".subscribe .button").is_visible()
        assert await violations(shown) == []


async def test_keyboard_users_can_skip_to_the_content(served: Served, browser: "Browser") -> None:
    async with page(browser) as shown:
        await shown.goto(f"{served.url}/en/2026-04-29")
        await shown.keyboard.press("Tab")
        focused = "() => [document.activeElement.className, document.activeElement.getBoundingClientRect().left >= 0]"
        assert await shown.evaluate(focused) == ["skip", True]
        await shown.keyboard.press("Enter")
        await shown.wait_for_url("**#main")


async def test_on_paper_links_have_addresses_and_nothing_is_for_screens_alone(
    sampled: Served, browser: "Browser"
) -> None:
    async with page(browser, width=718, scheme="dark") as shown:
        await shown.goto(f"{sampled.url}/en/2026-04-29")
        await shown.emulate_media(media="print", color_scheme="dark")
        for screen in ("header nav", ".subscribe", "footer .links", "article .chip:not(.quiet)"):
            assert not await shown.locator(screen).first.is_visible(), screen
        cut = "each => each.scrollWidth > each.clientWidth"
        assert not await shown.evaluate(f"[...document.querySelectorAll('.chips')].some({cut})")
        await shown.set_viewport_size({"width": 600, "height": 900})  # paper is narrower than a screen, but no phone
        for keyword in await shown.locator(".first .chip.quiet").all():
            assert await keyword.is_visible()
        await shown.goto(f"{sampled.url}/en/papers/2604.25917")
        address = "getComputedStyle(document.querySelector('.actions a'), '::after').content"
        assert "arxiv.org" in await shown.evaluate(address)
        assert not await shown.locator(".share").is_visible()
