"""RSS and Atom: whatever can be read is read, and comes out in the shape that the JSON API's papers have."""

import logging
from datetime import UTC, date, datetime
from pathlib import Path
from xml.sax.saxutils import escape

import pytest

from bot.model import Media, MediaKind, Paper
from bot.publishing.feed import FeedError, rss
from bot.publishing.feed.rss import parse

NOW = datetime(2026, 4, 16, 12, tzinfo=UTC)
LINK = "<link>https://arxiv.org/abs/2604.14142</link>"
DC = 'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:media="http://search.yahoo.com/mrss/"'


def channel(*items: str) -> bytes:
    held = "".join(f"<item>{item}</item>" for item in items)
    return f'<?xml version="1.0"?><rss version="2.0" {DC}><channel><title>x</title>{held}</channel></rss>'.encode()


def one(item: str, *, title: str = "From P(y|x) to P(y)", link: str = LINK) -> Paper:
    (paper,) = parse(channel(f"<title>{escape(title)}</title>{link}{item}"), NOW)
    return paper


def test_an_rss_item_as_arxiv_writes_it() -> None:
    item = """<title>From P(y|x) to P(y)</title><link>https://arxiv.org/abs/2604.14142</link>
        <description>arXiv:2604.14142v1 Announce Type: new \nAbstract: We count\n what models say.</description>
        <guid isPermaLink="false">oai:arXiv.org:2604.14142v1</guid><category>cs.CL</category>
        <pubDate>Thu, 16 Apr 2026 00:00:00 -0400</pubDate><dc:creator>Ada Example, Bo Sample</dc:creator>"""
    assert parse(channel(item), NOW) == [
        Paper(
            id="2604.14142",
            title="From P(y|x) to P(y)",
            abstract="We count what models say.",
            listed_on=date(2026, 4, 16),
            listed_at=datetime(2026, 4, 16, 4, tzinfo=UTC),
            authors=("Ada Example", "Bo Sample"),
            keywords=("cs.CL",),
            published=date(2026, 4, 16),
        )
    ]


def test_an_atom_entry_as_arxivs_api_writes_it() -> None:
    body = b"""<feed xmlns="http://www.w3.org/2005/Atom"><title>x</title><entry>
        <id>http://arxiv.org/abs/2604.14142v2</id><title>From P(y|x)\n  to P(y)</title>
        <summary>  We count\nwhat models say.\n</summary>
        <author><name>Ada Example</name></author><author><name>Research and Sons</name></author>
        <published>2026-04-15T23:30:00-02:00</published><updated>2026-04-16T09:00:00Z</updated></entry></feed>"""
    (paper,) = parse(body, NOW)
    assert (paper.id, paper.title) == ("2604.14142", "From P(y|x) to P(y)")
    assert paper.abstract == "We count what models say."
    assert paper.authors == ("Ada Example", "Research and Sons")
    assert paper.listed_at == datetime(2026, 4, 16, 1, 30, tzinfo=UTC)
    assert paper.listed_on == date(2026, 4, 16)


def test_rss_counts_no_votes_and_keeps_the_feeds_order(caplog: pytest.LogCaptureFixture) -> None:
    numbers = ["2604.00009", "2604.00001", "2604.00005"]
    items = [f"<title>T</title><link>https://hf.co/papers/{number}</link>" for number in numbers]
    with caplog.at_level(logging.INFO, "bot.publishing.feed"):
        papers = parse(channel(items[0], "<title>Call for papers</title>", *items[1:], items[0]), NOW)
    assert [paper.id for paper in papers] == numbers
    assert [paper.position for paper in papers] == [0, 1, 2]
    assert {(paper.votes, paper.comments, paper.sentence) for paper in papers} == {(None, None, None)}
    (record,) = caplog.records
    assert (record.getMessage(), vars(record)["rows"]) == ("rows skipped", [1])


@pytest.mark.parametrize(
    "address",
    [
        "https://arxiv.org/abs/2604.14142",
        "http://arxiv.org/abs/2604.14142v12",
        "https://www.arxiv.org/pdf/2604.14142v1.pdf",
        "https://export.arxiv.org/abs/2604.14142?utm=feed",
        "https://arxiv.org/html/2604.14142v1",
        "https://huggingface.co/papers/2604.14142",
        "https://hf.co/papers/2604.14142#community",
        "https://www.alphaxiv.org/overview/2604.14142",
        "https://alphaxiv.org/abs/2604.14142v1",
        "oai:arXiv.org:2604.14142v1",
        "arXiv:2604.14142",
        "2604.14142v3",
    ],
)
def test_the_id_is_in_the_link_or_the_guid(address: str) -> None:
    assert one("", link=f"<link>{address}</link>").id == "2604.14142"
    blog = "<link>https://blog.example/a</link>"
    assert one(f'<guid isPermaLink="false">{address}</guid>', link=blog).id == "2604.14142"


