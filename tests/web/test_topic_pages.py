"""Pages of keywords, authors and organisations, and the ways to follow them."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channel import Link
from bot.web.urls import LONGEST_TOPIC_SLUG, TopicKind, Urls, topic_slug
from tests.support.pages import HOSTILE, paper
from tests.support.seen_pages import Seen
from tests.support.web_program import Invited, Served, some

URLS = Urls.below("https://papers.example.org")


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    async with Served(tmp_path, invitations=[Link("Telegram", "https://t.me/papers_bot")]) as opened:
        await opened.publish(
            paper(1, keywords=("Diffusion Models", "扩散模型"), authors=("Kaiming He",), organisation="Deep Lab / AI"),
            paper(2, keywords=("diffusion  models", "video"), authors=("Ada", "Kaiming He")),
            paper(3, keywords=("video diffusion models",)),
            *some(45, 100, keywords=("robots",)),
        )
        yield opened


@pytest.mark.parametrize(
    ("path", "numbers", "heading"),
    [
        ("keywords/diffusion-models", {1, 2, 3}, "Diffusion Models"),
        ("keywords/扩散模型", {1}, "扩散模型"),
        ("authors/kaiming-he", {1, 2}, "Kaiming He"),
        ("organisations/deep-lab-ai", {1}, "Deep Lab / AI"),
    ],
)
async def test_a_topic_has_a_page_of_its_papers(served: Served, path: str, numbers: set[int], heading: str) -> None:
    answer = await served.get(f"/ko/{path}")
    assert answer.status == 200
    seen = Seen(answer.text)
    assert {f"/ko/papers/2604.{n:05}" for n in numbers} <= set(seen.links)
    assert not {f"/ko/papers/2604.{n:05}" for n in {1, 2, 3} - numbers} & set(seen.links)
    assert heading in seen.words


async def test_a_topic_has_one_address(served: Served) -> None:
    for written in ("Diffusion%20Models", "diffusion--models", "DIFFUSION-models"):
        answer = await served.get(f"/en/keywords/{written}?page=1")
        assert (answer.status, answer.headers["Location"]) == (301, "/en/keywords/diffusion-models")
    for stranger in ("nothing", "-", "%00", "x" * 300, "%22%20or%20%22"):
        assert (await served.get(f"/en/keywords/{stranger}")).status in {301, 404}, stranger
    assert (await served.get("/en/words/diffusion-models")).status == 404


async def test_a_topic_turns_pages(served: Served) -> None:
    first, last = await served.get("/en/keywords/robots"), await served.get("/en/keywords/robots?page=3")
    assert "45 papers" in first.text
    assert first.text.count("<article>") == 20
    assert last.text.count("<article>") == 5
    assert "/en/keywords/robots?page=2" in Seen(first.text).links
    assert re.search(r'<link rel="canonical" href="http://[^"]+/en/keywords/robots\?page=3">', last.text)
    assert (await served.get("/en/keywords/robots?page=4")).status == 404
    for odd in ("0", "x", "99999999999", "²"):
        assert (await served.get(f"/en/keywords/robots?page={odd}")).status in {200, 404}


async def test_search_engines_are_given_pages_of_whole_names_alone(served: Served) -> None:
    assert 'content="noindex"' not in (await served.get("/en/authors/kaiming-he")).text
    for part_or_single in ("authors/he", "keywords/扩散模型", "keywords/diffusion"):
        assert 'content="noindex"' in (await served.get(f"/en/{part_or_single}")).text


async def test_a_topic_can_be_followed(served: Served) -> None:
    seen = Seen((await served.get("/en/authors/kaiming-he")).text)
    feeds = [link for link in seen.links if link.startswith("/feed/en.xml")]
    assert parse_qs(urlsplit(feeds[0]).query) == {"topics": ["author:Kaiming He"]}
    assert "Paper number 1" in (await served.get(feeds[0])).text
    assert [link for link in seen.links if link.startswith("https://t.me/papers_bot")]


@dataclass(frozen=True)
class Linking(Invited):
    """A channel with links that run commands, as far as the web server asks."""

    def link_to(self, line: str) -> Link | None:
        return None if len(line) > 40 else Link("Telegram", f"https://t.me/papers_bot?start={line}")


async def test_an_app_is_opened_with_the_topic_where_a_link_can_hold_it(tmp_path: Path) -> None:
    async with Served(tmp_path, channels=[Linking(Link("Telegram", "https://t.me/papers_bot"))]) as served:
        await served.publish(paper(1, authors=("Ada Lovelace", "A Name That Is Too Long For Any Deep Link")))
        for name, url in (
            ("ada-lovelace", "https://t.me/papers_bot?start=follow author:Ada Lovelace"),
            ("a-name-that-is-too-long-for-any-deep-link", "https://t.me/papers_bot"),
        ):
            page = (await served.get(f"/en/authors/{name}")).text
            assert [link for link in Seen(page).links if link.startswith("https://t.me/")] == [url]
            assert ("then type !follow author:A Name That Is Too Long" in page) == (name != "ada-lovelace")


async def test_an_app_is_opened_in_the_language_and_style_of_the_page(tmp_path: Path) -> None:
    async with Served(tmp_path, channels=[Linking(Link("Telegram", "https://t.me/papers_bot"))]) as served:
        await served.publish(paper(1))
        for path, begins in (("", "ko"), ("2026-04-29?style=abstract", "ko-abstract")):
            links = Seen((await served.get(f"/ko/{path}")).text).links
            assert f"https://t.me/papers_bot?start=subscribe {begins}" in links


async def test_where_a_link_cannot_subscribe_the_page_says_what_to_type(served: Served) -> None:
    assert "then type !subscribe" in (await served.get("/en/")).text
    assert "then type !follow keyword:Diffusion Models" in (await served.get("/en/keywords/diffusion-models")).text


async def test_the_button_in_the_header_keeps_the_topic(served: Served) -> None:
    assert "#subscribe" in Seen((await served.get("/ko/keywords/diffusion-models")).text).links


async def test_chips_lead_to_pages(served: Served) -> None:
    links = Seen((await served.get("/en/papers/2604.00001")).text).links
    for there in ("/en/keywords/diffusion-models", "/en/authors/kaiming-he", "/en/organisations/deep-lab-ai"):
        assert there in links
        assert (await served.get(there)).status == 200


@given(st.text(max_size=200) | st.just(HOSTILE))
def test_any_name_makes_a_path_of_one_part(name: str) -> None:
    slug = topic_slug(name)
    assert topic_slug(slug) == slug
    assert len(slug) <= LONGEST_TOPIC_SLUG
    for kind in TopicKind:
        path = URLS.topic("ko", name, kind)
        assert path.isascii()
        assert path.count("/") == 3 if slug else path.startswith("/ko/search?q=")
