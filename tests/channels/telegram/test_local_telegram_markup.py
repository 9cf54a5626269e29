"""Telegram's HTML as the local Bot API server reads it: what comes out, and the one refusal for each fault."""

import html
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.telegram_server.links import LinkError, check_link
from tests.support.telegram_server.markup import STYLES, MarkupError, parse_html, units
from tests.support.telegram_server.refusal import RefusalError
from tests.support.telegram_server.text import TEXT, compose

HALF = "Text contains invalid Unicode characters after decoding HTML entities, check for unmatched surrogate code units"


USER = {"id": 5, "is_bot": False, "first_name": "User 5"}


def entity(kind: str, offset: int, length: int, **more: Any) -> dict[str, Any]:
    return {"type": kind, "offset": offset, "length": length, **more}


@pytest.mark.parametrize(
    ("markup", "text", "entities"),
    [
        ("plain", "plain", []),
        ("<b>b</b><strong>b</strong>", "bb", [entity("bold", 0, 1), entity("bold", 1, 1)]),
        ("<I>i</I><em>e</EM>", "ie", [entity("italic", 0, 1), entity("italic", 1, 1)]),
        ("<u>u</u><ins>i</ins>", "ui", [entity("underline", 0, 1), entity("underline", 1, 1)]),
        ("<s>s</s><strike>t</strike>", "st", [entity("strikethrough", 0, 1), entity("strikethrough", 1, 1)]),
        ("<del>d</del>", "d", [entity("strikethrough", 0, 1)]),
        ('<span class="tg-spoiler">s</span>', "s", [entity("spoiler", 0, 1)]),
        ("<tg-spoiler>s</tg-spoiler>", "s", [entity("spoiler", 0, 1)]),
        ("<a href='https://arXiv.org/abs/1'>x</a>", "x", [entity("text_link", 0, 1, url="https://arxiv.org/abs/1")]),
        ("<a href=arxiv.org>x</a>", "x", [entity("text_link", 0, 1, url="http://arxiv.org/")]),
        ('<a href="https://a.org/?x=1&amp;y=2">x</a>', "x", [entity("text_link", 0, 1, url="https://a.org/?x=1&y=2")]),
        ("<a>example.org</a>", "example.org", [entity("text_link", 0, 11, url="http://example.org/")]),
        ("<a href='nowhere'>x</a>", "x", []),
        ("<a href='javascript:alert(1)'>x</a>", "x", []),
        ("<a href='ftp://a.org'>x</a>", "x", []),
        ("<tg-emoji emoji-id='55'>x</tg-emoji>", "x", [entity("custom_emoji", 0, 1, custom_emoji_id="55")]),
        ("<code class='language-c'>x</code>", "x", [entity("code", 0, 1)]),
        ("<pre>x</pre>", "x", [entity("pre", 0, 1)]),
        ('<pre><code class="language-c">x</code></pre>', "x", [entity("pre", 0, 1, language="c")]),
        ('<code class="language-c"><pre>x</pre></code>', "x", [entity("pre", 0, 1, language="c")]),
        ("<a href='tg://user?id=5'>x</a>", "x", [entity("text_mention", 0, 1, user=USER)]),
        ("<blockquote>q</blockquote>", "q", [entity("blockquote", 0, 1)]),
        ("<blockquote expandable>q</blockquote>", "q", [entity("expandable_blockquote", 0, 1)]),
        ("<b></b>x", "x", []),
        ("<b title = 'x' >x</b >", "x", [entity("bold", 0, 1)]),
        ("<b>x</>", "x", [entity("bold", 0, 1)]),
        ("&lt;&gt;&amp;&quot;", '<>&"', []),
        ("&#65;&#x42;&#x1F600;", "AB😀", []),
        ("&#xD83D;&#xDE00;", "😀", []),
        ("&lt no semicolon", "< no semicolon", []),
        ("&nbsp;&apos;&; & &#0; &#1114112;", "&nbsp;&apos;&; & &#0; &#1114112;", []),
        ("😀<b>😀</b>", "😀😀", [entity("bold", 2, 2)]),
    ],
)
def test_markup_becomes_text_and_entities(markup: str, text: str, entities: list[dict[str, Any]]) -> None:
    assert parse_html(markup) == (text, entities)


@pytest.mark.parametrize(
    ("markup", "words"),
    [
        ("0123456789é<br>", 'Unsupported start tag "br" at byte offset 12'),
        ("<p>", 'Unsupported start tag "p" at byte offset 0'),
        ("<br/>", 'Unsupported start tag "br/" at byte offset 0'),
        ("<!-- x -->", 'Unsupported start tag "!--" at byte offset 0'),
        ("1 < 2", 'Unsupported start tag "" at byte offset 2'),
        ("1 <2", "Unclosed start tag at byte offset 2"),
        ("<b>x", 'Can\'t find end tag corresponding to start tag "b"'),
        ("<b><i>x</b></i>", 'Unmatched end tag at byte offset 7, expected "</i>", found "</b>"'),
        ("x</b>", "Unexpected end tag at byte offset 1"),
        ("<b>x</b", "Unclosed end tag at byte offset 4"),
        ("<b", "Unclosed start tag at byte offset 0"),
        ("<b ", 'Empty attribute name in the tag "b" at byte offset 0'),
        ("<b =x>", 'Empty attribute name in the tag "b" at byte offset 0'),
        ("<b x>", 'Expected equal sign in declaration of an attribute of the tag "b" at byte offset 0'),
        ("<b x=", 'Unclosed start tag "b" at byte offset 0'),
        ("<b x='y", "Unclosed start tag at byte offset 0"),
        ("<a href=http://a.org>x</a>", "Unexpected end of name token at byte offset 8"),
        ("<span>x</span>", 'Tag "span" must have class "tg-spoiler" at byte offset 0'),
        ("<span class='red'>x</span>", 'Tag "span" must have class "tg-spoiler" at byte offset 0'),
        ("<tg-emoji emoji-id='x'>x</tg-emoji>", "Invalid custom emoji identifier specified"),
        (
            "&#xD83D;",
            HALF,
        ),
    ],
)
def test_a_fault_has_its_own_words(markup: str, words: str) -> None:
    with pytest.raises(MarkupError) as caught:
        parse_html(markup)
    assert str(caught.value) == words