@pytest.mark.parametrize(
    "address",
    [
        "https://blog.example/2604.14142",
        "https://notarxiv.org/abs/2604.14142",
        "https://arxiv.org/abs/2604.141423",
        "https://arxiv.org/abs/cs/0112017",
        "https://arxiv.org/list/cs.CL/new",
        "",
    ],
)
def test_an_item_without_an_id_is_skipped(address: str) -> None:
    assert parse(channel(f"<title>T</title><link>{address}</link>"), NOW) == []


def test_an_item_without_a_title_is_skipped() -> None:
    assert parse(channel(LINK), NOW) == []


@pytest.mark.parametrize(
    ("written", "clean"),
    [
        ("A Title. (arXiv:2604.14142v2 [cs.CL] UPDATED)", "A Title"),
        ("A Title? (arXiv:2604.14142v1 [cs.CL])", "A Title?"),
        ("A Title (arXiv:2604.14142)", "A Title"),
        ("Over\n  two   lines", "Over two lines"),
        ("The <think> tag and 5 < 6", "The <think> tag and 5 < 6"),
        ("<b>Bold</b> H<sub>2</sub>O", "Bold H2O"),
        ("Q&amp;A in caf&eacute;s", "Q&A in cafés"),
        ("turn\u202ed around", "turnd around"),
    ],
)
def test_titles_are_as_clean_as_the_apis(written: str, clean: str) -> None:
    assert one("", title=written).title == clean


@pytest.mark.parametrize(
    ("written", "clean"),
    [
        ("<p>We <i>count</i>.</p><p>A lot.</p>", "We count. A lot."),
        ("We write &lt;answer&gt; and &amp;lt;1 GB.", "We write <answer> and <1 GB."),
        ("<p>We write <answer> after <think>.</p>", "We write <answer> after <think>."),
        ("One<br/>two<!-- three --><script>alert(1)</script> four", "One two four"),
        ("One <script>never closed", "One"),
        ("arXiv:2604.14142v3 Announce Type: replace-cross \nAbstract: We count.", "We count."),
        ("Abstract: We count.", "We count."),
        ("We count. Abstract: none.", "We count. Abstract: none."),
        ("", ""),
    ],
)
def test_abstracts_are_plain_text(written: str, clean: str) -> None:
    assert one(f"<description>{escape(written)}</description>").abstract == clean


def test_content_serves_where_there_is_no_description() -> None:
    body = b"""<feed xmlns="http://www.w3.org/2005/Atom"><entry><id>arXiv:2604.14142</id><title>T</title>
        <content type="html">&lt;p&gt;We count.&lt;/p&gt;</content></entry></feed>"""
    assert parse(body, NOW)[0].abstract == "We count."


@pytest.mark.parametrize(
    ("written", "names"),
    [
        ("<dc:creator>Ada Example, Bo Sample and Cy Third</dc:creator>", ("Ada Example", "Bo Sample", "Cy Third")),
        ("<dc:creator>Ada Example, Bo Sample, and Cy\n Third</dc:creator>", ("Ada Example", "Bo Sample", "Cy Third")),
        (
            "<dc:creator>Ada Example</dc:creator><dc:creator>B and C Group</dc:creator>",
            ("Ada Example", "B and C Group"),
        ),
        ("<dc:creator>&lt;a href='x'&gt;Ada&lt;/a&gt;, &lt;a&gt;Bo&lt;/a&gt;</dc:creator>", ("Ada", "Bo")),
        ("<dc:creator>G&amp;uuml;nter A; Bo B</dc:creator>", ("Günter A", "Bo B")),
        ("<dc:creator>Anders Andersson</dc:creator>", ("Anders Andersson",)),
        ("<author>ada@a.example (Ada Example)</author>", ("Ada Example",)),
        ("<author>Ada Example &lt;ada@a.example&gt;</author>", ("Ada Example",)),
        ("<author>ada@a.example</author>", ()),
        ("<dc:creator>Jo (Lab)</dc:creator>", ("Jo (Lab)",)),
        ("<dc:creator> , ,</dc:creator>", ()),
        ("", ()),
    ],
)
def test_authors_come_as_lists_or_one_by_one(written: str, names: tuple[str, ...]) -> None:
    assert one(written).authors == names


def test_664_authors_in_one_line() -> None:
    names = tuple(f"Author Number {n}" for n in range(664))
    assert one(f"<dc:creator>{', '.join(names)}</dc:creator>").authors == names


