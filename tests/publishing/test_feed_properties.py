"""Whatever a feed says: papers within their bounds or a FeedError, and clean text stays as it is."""

import json
import unicodedata
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import urlsplit
from xml.sax.saxutils import escape

from hypothesis import example, given
from hypothesis import strategies as st

from bot.model import ARXIV_ID, Paper
from bot.publishing.feed import FeedError, cleaning, huggingface, rss

DAY, NOW = date(2026, 4, 16), datetime(2026, 4, 16, 12, tzinfo=UTC)
FIELDS = [
    *("id", "title", "summary", "authors", "publishedAt", "submittedOnDailyAt", "upvotes", "numComments"),
    *("ai_summary", "ai_keywords", "githubRepo", "githubStars", "projectPage", "mediaUrls", "mediaUrl"),
    *("thumbnail", "organization", "name", "fullname", "hidden", "paper"),
]
PIECES = [
    "&",
    "&amp;",
    "amp;",
    "lt;",
    "&#38;",
    "&#8238;",
    "#x26;",
    ";",
    "\u037e",
    " ",
    "\n",
    "\x00",
    "\u202e",
    "\ud800",
]
PIECES += [
    "e",
    "\u0301",
    "\u200d",
    "\ufeff",
    "https://",
    "http://",
    "a.org",
    "@",
    "/",
    "//",
    ".git",
    "?",
    "#",
    "%",
    "[",
    "]",
]
PIECES += [":", "\\", "WORD", ".", "…", "<b>", "<!--", "<script>", "2604.14142", "v1", "(arXiv:", "é", "x" * 3_000]

words = st.text() | st.lists(st.sampled_from(PIECES), max_size=14).map("".join)
numbers = st.sampled_from(["2604.07429", "2604.14142v2", "2604.0742", "2604.074290"])
leaves = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | words | numbers
anything = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.sampled_from(FIELDS) | words, inner, max_size=8),
    max_leaves=25,
)
inners = st.fixed_dictionaries(
    {"id": numbers, "title": words}, optional={name: anything for name in FIELDS if name not in {"id", "title"}}
)
rows = st.lists(
    st.fixed_dictionaries({"paper": inners | anything}, optional=dict.fromkeys(FIELDS[1:-1], anything)) | anything,
    max_size=4,
)


def assert_clean(line: str, limit: int) -> None:
    assert len(line) <= limit
    assert line == " ".join(line.split())
    assert unicodedata.is_normalized("NFC", line)
    assert not {unicodedata.category(character) for character in line} & {"Cc", "Cs"}
    assert not set(line) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")
    line.encode()
    assert cleaning.one_line(line, limit) == line


def assert_link(link: str | None) -> None:
    if link is None:
        return
    parts = urlsplit(link)
    assert len(link) <= cleaning.LONGEST_LINK
    assert link.isascii()
    assert not set(link) & set(' \t\n\r"<>\\^`{|}')
    assert parts.scheme in {"http", "https"}
    assert parts.hostname
    assert parts.username is None
    assert cleaning.web_link(link) == link


def assert_bounded(paper: Paper) -> None:
    assert ARXIV_ID.fullmatch(paper.id)
    assert paper.title
    assert_clean(paper.title, cleaning.LONGEST_TITLE)
    assert_clean(paper.abstract, cleaning.LONGEST_ABSTRACT)
    assert paper.listed_at.tzinfo is UTC
    assert paper.listed_on == paper.listed_at.date()
    for names, most in ((paper.authors, cleaning.MOST_AUTHORS), (paper.keywords, cleaning.MOST_KEYWORDS)):
        assert len(names) <= most
        for name in names:
            assert name
            assert_clean(name, cleaning.LONGEST_NAME)
    if paper.organisation is not None:
        assert paper.organisation
        assert_clean(paper.organisation, cleaning.LONGEST_NAME)
    if paper.sentence is not None:
        assert_clean(paper.sentence, cleaning.LONGEST_SENTENCE)
        assert paper.sentence not in paper.abstract
    for link in (paper.code, paper.project, paper.thumbnail, *(media.url for media in paper.media)):
        assert_link(link)
    assert cleaning.repository(paper.code) == paper.code
    assert len(paper.media) <= cleaning.MOST_MEDIA
    for number in (paper.votes, paper.comments, paper.stars):
        assert number is None or (type(number) is int and 0 <= number <= cleaning.HIGHEST_COUNT)


