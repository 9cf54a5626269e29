"""RSS, Atom and JSON feeds, parsed by a feed reader's library."""

import json
from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path
from urllib.parse import quote

import feedparser
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.commands import WITHOUT_MODEL
from bot.render.catalogue import languages
from bot.render.words import words
from bot.web.pages.edition_feeds import EditionFeeds, FeedRequestError, read_feed_request
from bot.web.pages.feed_formats import Feed, Item, atom, json_feed, rss
from bot.web.urls import Urls
from tests.support.pages import DAY, HOSTILE, paper
from tests.support.web_program import NOW, Served, some

PUBLIC = "https://papers.example.org"
HOST = {"Host": "papers.example.org"}


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    async with Served(tmp_path, public=PUBLIC) as opened:
        await opened.publish(paper(1, title="Diffusion for <b>proteins</b> & more"), paper(2, title=HOSTILE))
        await opened.publish(*some(2, 10), day=DAY - timedelta(days=1))
        yield opened


@pytest.mark.parametrize("kind", ["xml", "atom"])
@pytest.mark.parametrize("language", languages())
async def test_a_feed_holds_the_newest_editions_in_full(served: Served, kind: str, language: str) -> None:
    answer = await served.get(f"/feed/{language}.{kind}", **HOST)
    read = feedparser.parse(answer.body, response_headers={"content-type": answer.headers["Content-Type"]})
    assert not read.bozo, read.get("bozo_exception")
    assert read.version == {"xml": "rss20", "atom": "atom10"}[kind]
    assert read.feed.title == words(language).gettext("newsletter.name")
    assert read.feed.language == language
    assert read.feed.link == f"{PUBLIC}/{language}/"
    assert [entry.id for entry in read.entries] == [
        f"{PUBLIC}/{language}/{day}" for day in ("2026-04-29", "2026-04-28")
    ]
    newest = read.entries[0]
    assert newest.link == f"{PUBLIC}/{language}/2026-04-29"
    assert newest.published_parsed[:5] == (2026, 4, 29, 22, 0)
    text = newest.content[0].value
    assert "Diffusion for &lt;b&gt;proteins&lt;/b&gt; &amp; more" in text
    assert "Thing 2 is measured." in text
    assert f'href="{PUBLIC}/{language}/papers/2604.00001"' in text


async def test_the_json_feed_has_the_same_items(served: Served) -> None:
    answer = await served.get("/feed/ko.json", **HOST)
    assert answer.headers["Content-Type"].startswith("application/feed+json")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    read = json.loads(answer.body)
    assert read["version"] == "https://jsonfeed.org/version/1.1"
    assert read["feed_url"] == f"{PUBLIC}/feed/ko.json"
    assert [item["id"] for item in read["items"]] == [f"{PUBLIC}/ko/2026-04-29", f"{PUBLIC}/ko/2026-04-28"]
    assert "Thing 1 is measured." in read["items"][0]["content_html"]


async def test_topics_style_and_cadence_are_query_parameters(served: Served) -> None:
    answer = await served.get(f"/feed/en.xml?style=abstract&topics={quote('diffusion, -video')}", **HOST)
    read = feedparser.parse(answer.body)
    assert [entry.id for entry in read.entries] == [f"{PUBLIC}/en/2026-04-29"]
    text = read.entries[0].content[0].value
    assert "3.5 apples" in text
    assert HOSTILE[:5] not in text
    assert read.entries[0].link.endswith("?style=abstract")
    own = [link.href for link in read.feed.links if link.rel == "self"]
    assert own == [f"{PUBLIC}/feed/en.xml?style=abstract&topics=diffusion,-video"]
    assert feedparser.parse((await served.get("/feed/en.xml?cadence=week", **HOST)).body).entries == []


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/feed/xx.xml", 404),
        ("/feed/en.html", 404),
        ("/feed/en.xml?style=loud", 400),
        ("/feed/en.xml?style=review", 400),
        ("/feed/en.xml?cadence=never", 400),
        (f"/feed/en.xml?topics={'x' * 61}", 400),
        (f"/feed/en.xml?topics={','.join(f'topic{n}' for n in range(31))}", 400),
    ],
)
async def test_an_unknown_feed_is_refused(served: Served, path: str, status: int) -> None:
    assert (await served.get(path, **HOST)).status == status


