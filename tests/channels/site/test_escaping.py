"""Untrusted text in a site is literal in Markdown, in Liquid and in YAML front matter."""

import re
from dataclasses import replace
from pathlib import Path

import yaml
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it.token import Token

from bot.channel import Page
from bot.model import Preferences, Style, Text
from bot.render.edition_page import edition_page
from bot.render.styles import TEXT_FIELDS
from bot.runtime.text import one_line
from channels.site.channel import Site
from channels.site.escaping import escape, scalar
from tests.support.pages import HOSTILE, edition, paper
from tests.support.site_channel import MARKDOWN, opened

NASTY = [
    HOSTILE, "quotes \" ' “”", "colon: and # hash", "a | b", "[x](http://evil.example) ![y](z)",
    "{{ 7*7 }} {% raw %}", "{% include a %}{%- x -%}", "`code` ``more``", "---", "--- title: x", "***", "===",
    "> quoted", "- item", "+ item", "1. one", "12) twelve", "# heading #", "ends with #",
    "a\nb\r\nc\u2028d\x85e", "<script>alert(1)</script>", "<!-- x", "</details>", "\u202eabc\u202c", "\u2066x",
    "🤖🇰🇷👩‍👩‍👧", "\\", "a\\", "\\\\*", "\\[x](y)", "&lt;b&gt; &#123; &amp;", "*a* _b_ __c__", "snake_case_word",
    "~~gone~~", "$$x$$ $y$", "[^1]: note", "*[HTML]: abbr", "{: .class}", "{::options /}", ": definition", "\t",
    "\x00\x1b[31mred", "\ud800", "yes", "null", "2026-04-29", "0x10", "1e3", "~", "@", "%", "!tag", "&anchor",
    "*alias", "[a, b]", "{a: b}", "'", '"', "عنوان: «ورقة»", "논문 제목", "\ufeff", "http://evil.example/x_y_z",
    "www.evil.example",
]  # fmt: skip
TEXTS = st.one_of(
    st.sampled_from(NASTY),
    st.text(max_size=40),
    st.text(alphabet="ab 1.)(-=+*_#>|~`\\[]{}!%$&;:<'\"\n@^", max_size=30),
    st.lists(st.sampled_from(NASTY), min_size=2, max_size=3).map(" ".join),
    st.tuples(st.sampled_from(NASTY), st.text(max_size=10)).map("".join),
)


def seen(tokens: list[Token]) -> str:
    """What a reader sees of a line."""
    return "".join(token.content if token.type != "softbreak" else " " for token in tokens)


@given(TEXTS)
def test_escaped_text_is_literal_everywhere_in_markdown(text: str) -> None:
    """At a line's beginning, in a heading, in bold, in a bullet, in a link, in a table."""
    line, safe = one_line(text), escape(text)
    if not line:
        assert not safe.strip()
        return
    assert "{{" not in safe
    assert "{%" not in safe
    safe = safe.strip(" ")
    for around, kinds in (
        (f"{safe}\n", ["paragraph_open"]),
        (f"before\n{safe}\n", ["paragraph_open"]),
        (f"# {safe}\n", ["heading_open"]),
        (f"## 1. [{safe}](https://a.example)\n", ["heading_open"]),
        (f"- {safe}\n", ["bullet_list_open", "list_item_open", "paragraph_open"]),
    ):
        tokens = MARKDOWN.parse(around)
        assert [token.type for token in tokens if token.nesting > 0] == kinds
        (inline,) = (token for token in tokens if token.type == "inline")
        children = inline.children or []
        allowed = {"text", "text_special", "softbreak"} | (
            {"link_open", "link_close"} if "a.example" in around else set()
        )
        assert {token.type for token in children} <= allowed
        shown = seen(children)
        assert shown.removeprefix("before ").removeprefix("1. " if "](https" in around else "") == line
    table = MARKDOWN.parse(f"| a | b |\n| --- | --- |\n| {safe} | x |\n")
    cells = [token for token in table if token.type == "inline"]
    assert [seen(cell.children or []) for cell in cells] == ["a", "b", line, "x"]


@given(TEXTS)
@example("{{ x }}")
def test_a_value_in_front_matter_round_trips(text: str) -> None:
    line, safe = one_line(text), scalar(text)
    assert yaml.safe_load(f"title: {safe}\nnext: x\n") == {"title": line, "next": "x"}
    assert yaml.safe_load(f"tags: [{safe}, x]\n") == {"tags": [line, "x"]}
    assert "{{" not in safe
    assert "{%" not in safe


@given(TEXTS, st.sampled_from(Style))
def test_a_title_is_literal_in_every_layout(text: str, style: Style) -> None:
    channel = opened(Path("nowhere"))
    odd = paper(
        title=text, abstract=f"{text} {text}", sentence=text, organisation=text, authors=(text,), keywords=(text,)
    )
    parts = {part.name: text or "x" for part in TEXT_FIELDS.get(style, ())}
    texts = {odd.id: {style: Text(odd.id, "en", style, parts)}} if parts else {}
    wanted = Preferences(style=style, papers=0)
    shown = edition_page(edition(odd, paper(2)), wanted, texts=texts)
    sheet = channel.compose(shown)
    body = re.sub(r"\A---\n.*?\n---\n", "", sheet.markdown, flags=re.DOTALL)
    assert "{{" not in sheet.markdown
    assert "{%" not in sheet.markdown
    tokens = MARKDOWN.parse(body)
    inlines = [token for token in tokens if token.type == "inline"]
    links = [
        str(child.attrs["href"]) for token in inlines for child in token.children or [] if child.type == "link_open"
    ]
    assert links
    known = r"https://(?:huggingface\.co/papers|arxiv\.org/abs|www\.alphaxiv\.org/overview)/2604\.0000[12]"
    assert [link for link in links if not re.fullmatch(known, link)] == []
    title = shown.blocks[0].original_title or shown.blocks[0].title
    assert any(title in seen(token.children or []) for token in inlines)
    html = [token.content for token in tokens if token.type == "html_block"]
    html += [child.content for token in inlines for child in token.children or [] if child.type == "html_inline"]
    assert [
        each
        for each in html
        if not re.match(r"<details>\n<summary>Original Abstract</summary>|</details>|<img src", each)
    ] == []
    assert sum(token.type == "heading_open" for token in tokens) == sum(
        token.type == "heading_open" for token in MARKDOWN.parse(plainly(channel, shown))
    )
    assert "<script" not in sheet.html


def plainly(channel: Site, shown: Page) -> str:
    """The same page, where nobody wrote anything odd."""
    blocks = [
        replace(
            block,
            title="t",
            original_title=None,
            abstract="a",
            said=replace(block.said, parts={name: "x" if text else "" for name, text in block.said.parts.items()}),
        )
        for block in shown.blocks
    ]
    text = channel.compose(replace(shown, blocks=blocks)).markdown
    return re.sub(r"\A---\n.*?\n---\n", "", text, flags=re.DOTALL)
