"""Right-to-left messages on the screen: the Unicode bidirectional algorithm keeps what is filled in in its order."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import pairwise

import pytest
from bidi import get_display

from bot.model import Style
from bot.render.catalogue import DEFAULT, catalogues, placeholders
from bot.render.templates import template
from bot.render.words import Words, words
from channels.discord.markdown import escape
from tests.support.catalogues import FOLDER, catalogue, forms_of, messages
from tests.support.mail_pictures import mail
from tests.support.pages import edition, page, paper

RIGHT_TO_LEFT = "ar"
VALUES = (
    "2026-04-29", "2026-W18", "+9", "author:", "org:OpenAI", "-robotics", "Ada Lovelace", "J.-P. Serre", "C++",
    "#papers", "GPT-4", "GPT-4 (v2.1)", "ada@example.org", "@papers", "https://papers.example/a?b=1&c=-2", "7:45",
    "22:04 UTC",
)  # fmt: skip
"""What sentences are filled with, every one of which is read from left to right."""
MARKS = re.compile("[\u200e\u200f\u2066-\u2069]")
LITERAL = re.compile(r"[+\-@#]?[A-Za-z0-9][A-Za-z0-9+\-@#:/._]*(?:[ ,]+[+\-@#]?[A-Za-z][A-Za-z0-9+\-@#:/._]*)*")
"""What stands in a sentence in Latin letters and digits: a name, a command, a date."""


def seen(line: str, direction: str | None = "R") -> str:
    """A line as the screen shows it from left to right; without a direction, as its first strong letter sets it."""
    shown = get_display(line, base_dir=direction)
    assert isinstance(shown, str)
    return MARKS.sub("", shown)


def entries() -> Iterator[tuple[str, int | None, str]]:
    """The id of each sentence, a number that has each of its plural forms, and the form."""
    numbers = (0, 1, 2, 3, 11, 100)
    for key, message in messages(catalogue(FOLDER / f"{RIGHT_TO_LEFT}.po")).items():
        plural = isinstance(message.id, list | tuple)
        for n, form in zip(numbers, forms_of(message), strict=False):
            yield key, n if plural else None, form


def say(w: Words, key: str, n: int | None, values: dict[str, object]) -> str:
    return w.gettext(key, **values) if n is None else w.ngettext(key, n, **values)


def test_the_algorithm_shows_bare_values_in_another_order_and_isolated_ones_in_theirs() -> None:
    assert "2026-04-29" not in seen("يوم 2026-04-29")
    assert "2026-04-29" in seen("يوم \u20682026-04-29\u2069")


@pytest.mark.parametrize("value", VALUES)
def test_what_is_filled_in_keeps_its_order(value: str) -> None:
    w = words(RIGHT_TO_LEFT)
    wrong = []
    for key, n, form in entries():
        for name in sorted(placeholders(form) - {"n"}):
            others = dict.fromkeys(placeholders(form) - {"n"}, "كلمة")
            said = say(w, key, n, {**others, name: value})
            wrong += [(key, name, said)] * (value not in seen(said))
    assert wrong == []


def test_two_values_side_by_side_keep_their_order() -> None:
    w = words(RIGHT_TO_LEFT)
    for key, n, form in entries():
        names = placeholders(form) - {"n"}
        shown = seen(say(w, key, n, dict(zip(sorted(names), VALUES, strict=False))))
        assert [value for _, value in zip(names, VALUES, strict=False) if value not in shown] == [], (key, shown)


def test_what_is_typed_and_named_in_a_sentence_keeps_its_order() -> None:
    w = words(RIGHT_TO_LEFT)
    wrong = []
    for key, n, form in entries():
        shown = seen(say(w, key, n, dict.fromkeys(placeholders(form) - {"n"}, "كلمة")))
        bare = re.sub(r"\{\w+\}", "\n", form)
        wrong += [(key, each, shown) for each in LITERAL.findall(bare) if each.rstrip(".,") not in shown]
    assert wrong == []


def test_a_typed_example_and_its_values_are_shown_as_one() -> None:
    said = words(RIGHT_TO_LEFT).gettext(
        "settings.topics_hint", example="topics diffusion, -robotics", most="30", longest="60"
    )
    assert "topics diffusion, -robotics" in seen(said)
    assert "author:" in seen(said)


def test_other_directions_need_no_marks() -> None:
    for tag in sorted(set(catalogues()) - {RIGHT_TO_LEFT}):
        assert not MARKS.search(words(tag).gettext("settings.value", preference="x", value="2026-04-29"))
    assert not MARKS.search("".join(forms_of(messages(catalogue(FOLDER / f"{DEFAULT}.po"))["settings.topics_hint"])))


TITLE = "GPT-4 (v2.1): scaling, 2026-04-29 & beyond!"
ORGANISATION, AUTHORS = "Inria (Paris)", ("J.-P. Serre", "Ada Lovelace")


WITH_LINKS = {"telegram, one paper", "discord"}
"""Where all links of a paper and its authors stand; elsewhere title and code are enough."""


def composed(style: Style) -> dict[str, str]:
    """An Arabic edition of one paper, as the text that each channel shows."""
    seen_page = page(
        paper(title=TITLE, organisation=ORGANISATION, authors=AUTHORS, votes=3, code="https://code.example/a-b"),
        language=RIGHT_TO_LEFT,
        style=style,
    )
    alone = replace(seen_page, alone=True)
    telegram = template("telegram/edition.html", None)
    rich = partial(template("telegram/rich.html", None), picture="")
    discord = template("discord/paper.md", escape)
    texts = {
        "telegram": telegram(seen_page),
        "telegram, one paper": telegram(alone),
        "telegram, rich": re.sub("</(p|h2|h3|summary)>", "\n", rich(seen_page)),
    }
    texts = {name: html.unescape(re.sub("<[^>]+>", "", text)) for name, text in texts.items()}
    markdown = discord(seen_page, block=seen_page.blocks[0], full=True, brief=False, shown=[])
    texts["discord"] = re.sub(r"\]\([^)]*\)", "", markdown).replace("[", "").replace("\\", "")
    return texts


@pytest.mark.parametrize("style", [Style.HEADLINE, Style.ABSTRACT])
def test_titles_names_and_links_keep_their_order_on_every_channel(style: Style) -> None:
    for channel, text in composed(style).items():
        shown = [seen(line, "R") for line in text.splitlines() if line.strip()]
        wanted = [ORGANISATION]
        if channel in WITH_LINKS:
            wanted += ["arXiv", "PDF", "alphaXiv"]
        if channel != "discord":  # its title is a field of its own
            wanted.append(TITLE)
        assert [each for each in wanted if not any(each in line for line in shown)] == [], (channel, shown)
        for first, then in pairwise(["arXiv", "PDF", "alphaXiv"]):
            assert [line for line in shown if place(then, line) > place(first, line)] == [], (channel, "from the right")
        for line in shown:
            if channel in WITH_LINKS:
                assert place(ORGANISATION, line) >= place(AUTHORS[0], line), (channel, "the organisation first")


def place(text: str, line: str) -> int:
    """Where a word stands in a line as it is shown, counted from the left; -1 where it is not."""
    found = re.search(rf"(?<![A-Za-z]){re.escape(text)}", line)
    return found.start() if found else -1


@pytest.mark.parametrize("style", [Style.HEADLINE, Style.ABSTRACT])
def test_a_line_with_arabic_words_is_read_from_the_right_by_its_first_strong_letter(style: Style) -> None:
    for channel, text in composed(style).items():
        lines = [line for line in text.splitlines() if re.search("[\u0620-\u064a]", line)]
        assert lines
        assert [line for line in lines if seen(line, None) != seen(line, "R")] == [], channel


def test_each_link_of_a_mail_is_isolated_and_its_latin_lines_are_one_block() -> None:
    abstract = "We propose a memory. Experiments show that it improves accuracy by 12%."
    shown = edition(paper(title=TITLE, organisation=ORGANISATION, authors=AUTHORS, abstract=abstract), paper(2))
    text = mail(shown, RIGHT_TO_LEFT, Style.HEADLINE).parts()["html"]
    assert re.findall(r'(?<!<span dir="auto">)<a (?![^>]*>[^<]*</a></h2>)', text) == []
    around = text[text.index('<p class="facts"') : text.index('<p class="section"')]
    blocks = re.findall(r"<(?:h2|p|div)\b[^>]*>", around)
    assert len([each for each in blocks if 'dir="ltr"' in each]) == 5, "facts, title, text, outcome, links"