@pytest.mark.parametrize(
    ("markup", "text", "entities"),
    [
        ("  <b> x</b> \n", " x", [entity("bold", 0, 2)]),
        (" \n x <b> </b>", "x", []),
        ("a\rb\x07c\u202ed", "ab cd", []),
        ("<b>a</b><b>b</b>", "ab", [entity("bold", 0, 2)]),
        ("<b>a<b>b</b></b>", "ab", [entity("bold", 0, 2)]),
        ("<b>a<code>b</code>c</b>", "abc", [entity("bold", 0, 1), entity("code", 1, 1), entity("bold", 2, 1)]),
        ("<code>a<i>b</i></code>", "ab", [entity("code", 0, 2)]),
        ("<a href='a.org'>a<code>b</code></a>", "ab", [entity("text_link", 0, 2, url="http://a.org/")]),
        ("<blockquote>a<blockquote>b</blockquote></blockquote>", "ab", [entity("blockquote", 0, 2)]),
    ],
)
def test_a_message_keeps_what_can_be_shown(markup: str, text: str, entities: list[dict[str, Any]]) -> None:
    assert compose(markup, "HTML", None, TEXT) == (text, entities)


@pytest.mark.parametrize(
    ("link", "kept"),
    [
        ("https://Arxiv.org", "https://arxiv.org/"),
        ("arxiv.org/abs/1", "http://arxiv.org/abs/1"),
        ("arxiv.org:8080?x", "http://arxiv.org:8080/?x"),
        ("https://a.org/a b", "https://a.org/a%20b"),
        ("http://[::1]/x", "http://[::1]/x"),
        ("tg://user?id=5", "tg://user?id=5"),
    ],
)
def test_a_link_is_kept_in_one_form(link: str, kept: str) -> None:
    assert check_link(link) == kept


@pytest.mark.parametrize(
    ("link", "words"),
    [
        ("", "URL host is empty"),
        ("https://", "URL host is empty"),
        ("https:///x", "URL host is empty"),
        ("localhost", "Wrong HTTP URL"),
        ("http://localhost/x", "Wrong HTTP URL"),
        ("http://a b.org", "Wrong HTTP URL"),
        ("ftp://a.org", "Unsupported URL protocol"),
        ("mailto:a@b.org", "Unsupported URL protocol"),
        ("http://a.org:99999/", "Wrong port number specified in the URL"),
    ],
)
def test_a_link_that_leads_nowhere_is_refused(link: str, words: str) -> None:
    with pytest.raises(LinkError) as caught:
        check_link(link)
    assert str(caught.value) == words


TAGS = sorted(STYLES)
OPENING = {
    "span": '<span class="tg-spoiler">',
    "code": '<code class="language-py">',
    "blockquote": "<blockquote expandable>",
}
# Half a surrogate pair is no text, and no text has it.
words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
nested = st.recursive(
    words.map(lambda text: (text, html.escape(text, quote=False))),
    lambda inner: st.tuples(st.sampled_from(TAGS), st.lists(inner, max_size=3)).map(
        lambda element: (
            "".join(text for text, _ in element[1]),
            f"{OPENING.get(element[0], f'<{element[0]}>')}{''.join(markup for _, markup in element[1])}</{element[0]}>",
        )
    ),
    max_leaves=8,
)


@given(nested)
def test_escaped_text_comes_back_whatever_is_around_it(piece: tuple[str, str]) -> None:
    text, markup = piece
    found, entities = parse_html(markup)
    assert found == text
    for each in entities:
        assert each["length"] > 0
        assert each["offset"] + each["length"] <= units(text)


@given(words, words, words, st.sampled_from(TAGS))
def test_offsets_are_in_units_of_utf_16(before: str, inside: str, after: str, tag: str) -> None:
    start = OPENING.get(tag, f"<{tag}>")
    pieces = [html.escape(each, quote=False) for each in (before, inside, after)]
    text, entities = parse_html(f"{pieces[0]}{start}{pieces[1]}</{tag}>{pieces[2]}")
    if not inside:
        assert entities == []
        return
    encoded = text.encode("utf-16-le")
    (only,) = entities
    cut = encoded[2 * only["offset"] : 2 * (only["offset"] + only["length"])]
    assert cut.decode("utf-16-le") == inside


@given(nested, st.randoms(use_true_random=False), st.integers(1, 6))
def test_mutilated_markup_is_read_or_refused(piece: tuple[str, str], chance: random.Random, wounds: int) -> None:
    markup = piece[1]
    for _ in range(wounds):
        at = chance.randrange(len(markup) + 1)
        markup = (
            markup[:at] + chance.choice(["", "<", ">", "</", "&", "&#", "'", "=", " ", "\0", "é"]) + markup[at + 1 :]
        )
    try:
        text, entities = compose(markup, "HTML", None, TEXT)
    except RefusalError as error:
        refused: RefusalError | None = error
    else:
        refused = None
        assert all(0 <= each["offset"] <= each["offset"] + each["length"] <= units(text) for each in entities)
    assert refused is None or (refused.code == 400 and refused.description.startswith("Bad Request: "))
