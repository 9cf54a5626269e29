"""What machines read: heads of pages, structured data, sitemaps, manifest, OpenSearch, security.txt, citations."""

import json
import re
from collections.abc import AsyncIterator
from datetime import date, datetime, timedelta
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from bot.model import Cadence, Paper
from bot.render.catalogue import languages
from bot.render.words import words
from bot.web.pages import citations
from bot.web.pages.head import LONGEST_DESCRIPTION, describe
from bot.web.pages.sitemaps import NAMESPACE
from bot.web.pages.thumbnails import Thumbnails
from tests.support.pages import HOSTILE, paper
from tests.support.web_program import NOW, Answered, Served, some

PUBLIC = "https://papers.example.org/lab"
HOST = {"Host": "papers.example.org"}
IN_SITEMAPS = {"s": NAMESPACE}


class HeadReader(HTMLParser):
    """The tags of a page's head, and the text of its scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.metas: dict[str, list[str]] = {}
        self.links: list[dict[str, str | None]] = []
        self.scripts: list[str] = []
        self._in_script = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = dict(attrs)
        if tag == "meta":
            self.metas.setdefault(has.get("name") or has.get("property") or "", []).append(has.get("content") or "")
        if tag == "link":
            self.links.append(has)
        self._in_script = tag == "script"
        if self._in_script:
            assert has["type"] == "application/ld+json"
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        self._in_script = False

    def handle_data(self, data: str) -> None:
        if self._in_script:
            self.scripts[-1] += data

    def one(self, name: str) -> str:
        (content,) = self.metas[name]
        return content

    def of(self, rel: str) -> list[dict[str, str | None]]:
        return [each for each in self.links if each["rel"] == rel]

    @property
    def data(self) -> Any:
        (script,) = self.scripts
        return json.loads(script)


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    cache = tmp_path / "cache"
    cache.mkdir()
    Image.new("RGB", (320, 170)).save(cache / "2604.00001.small.jpg")
    async with Served(tmp_path, public=PUBLIC, thumbnails=Thumbnails(cache)) as opened:
        hostile = paper(2, title=HOSTILE, abstract=HOSTILE, authors=(HOSTILE,), keywords=(HOSTILE,))
        await opened.publish(paper(1, published=date(2026, 4, 27), keywords=("diffusion",)), hostile, paper(3))
        yield opened


async def get(served: Served, path: str) -> Answered:
    """Ask as the proxy does, by a whole URL or a path below the public address."""
    return await served.get(urlsplit(path).path if path.startswith("https") else f"/lab{path}", **HOST)


async def head(served: Served, path: str) -> HeadReader:
    return HeadReader((await get(served, path)).text)


@pytest.mark.parametrize("path", ["/ko/", "/ko/2026-04-29", "/ko/papers/2604.00001", "/ko/archive", "/ko/search"])
async def test_a_page_names_its_address_and_languages_absolutely(served: Served, path: str) -> None:
    read = await head(served, path)
    (canonical,) = read.of("canonical")
    assert canonical["href"] == read.one("og:url") == f"{PUBLIC}{path}"
    named = {each["hreflang"]: each["href"] for each in read.of("alternate") if "hreflang" in each}
    for tag in languages():
        assert named.pop(tag) == f"{PUBLIC}/{tag}{path.removeprefix('/ko')}"
    assert named == {"x-default": f"{PUBLIC}/" if path == "/ko/" else f"{PUBLIC}/en{path.removeprefix('/ko')}"}


async def test_a_page_that_is_not_for_search_engines_names_no_address(served: Served) -> None:
    read = await head(served, "/ko/nothing")
    assert read.one("robots") == "noindex"
    assert read.of("canonical") == []
    assert "og:url" not in read.metas


async def test_a_link_to_an_edition_is_shown_as_a_card(served: Served) -> None:
    read = await head(served, "/en/2026-04-29")
    assert (read.one("og:type"), read.one("og:site_name")) == ("website", "Morning Papers")
    assert "29 April 2026" in read.one("og:title")
    assert read.one("og:locale") == "en_US"
    assert {"ko_KR", "zh_CN", "zh_TW", "ja_JP"} <= set(read.metas["og:locale:alternate"])
    assert read.one("og:description") == read.one("description")
    assert read.one("description").startswith("Paper number 1 · ")
    assert read.one("og:image") == f"{PUBLIC}/pictures/2604.00001.large.jpg"
    assert read.one("twitter:card") == "summary_large_image"
    bare = await head(served, "/en/archive")
    assert (bare.one("og:image"), bare.one("twitter:card")) == (f"{PUBLIC}/icon-512.png", "summary")


async def test_an_edition_is_an_item_list(served: Served) -> None:
    for path in ("/en/", "/en/2026-04-29"):
        found = (await head(served, path)).data
        assert (found["@context"], found["@type"]) == ("https://schema.org", "ItemList")
        assert found["numberOfItems"] == len(found["itemListElement"]) == 3
        first, second = found["itemListElement"][:2]
        assert first == {
            "@type": "ListItem",
            "position": 1,
            "url": f"{PUBLIC}/en/papers/2604.00001",
            "name": "Paper number 1",
        }
        assert second["name"].startswith("<think>alert('1')</think> & \"quoted\"")


async def test_a_paper_is_a_scholarly_article(served: Served) -> None:
    read = await head(served, "/ko/papers/2604.00001")
    found = read.data
    assert (found["@type"], found["headline"]) == ("ScholarlyArticle", "Paper number 1")
    assert [each["name"] for each in found["author"]] == ["Ada", "Bo", "Chi", "Dee", "Eli"]
    assert found["datePublished"] == "2026-04-27"
    assert found["sourceOrganization"]["name"] == "Somewhere"
    assert found["image"] == f"{PUBLIC}/pictures/2604.00001.large.jpg"
    assert found["sameAs"][1] == "https://doi.org/10.48550/arXiv.2604.00001"
    assert read.one("og:type") == "article"
    hostile = (await head(served, "/ko/papers/2604.00002")).data
    assert "</title>" in hostile["headline"]
    assert "datePublished" not in hostile


async def test_reference_managers_find_their_tags(served: Served) -> None:
    metas = (await head(served, "/en/papers/2604.00001")).metas
    assert metas["citation_title"] == ["Paper number 1"]
    assert metas["citation_author"] == ["Ada", "Bo", "Chi", "Dee", "Eli"]
    assert metas["citation_publication_date"] == ["2026/04/27"]
    assert metas["citation_pdf_url"] == ["https://arxiv.org/pdf/2604.00001"]
    assert (await head(served, "/en/papers/2604.00003")).one("citation_publication_date") == "2026/04"


@pytest.mark.parametrize("path", ["/en/", "/en/archive", "/en/search", "/en/privacy", "/en/feeds", "/en/authors/ada"])
async def test_every_page_for_search_engines_is_described(served: Served, path: str) -> None:
    assert 10 < len((await head(served, path)).one("description")) <= LONGEST_DESCRIPTION


@pytest.mark.parametrize("text", ["word " * 100, "字" * 500, "x" * 400, "A sentence ends. " * 40])
def test_a_description_is_cut_at_a_word(text: str) -> None:
    cut = describe(text)
    assert len(cut) <= LONGEST_DESCRIPTION
    kept = cut.rstrip("…").rstrip()
    assert text.startswith(kept)
    assert not text.startswith("word") or kept.endswith("word")
    assert describe("A short one.") == "A short one."


def places(body: bytes, kind: str) -> dict[str, str | None]:
    """The URLs of a sitemap and when each changed, read as the protocol's schema has it."""
    root = ET.fromstring(body)
    assert root.tag == f"{{{NAMESPACE}}}{kind}"
    assert 0 < len(root) <= 50_000
    each_name = {"urlset": "url", "sitemapindex": "sitemap"}[kind]
    found = {}
    for each in root:
        assert each.tag == f"{{{NAMESPACE}}}{each_name}"
        children = [child.tag.removeprefix(f"{{{NAMESPACE}}}") for child in each]
        assert children in (["loc"], ["loc", "lastmod"])
        place, changed = each.findtext("s:loc", namespaces=IN_SITEMAPS), each.findtext("s:lastmod", None, IN_SITEMAPS)
        assert place is not None
        assert len(place) < 2048
        assert changed is None or datetime.fromisoformat(changed).tzinfo is not None
        found[place] = changed
    assert len(found) == len(root)
    return found