@pytest.mark.parametrize(
    ("written", "listed_at"),
    [
        ("<pubDate>Thu, 16 Apr 2026 00:00:00 -0500</pubDate>", datetime(2026, 4, 16, 5, tzinfo=UTC)),
        ("<pubDate>Thu, 16 Apr 2026 01:00:00 +0900</pubDate>", datetime(2026, 4, 15, 16, tzinfo=UTC)),
        ("<dc:date>2026-04-15</dc:date>", datetime(2026, 4, 15, tzinfo=UTC)),
        ("<pubDate>Fri, 17 Apr 2026 00:00:00 GMT</pubDate>", NOW),  # the future is not listed yet
        ("<pubDate>soon</pubDate>", NOW),
        ("", NOW),
    ],
)
def test_the_list_day_is_utc_and_never_in_the_future(written: str, listed_at: datetime) -> None:
    paper = one(written)
    assert (paper.listed_at, paper.listed_on) == (listed_at, listed_at.date())


def test_pictures_and_films_where_a_feed_has_them() -> None:
    paper = one(
        '<enclosure url="https://a.example/1.mp4" type="video/mp4" length="1"/>'
        '<media:content url="https://a.example/2.png"/><media:thumbnail url="https://a.example/t.png"/>'
    )
    film, picture = Media(MediaKind.VIDEO, "https://a.example/1.mp4"), Media(MediaKind.IMAGE, "https://a.example/2.png")
    assert (paper.media, paper.thumbnail) == ((film, picture), "https://a.example/t.png")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "iso-8859-1"])
def test_a_feed_in_any_encoding(encoding: str) -> None:
    head = f'<?xml version="1.0" encoding="{encoding.removesuffix("-sig")}"?>'
    body = f'{head}<rss version="2.0"><channel><item><title>Lektüre</title>{LINK}</item></channel></rss>'
    assert parse(body.encode(encoding), NOW)[0].title == "Lektüre"


@pytest.mark.parametrize(
    "tail", ["</item>", "</item></channel>", "<description>&nbsp;&copy; a & b", "<pubDate>", "</wrong></item>"]
)
def test_what_a_broken_feed_still_says_is_read(tail: str) -> None:
    body = f'<rss version="2.0"><channel><item><title>T</title>{LINK}{tail}'.encode()
    assert [paper.id for paper in parse(body, NOW)] == ["2604.14142"]


def test_an_empty_feed_has_no_papers() -> None:
    assert parse(channel(), NOW) == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html><body>Sign in</body></html>",
        b"<!doctype html><title>Sign in</title><p>our rss: <a href='/rss'>here</a>",
        b"<!-- <rss -->",
        b"<opml><body/></opml>",
        b"[1]",
        b"\0" * 100_000,
        b"\xff\xfe<",
    ],
)
def test_a_body_with_no_feed_in_it_is_one_error(body: bytes) -> None:
    with pytest.raises(FeedError, match="neither JSON nor RSS nor Atom"):
        parse(body, NOW)


@pytest.mark.parametrize(
    "body",
    [
        b'<?xml version="1.0" encoding="undefined"?><rss version="2.0"><channel><item><title>\xff</title>',
        b'<rss version="2.0"><channel><item><title>T</title>&#xFFFFFFFFFF;</item></channel></rss>',
        b'<rss version="2.0"><channel><item><title>T</title><gml:posList>1 2 x</gml:posList></item></channel></rss>',
        b'<rss version="2.0"><psc:chapters xmlns:psc="http://podlove.org/simple-chapters"><psc:chapter a>&#999999;',
    ],
)
def test_what_feedparser_trips_over_is_one_error(body: bytes) -> None:
    with pytest.raises(FeedError, match="too broken to read"):
        parse(body, NOW)


def test_a_feed_too_large_to_read_in_time_is_one_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rss, "LARGEST_FEED", 100)
    with pytest.raises(FeedError, match="larger than"):
        parse(channel(f"<title>T</title>{LINK}"), NOW)


def test_bytes_are_never_taken_for_a_file_to_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    name = b"<rss"
    (tmp_path / name.decode()).write_bytes(channel(f"<title>T</title>{LINK}"))
    with pytest.raises(FeedError):
        parse(name, NOW)


def test_entities_that_multiply_stay_as_they_are() -> None:
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 9))
    head = f'<!DOCTYPE x [<!ENTITY l0 "ha">{laughs}]>'
    body = f'{head}<rss version="2.0"><channel><item><title>T&l8;</title>{LINK}</item></channel></rss>'
    assert all(len(paper.title) < 100 for paper in parse(body.encode(), NOW))
