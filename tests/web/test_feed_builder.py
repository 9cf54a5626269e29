"""The page that puts together a feed's address, and OPML."""

from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote, urlsplit
from xml.etree import ElementTree as ET

import pytest

from bot.commands import WITHOUT_MODEL
from bot.model import Cadence
from bot.render.catalogue import languages
from bot.render.words import words
from tests.support.seen_pages import Seen
from tests.support.web_program import Served, some

PUBLIC = "https://papers.example.org"
HOST = {"Host": "papers.example.org"}


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    async with Served(tmp_path, public=PUBLIC) as opened:
        await opened.publish(*some(3))
        yield opened


async def test_a_form_makes_the_address_of_a_feed(served: Served) -> None:
    empty = Seen((await served.get("/en/feeds", **HOST)).text)
    assert not [link for link in empty.links if link.startswith(f"{PUBLIC}/feed/")]
    fields = [each.get("name") for tag in ("select", "input") for each in empty.all(tag)]
    assert {"language", "style", "cadence", "topics"} <= set(fields)
    asked = f"language=ko&style=abstract&cadence=week&topics={quote('diffusion, -video')}"
    made = Seen((await served.get(f"/en/feeds?{asked}", **HOST)).text)
    addresses = [link for link in made.links if link.startswith(f"{PUBLIC}/feed/")]
    query = "style=abstract&cadence=week&topics=diffusion,-video"
    assert addresses == [f"{PUBLIC}/feed/ko.{kind}?{query}" for kind in ("xml", "atom", "json")]
    for address in addresses:
        assert (await served.get(f"{urlsplit(address).path}?{urlsplit(address).query}", **HOST)).status == 200


@pytest.mark.parametrize("query", ["topics=" + "x" * 61, "style=loud", "cadence=never", "language=xx", "topics=%00"])
async def test_odd_fields_break_nothing(served: Served, query: str) -> None:
    assert (await served.get(f"/en/feeds?{query}", **HOST)).status == 200


@pytest.mark.parametrize("language", languages())
async def test_all_feeds_of_a_language_are_in_one_file(served: Served, language: str) -> None:
    page = Seen((await served.get(f"/{language}/2026-04-29", **HOST)).text)
    assert f"/{language}/feeds" in page.links
    answer = await served.get(f"/{language}/feeds.opml", **HOST)
    assert answer.headers["Content-Type"].startswith("text/x-opml")
    root = ET.fromstring(answer.body)
    assert (root.tag, root.get("version")) == ("opml", "2.0")
    assert root.findtext("head/title") == words(language).gettext("newsletter.name")
    outlines = root.findall("body/outline/outline")
    assert len({each.get("text") for each in outlines}) == len(outlines) == len(Cadence) * len(WITHOUT_MODEL)
    for each in outlines:
        assert each.get("type") == "rss"
        url = urlsplit(each.get("xmlUrl") or "")
        assert (await served.get(f"{url.path}?{url.query}", **HOST)).status == 200
