"""Templates: every value is escaped by the channel's own function, whatever their author forgot."""

import html
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import TemplateNotFound, UndefinedError
from jinja2.exceptions import SecurityError, TemplateAssertionError

from bot.channel import Escape
from bot.model import Style
from bot.render import folder
from bot.render.branding import Accent
from bot.render.catalogue import languages
from bot.render.templates import _Environment, template
from bot.runtime.text import without_controls
from tests.support.pages import HOSTILE, page, paper


def stars(text: str) -> str:
    """An escape as Markdown has it."""
    return re.sub(r"([*_<])", r"\\\1", text)


@pytest.fixture
def made(tmp_path: Path) -> tuple[Path, "Fill"]:
    return tmp_path, Fill(tmp_path)


class Fill:
    """Fills a template written by a test."""

    def __init__(self, where: Path) -> None:
        self._where = where

    def __call__(self, source: str, escape: Escape | None = stars, language: str = "en", **values: object) -> str:
        (self._where / "it.txt").write_text(source)
        return _Environment(self._where, language, escape).get_template("it.txt").render(**values)


@pytest.mark.parametrize(
    "source",
    [
        "{{ x }}",
        "{{ x|string }}",
        "{{ [x]|join }}",
        "{{ {'k': x}.k }}",
        "{{ x ~ '' }}",
        "{{ x + '' }}",
        "{% set y = x %}{{ y }}",
        "{% set y %}{{ x }}{% endset %}{{ y }}",
        "{% macro m(t) %}{{ t }}{% endmacro %}{{ m(x) }}",
        "{% macro m() %}{{ caller() }}{% endmacro %}{% call m() %}{{ x }}{% endcall %}",
        "{% for c in [x] %}{{ c }}{% endfor %}",
        "{{ x if true }}",
        "{{ gettext('edition.heading', title=x, date='')[:-3] }}",
    ],
)
def test_a_value_is_escaped_once_on_every_way_in(source: str, made: tuple[Path, Fill]) -> None:
    fill = made[1]
    assert fill(source, x="a*b_<") == r"a\*b\_\<"
    assert fill(source, None, x="a<b&'\"") == str(
        html.escape("a<b&'\"").replace("&#x27;", "&#39;").replace("&quot;", "&#34;")
    )


@pytest.mark.parametrize(
    "joined", ["{{ m(x) ~ x }}", "{{ m(x) + x }}", "{{ [m(x), x]|join }}", "{{ [x]|join(m(x)) ~ m(x) }}"]
)
def test_markup_and_words_join_by_the_channels_rules(joined: str, made: tuple[Path, Fill]) -> None:
    fill = made[1]
    out = fill("{% macro m(t) %}*{{ t }}*{% endmacro %}" + joined, x="_<")
    assert out.replace("*", "").replace(r"\_\<", "") == ""


def test_a_templates_own_words_are_markup_but_its_strings_are_not(made: tuple[Path, Fill]) -> None:
    assert made[1]("*{{ '*<' }}*") == r"*\*\<*"


@pytest.mark.parametrize(
    "trick", ["{{ x|safe }}", "{{ x|xmlattr }}", "{{ x|urlize }}", "{{ x|format }}", "{{ x|replace('a', 'b') }}"]
)
def test_filters_that_make_or_break_markup_do_not_exist(trick: str, made: tuple[Path, Fill]) -> None:
    with pytest.raises(TemplateAssertionError, match="No filter"):
        made[1](trick, x="<b>")


@pytest.mark.parametrize(
    "trick",
    [
        "{{ x.__class__.__mro__ }}",
        "{{ ''.__class__ }}",
        "{{ '{0.__class__}'.format(x) }}",
        "{% macro m() %}*{% endmacro %}{{ m().join(['_']) }}",
        "{% macro m() %}%s{% endmacro %}{{ m() % '_' }}",
    ],
)
def test_the_sandbox_holds(trick: str, made: tuple[Path, Fill]) -> None:
    with pytest.raises((SecurityError, TypeError, UndefinedError)):
        made[1](trick, x="x")


