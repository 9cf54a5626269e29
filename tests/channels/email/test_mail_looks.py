"""Mails in a real browser: nothing cut, sideways or unreadable, and the first paper on the first screen."""

import os
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bot.channel import Link
from bot.model import Edition, Style
from bot.render.labels import plain_page
from bot.render.words import words
from tests.support.mail_pictures import CHROMIUM, LANGUAGES, SCHEMES, WIDTHS, channel, mail, show, window
from tests.support.pages import HOSTILE, edition, paper, recorded

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


def test_ten_papers_are_read_in_a_few_screens(there: "Page", reference: Path, long: bool) -> None:
    days = sorted((reference / "data" / "daily_papers").glob("*.json"))
    for day in days[:: 1 if long else len(days) // 4]:
        made = recorded(day)
        if len(made.papers) < 10:
            continue
        for language in LANGUAGES if long else ("en",):
            html = mail(made, language, Style.HEADLINE, 10).parts()["html"]
            show(there, html, 600)
            assert there.evaluate("document.documentElement.scrollHeight") <= 4_000, (day.stem, language)
            assert html.count("<a ") <= 42, day.stem


MAIN_WIDTH = "document.querySelector('[role=main]').firstElementChild.getBoundingClientRect().width"


def as_classic_outlook(html: str) -> str:
    """A mail as Word draws it: no style sheet, no max-width, and what stands in comments for it alone."""
    html = re.sub(r"<style>.*?</style>", "", html, flags=re.DOTALL)
    html = re.sub(r"<!--\[if mso\]>(.*?)<!\[endif\]-->", r"\1", html, flags=re.DOTALL)
    return re.sub(r"(?<![\w-])max-width:[^;]*;", "", html)


@pytest.mark.parametrize("language", ["en", "ar"])
@pytest.mark.parametrize("style", [Style.HEADLINE, Style.PLAIN])
def test_the_mail_keeps_its_width_in_classic_outlook(there: "Page", language: str, style: Style) -> None:
    html = mail(long_titled(), language, style).parts()["html"]
    for width in (900, 1200, 1920):
        for shown in (html, as_classic_outlook(html)):
            show(there, shown, width)
            assert there.evaluate(MAIN_WIDTH) == 640, width
            assert there.evaluate("document.documentElement.scrollWidth") <= width
    bare = re.sub(r"(?<![\w-])max-width:[^;]*;", "", re.sub(r"<style>.*?</style>", "", html, flags=re.DOTALL))
    show(there, bare, 1200)
    assert there.evaluate(MAIN_WIDTH) == 640, "also where what is meant for Outlook alone is not read"


@pytest.mark.parametrize("language", ["en", "ko", "ar"])
def test_a_letter_has_one_button_and_the_same_head(there: "Page", language: str) -> None:
    w = words(language)
    link = Link(w.gettext("consent.email_button"), "https://papers.example.org/en/join/x")
    letter = replace(
        plain_page(w, w.gettext("consent.email_subject"), w.gettext("consent.email_text") + "\n"), actions=(link,)
    )
    html = channel(Path()).letter(letter).parts()["html"]
    for width in WIDTHS:
        for scheme in SCHEMES:
            show(there, html, width, scheme)
            assert there.locator("h1").inner_text() == letter.heading
            assert there.locator("a").count() == there.locator("a.button").count() == 1
            assert there.locator(".product").inner_text().endswith(w.gettext("newsletter.name"))
            assert there.evaluate("document.documentElement.scrollWidth") <= width


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