def read_json(body: bytes) -> list[Paper]:
    try:
        papers = huggingface.parse(body, DAY)
    except FeedError:
        return []
    for paper in papers:
        assert_bounded(paper)
        assert paper.votes is not None
    assert len({paper.id for paper in papers}) == len(papers)
    return papers


def read_rss(body: bytes) -> list[Paper]:
    try:
        papers = rss.parse(body, NOW)
    except FeedError:
        return []
    for paper in papers:
        assert_bounded(paper)
        assert paper.votes is None
        assert paper.listed_at <= NOW
    assert [paper.position for paper in papers] == sorted({paper.position for paper in papers})
    return papers


@given(rows | anything)
@example([{"paper": {"id": "2604.07429", "title": "T", "upvotes": 10**400}}])
@example([{"paper": {"id": "2604.07429", "title": "T", "upvotes": float("nan")}}])
def test_any_json_is_papers_or_a_feed_error(value: Any) -> None:
    read_json(json.dumps(value).encode())


@given(rows, st.integers(0, 4_000))
def test_json_cut_anywhere_is_papers_or_a_feed_error(value: Any, end: int) -> None:
    read_json(json.dumps(value).encode()[:end])


@given(st.binary() | st.binary().map(lambda tail: b"[{" + tail))
def test_any_bytes_are_papers_or_a_feed_error(body: bytes) -> None:
    read_json(body)
    read_rss(body)


@given(inners)
def test_a_row_with_an_id_and_a_title_is_never_lost(paper: dict[str, Any]) -> None:
    numbered = len(paper["id"].partition("v")[0].partition(".")[2]) in {4, 5}
    kept = numbered and cleaning.one_line(paper["title"], cleaning.LONGEST_TITLE) != ""
    assert len(read_json(json.dumps([{"paper": paper}]).encode())) == kept


tags = st.sampled_from(["title", "link", "guid", "description", "dc:creator", "author", "pubDate", "enclosure", "x"])
broken = st.sampled_from(["</item>", "<item>", "<![CDATA[", "]]>", "&bogus;", "<", "<!DOCTYPE x [", "<?xml ?>"])
elements = st.builds(lambda tag, said: f"<{tag}>{escape(said)}</{tag}>", tags, words) | broken | words


@given(st.lists(elements, max_size=12), st.binary(max_size=30))
def test_any_feed_is_papers_or_a_feed_error(said: list[str], tail: bytes) -> None:
    item = "<title>T</title><link>https://arxiv.org/abs/2604.14142</link>" + "".join(said)
    head = '<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><item>'
    read_rss((head + item).encode("utf-8", "replace") + tail + b"</item></channel></rss>")


@given(words, st.integers(10, 600))
@example("&am&#8238;p;lt;", 50)
@example("&" + "amp;" * 50 + "lt;", 100)
@example("a &lt\u037e b", 100)
def test_cleaning_twice_is_cleaning_once(written: str, limit: int) -> None:
    assert_clean(cleaning.one_line(written, limit), limit)


@given(words | st.builds("https://{}{}".format, st.sampled_from(["a.org", "[::1]", "ä.de", "a.org:80"]), words))
def test_a_link_stays_itself(written: str) -> None:
    assert_link(cleaning.web_link(written))
    code = cleaning.repository(written)
    assert_link(code)
    assert cleaning.repository(code) == code