def test_a_template_reads_nothing_but_templates(made: tuple[Path, Fill]) -> None:
    where, fill = made
    (where.parent / "secret").write_text("secret")
    for name in ("../secret", str(where.parent / "secret"), "/etc/hostname"):
        with pytest.raises(TemplateNotFound):
            fill("{% include '" + name + "' %}")


def test_an_undefined_name_is_an_error(made: tuple[Path, Fill]) -> None:
    with pytest.raises(UndefinedError):
        made[1]("{{ nothing }}")
    assert made[1]("[{{ x }}]", x=None) == "[]"


def test_a_language_may_have_a_template_of_its_own(made: tuple[Path, Fill]) -> None:
    where, fill = made
    (where / "part.txt").write_text("all")
    (where / "part.ko.txt").write_text("한국어")
    source = "{% include 'part.txt' %}"
    assert (fill(source), fill(source, language="ko")) == ("all", "한국어")


def test_words_in_a_template_are_the_languages(made: tuple[Path, Fill]) -> None:
    source = "{{ ngettext('paper.votes', 3) }} {{ gettext('paper.link_code') }} {{ 1234|number }}"
    assert made[1](source) == "3 votes Code 1,234"
    assert made[1](source, language="ko") == "추천 3 코드 1,234"


def test_a_missing_template_raises_when_it_is_loaded() -> None:
    with pytest.raises(TemplateNotFound):
        template("outbox/nothing.html", None)


class Seen(HTMLParser):
    """What a browser would see of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in {"href", "src"}]

    def handle_data(self, data: str) -> None:
        self.words.append(data)


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("style", Style)
def test_a_hostile_paper_changes_no_tag_of_the_page(style: Style, language: str) -> None:
    fill = template("outbox/edition.html", None)
    tame, hostile = (
        Seen(
            fill(
                page(
                    paper(title=t, abstract=t, sentence=t, authors=(t,), organisation=t), language=language, style=style
                )
            )
        )
        for t in ("tame", HOSTILE)
    )
    assert hostile.tags == tame.tags
    assert hostile.links == tame.links
    assert HOSTILE in hostile.words


@given(st.text(max_size=60), st.text(max_size=60))
def test_any_title_is_shown_as_it_is(title: str, sentence: str) -> None:
    made = page(paper(title=title, sentence=sentence))
    seen = Seen(template("outbox/edition.html", None)(made))
    assert made.blocks[0].title in seen.words
    text = template("outbox/edition.txt", without_controls)(made, bars=[""])
    assert f"1.  {made.blocks[0].title}\n" in text


def test_the_page_loads_nothing_from_elsewhere() -> None:
    text = template("outbox/edition.html", None)(page(paper(thumbnail="https://a.example/x.png")))
    seen = Seen(text)
    assert not {"img", "link", "script", "iframe", "video"} & set(seen.tags)
    assert "url(" not in text
    assert "@import" not in text
    assert "default-src 'none'" in text


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(digit * 2 for digit in colour[1:])
    channels = (int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4))
    red, green, blue = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_every_colour_can_be_read_on_its_ground() -> None:
    style = (folder() / "outbox" / "edition.css").read_text()
    style = style.replace("{{ accent().day }}", Accent().day).replace("{{ accent().night }}", Accent().night)
    schemes = re.findall(r":root \{(.*?)\}", style, re.DOTALL)
    assert len(schemes) == 3  # light, dark, print
    for scheme in schemes:
        colours = dict(re.findall(r"--(\w+): (#\w+)", scheme))
        for ink, ground in (("ink", "paper"), ("quiet", "paper"), ("sun", "paper"), ("ink", "note")):
            lighter, darker = sorted((luminance(colours[ink]), luminance(colours[ground])), reverse=True)
            assert (lighter + 0.05) / (darker + 0.05) >= 4.5, (ink, ground, colours)


def test_the_layout_follows_the_direction_of_writing() -> None:
    style = (folder() / "outbox" / "edition.css").read_text()
    assert not re.search(r"(margin|padding|border)-(left|right)|text-align: (left|right)", style)