async def test_an_unchanged_feed_is_answered_with_304(served: Served) -> None:
    first = await served.get("/feed/en.atom", **HOST)
    again = await served.get("/feed/en.atom", If_None_Match=first.headers["ETag"], **HOST)
    assert again.status == 304
    assert (await served.get("/feed/en.atom", If_Modified_Since=first.headers["Last-Modified"], **HOST)).status == 304
    await served.publish(*some(1, 30), day=date(2026, 4, 30))
    served.now += timedelta(minutes=2)
    changed = await served.get("/feed/en.atom", If_None_Match=first.headers["ETag"], **HOST)
    assert changed.status == 200


async def test_an_edition_filled_in_later_is_dated_by_its_day(served: Served) -> None:
    await served.publish(*some(1, 50), day=date(2026, 4, 11), closed_at=NOW + timedelta(days=10))
    read = json.loads((await served.get("/feed/en.json", **HOST)).body)
    dates = [item["date_published"] for item in read["items"]]
    assert dates == sorted(dates, reverse=True)
    assert dates[-1].startswith("2026-04-11")


@pytest.mark.parametrize(
    ("accepted", "packed"),
    [
        ("gzip", True),
        ("deflate, gzip;q=1.0, *;q=0.5", True),
        ("gzip;q=0", False),
        ("gzip; q=0.000, identity", False),
        ("br", False),
        ("*", True),
        ("*;q=0", False),
        ("identity, *;q=0, gzip;q=0.1", True),
        ("", False),
    ],
)
async def test_gzip_only_for_those_who_take_it(served: Served, accepted: str, packed: bool) -> None:
    answer = await served.get("/feed/en.json", Accept_Encoding=accepted, **HOST)
    assert (answer.headers.get("Content-Encoding") == "gzip") is packed


async def test_pages_link_to_their_feeds(served: Served) -> None:
    text = (await served.get("/ko/2026-04-29?style=abstract", **HOST)).text
    assert '<link rel="alternate" type="application/atom+xml"' in text
    assert 'href="/feed/ko.xml?style=abstract"' in text


async def test_feeds_with_ever_new_topics_are_rate_limited(served: Served) -> None:
    statuses = [(await served.get(f"/feed/en.xml?topics=topic{n}", **HOST)).status for n in range(22)]
    assert statuses == [200] * 20 + [429] * 2
    assert (await served.get("/feed/en.xml?topics=topic0", **HOST)).status == 200, "kept"


async def test_the_cached_digest_of_a_feed_is_small_and_changes_with_its_content(served: Served) -> None:
    syndication = EditionFeeds(served.store, Urls.below("https://papers.example.org"))
    wish = read_feed_request("en", "xml", {"topics": "nothing at all"}, WITHOUT_MODEL)
    first, same = [(await syndication.feed(wish)).facts for _ in range(2)]
    assert isinstance(first, bytes)
    assert (len(first), first) == (32, same)
    await served.publish(*some(1, first=90), day=DAY + timedelta(days=1))
    assert (await syndication.feed(wish)).facts != first


@given(st.text(max_size=80), st.text(max_size=80))
def test_feeds_are_well_formed_with_any_text(title: str, said: str) -> None:
    item = Item(
        "https://a.example/en/2026-04-29", "https://a.example/en/2026-04-29", title, said, f"<p>{said}</p>", NOW
    )
    feed = Feed(title, said, "https://a.example/en/", "https://a.example/f", "https://a.example/i", "en", "x", [item])
    for write in (rss, atom):
        read = feedparser.parse(write(feed))
        assert not read.bozo, read.get("bozo_exception")
        assert len(read.entries) == 1
    json.loads(json_feed(feed))


@given(st.dictionaries(st.sampled_from(["style", "cadence", "topics", "else"]), st.text(max_size=100)))
def test_any_query_is_a_feed_request_or_is_refused(query: dict[str, str]) -> None:
    try:
        wish = read_feed_request("en", "xml", query, WITHOUT_MODEL)
    except FeedRequestError:
        return
    assert read_feed_request("en", "xml", {"topics": ", ".join(wish.topics)}, WITHOUT_MODEL).topics == wish.topics