async def test_the_sitemaps_list_every_page_in_every_language(served: Served) -> None:
    found = some(2, 50, keywords=("Robots",))
    await served.publish(*found, paper(60, keywords=("rare",)), day=date(2025, 12, 31))
    await served.publish(*found, day=date(2025, 12, 31), cadence=Cadence.MONTH)
    robots = (await get(served, "/robots.txt")).text
    there = re.findall(r"(?m)^Sitemap: (.*)$", robots)
    assert there == [f"{PUBLIC}/sitemap.xml"]
    answer = await get(served, there[0])
    assert answer.headers["Content-Type"].startswith("application/xml")
    index = places(answer.body, "sitemapindex")
    assert list(index) == [f"{PUBLIC}/sitemap-{each}.xml" for each in ("pages", "topics", "2026-04", "2025-12")]
    assert index[f"{PUBLIC}/sitemap-2025-12.xml"] == "2025-12-31T22:00:00+00:00"
    listed: dict[str, str | None] = {}
    for each in index:
        listed |= places((await get(served, each)).body, "urlset")
    editions = ("2026-04-29", "2025-12-31", "2025-12")
    wanted = ("", "archive", "keywords/robots", "papers/2604.00001", "papers/2604.00051", *editions)
    for tag in languages():
        assert {f"{PUBLIC}/{tag}/{each}" for each in wanted} <= listed.keys()
    assert not [each for each in listed if each.endswith("/keywords/rare")], "one paper is no topic"
    for each in listed:
        assert (await get(served, each)).status == 200
    for stranger in ("2026-05", "2026-13", "0000-00", "9999-12"):
        assert (await get(served, f"/sitemap-{stranger}.xml")).status == 404


