"""Mails in a real browser: nothing cut, sideways or unreadable, and the first paper on the first screen."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bot.model import Edition, Style
from tests.support.mail_pictures import CHROMIUM, LANGUAGES, SCHEMES, WIDTHS, mail, show, window
from tests.support.pages import HOSTILE, edition, paper

if TYPE_CHECKING:
    from playwright.sync_api import Page

MEASURE = """() => {
  const channel = v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const parse = c => (c.match(/[\\d.]+/g) || []).map(Number);
  const light = c => 0.2126 * channel(c[0]) + 0.7152 * channel(c[1]) + 0.0722 * channel(c[2]);
  const ground = e => { for (; e; e = e.parentElement) {
      const c = parse(getComputedStyle(e).backgroundColor); if (c.length && (c.length < 4 || c[3] > 0)) return c; }
    return [255, 255, 255]; };
  const out = { wide: document.documentElement.scrollWidth, screen: window.innerWidth, faint: [], outside: [] };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode, parent = node.parentElement;
    if (!node.data.trim()) continue;
    if (parent.closest('.preview')) continue;
    const range = document.createRange(); range.selectNodeContents(node);
    for (const box of range.getClientRects())
      if (box.left < -0.5 || box.right > window.innerWidth + 0.5) out.outside.push(node.data.slice(0, 40));
    const a = light(parse(getComputedStyle(parent).color)), b = light(ground(parent));
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) out.faint.push([node.data.slice(0, 40), ratio]);
  }
  out.h1 = document.querySelector('h1').getBoundingClientRect().bottom;
  const first = document.querySelector('h2');
  out.h2 = first.getBoundingClientRect().bottom;
  out.height = window.innerHeight;
  out.direction = getComputedStyle(document.querySelector('h1')).direction;
  out.links = [...document.querySelectorAll('a:not(.button):not(:has(img))')].filter(a => {
    const box = a.getBoundingClientRect();
    return box.width === 0 || !getComputedStyle(a).textDecorationLine.includes('underline'); }).map(a => a.textContent);
  out.small = Math.min(...[...document.querySelectorAll('p, li, h1, h2, h3')]
    .map(e => parseFloat(getComputedStyle(e).fontSize)));
  return out;
}"""
"""What is wide, outside, faint (less than 4.5 : 1, WCAG 2.2 success criterion 1.4.3), and where things stand."""


@pytest.fixture(scope="module")
def there() -> Iterator["Page"]:
    """A window of Chromium; a person's machine may lack it, CI may not."""
    if not Path(CHROMIUM).exists() and not os.environ.get("CI"):
        pytest.skip("Chromium is not installed")
    with window() as opened:
        yield opened


def long_titled() -> Edition:
    """Papers whose words are hard to lay out."""
    return edition(
        paper(1, title="Supercalifragilistic" * 12, organisation="O" * 90),
        paper(2, title=HOSTILE, project="https://example.org/" + "deep/" * 60),
        paper(3),
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_mail_is_readable_at_any_width_in_light_and_dark_mode(there: "Page", language: str, long: bool) -> None:
    styles = list(Style)
    sample = [Style.PLAIN, styles[LANGUAGES.index(language)]]
    for style in styles if long else sample:
        html = mail(long_titled(), language, style).parts()["html"]
        for width in WIDTHS:
            for scheme in SCHEMES if long or style is Style.PLAIN else SCHEMES[:1]:
                show(there, html, width, scheme)
                seen: dict[str, Any] = there.evaluate(MEASURE)
                where = (language, style, width, scheme)
                assert seen["wide"] <= seen["screen"], where
                assert seen["outside"] == [], where
                assert seen["faint"] == [], where
                assert seen["links"] == [], where
                assert seen["small"] >= 13, where
                assert seen["direction"] == ("rtl" if language == "ar" else "ltr"), where


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_first_screen_shows_the_day_and_the_first_paper(there: "Page", language: str) -> None:
    first = paper(1, title="A title of an ordinary length, as papers have them")
    html = mail(edition(first, paper(2)), language, Style.HEADLINE).parts()["html"]
    for width in WIDTHS:
        show(there, html, width)
        seen: dict[str, Any] = there.evaluate(MEASURE)
        assert 0 < seen["h1"] < seen["h2"] < seen["height"], (language, width)


def test_a_mail_loads_nothing_from_the_network(there: "Page") -> None:
    asked: list[str] = []
    there.on("request", lambda request: asked.append(request.url))
    show(there, mail(long_titled(), "ko", Style.PLAIN).parts()["html"], 320)
    assert asked == []


def test_a_screen_reader_finds_headings_languages_and_no_layout(there: "Page") -> None:
    show(there, mail(edition(paper(1), paper(2)), "ar", Style.HEADLINE).parts()["html"], 320)
    assert there.locator("html").get_attribute("lang") == "ar"
    assert there.locator("html").get_attribute("dir") == "rtl"
    assert there.locator("h1").count() == 1
    assert [there.locator("h2").nth(n).get_attribute("lang") for n in range(2)] == ["en", "en"]
    assert {table.get_attribute("role") for table in there.locator("table").all()} == {"presentation"}
    assert {link.inner_text() for link in there.locator("a").all()} - {""}, "links have names"