@pytest.mark.parametrize("language", languages())
async def test_a_browser_can_search_and_keep_the_pages(served: Served, language: str) -> None:
    read = await head(served, f"/{language}/2026-04-29")
    (found,) = read.of("search")
    answer = await served.get(found["href"] or "", **HOST)
    root = ET.fromstring(answer.body)
    named = {each.tag.partition("}")[2]: each for each in root}
    assert len(named["ShortName"].text or "") <= 16
    assert named["Url"].get("template") == f"{PUBLIC}/{language}/search?q={{searchTerms}}"
    (kept,) = read.of("manifest")
    manifest = json.loads((await served.get(kept["href"] or "", **HOST)).body)
    assert (manifest["lang"], manifest["dir"]) == (language, words(language).direction.value)
    assert manifest["start_url"] == f"/lab/{language}/"
    (touch,) = read.of("apple-touch-icon")
    for path, size in [(touch["href"], "180x180"), *((each["src"], each["sizes"]) for each in manifest["icons"])]:
        icon = await served.get(path or "", **HOST)
        assert icon.headers["Content-Type"].startswith("image/png")
        assert "{}x{}".format(*Image.open(BytesIO(icon.body)).size) == size
        assert len(icon.body) < 30_000


async def test_faults_of_security_have_an_address_where_one_is_set(served: Served, tmp_path: Path) -> None:
    assert (await served.get("/.well-known/security.txt", **HOST)).status == 404
    other = tmp_path / "other"
    other.mkdir()
    for contact, uri in (
        ("ops@papers.example.org", "mailto:ops@papers.example.org"),
        ("https://lab.example/report", "https://lab.example/report"),
    ):
        async with Served(other, public=PUBLIC, SECURITY_CONTACT=contact) as set_up:
            answer = await set_up.get("/.well-known/security.txt", **HOST)
            fields = dict(line.split(": ", 1) for line in answer.text.splitlines())
            assert fields["Contact"] == uri
            assert NOW < datetime.fromisoformat(fields["Expires"]) < NOW + timedelta(days=366)
            assert fields["Canonical"] == "https://papers.example.org/.well-known/security.txt"


def fields_of_bibtex(entry: str) -> dict[str, str]:
    """The fields of one entry, read as BibTeX does: values in braces, which are counted."""
    opened = re.match(r"@misc\{([^,{}\s]+),\s*", entry)
    assert opened
    found, at = {}, opened.end()
    while named := re.compile(r"(\w+) = \{").match(entry, at):
        at, depth, start = named.end(), 1, named.end()
        while depth:
            depth += {"{": 1, "}": -1}.get(entry[at], 0)
            at += 1
        found[named[1]] = entry[start : at - 1]
        at = re.compile(r",\s*").match(entry, at).end()  # type: ignore[union-attr]
    assert entry[at:].strip() == "}"
    return found


async def test_a_paper_can_be_cited(served: Served) -> None:
    answer = await get(served, "/cite/2604.00001.bib")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="arxiv-2604.00001.bib"'
    assert fields_of_bibtex(answer.text) == {
        "title": "{Paper number 1}",
        "author": "Ada and Bo and Chi and Dee and Eli",
        "year": "2026",
        "month": "4",
        "eprint": "2604.00001",
        "archivePrefix": "arXiv",
        "doi": "10.48550/arXiv.2604.00001",
        "url": "https://arxiv.org/abs/2604.00001",
    }
    record = (await get(served, "/cite/2604.00001.ris")).text.split("\r\n")
    assert record[:3] == ["TY  - JOUR", "TI  - Paper number 1", "AU  - Ada"]
    assert "DA  - 2026/04/27/" in record
    assert record[-2:] == ["ER  - ", ""]
    for stranger in ("2604.99999.bib", "x.bib", "2604.00001.pdf", "2604.00001"):
        assert (await get(served, f"/cite/{stranger}")).status == 404


def test_names_are_cited_family_first() -> None:
    names = ("Marie Curie", "Jan van den Berg", "Plato", "OpenAI, Inc.", "Tools and Toys")
    written = citations.ris(paper(authors=names))
    assert re.findall(r"AU  - (.*)\r", written) == [
        "Curie, Marie",
        "van den Berg, Jan",
        "Plato",
        "OpenAI, Inc.",
        "and Toys, Tools",
    ]
    read = fields_of_bibtex(citations.bibtex(paper(authors=names)))
    assert read["author"] == "Marie Curie and Jan van den Berg and Plato and {OpenAI, Inc.} and {Tools and Toys}"


TEXTS = st.text(st.sampled_from('ab {}\\$&#%_^~,"@\n\r\u2028é字 and'), max_size=40)


@settings(max_examples=50)
@given(title=TEXTS, author=TEXTS, abstract=TEXTS)
def test_no_paper_can_break_a_citation(title: str, author: str, abstract: str) -> None:
    cited: Paper = paper(title=title, authors=(author,), abstract=abstract)
    assert fields_of_bibtex(citations.bibtex(cited))["eprint"] == cited.id
    lines = citations.ris(cited).split("\r\n")
    assert all(re.match(r"[A-Z][A-Z0-9]  - ", line) for line in lines[:-1])
    assert [line for line in lines if line.startswith("ER")] == ["ER  - "]
    assert not re.search(r"[\r\n]", "".join(lines))
