"""Full texts over real connections: which source is asked, within what limits, and what is cached how long."""

import asyncio
import json
import os
from datetime import timedelta
from pathlib import Path

import pytest

from bot.runtime.http import USER_AGENT
from bot.summaries.fulltext.file_cache import MISSING, FileCache
from bot.summaries.fulltext.library import FullTextLibrary
from tests.support.full_texts import HTML, ID, MARKDOWN, NOW, PDF, kinds, opened, said
from tests.support.paper_server import (
    FILLER,
    Fault,
    PaperServer,
    figure,
    page,
    printed,
    printed_paper,
    section,
    written_markdown,
)


def kept(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# Sources


async def test_the_html_is_the_first_source_and_the_only_one_asked(server: PaperServer, texts: FullTextLibrary) -> None:
    for path in (HTML, MARKDOWN, PDF):
        server.add(path, page())
    text = await texts.get(ID, NOW)
    assert text is not None
    assert text.source == "html"
    assert kinds(text) == ["abstract", "introduction", "results", "conclusion", "appendix"]
    assert server.requests == [HTML]
    assert server.headers[0]["User-Agent"] == USER_AGENT


async def test_then_comes_the_markdown_then_the_pdf(server: PaperServer, texts: FullTextLibrary) -> None:
    server.add(MARKDOWN, written_markdown(), "text/markdown")
    server.add(PDF, printed_paper(), "application/pdf")
    text = await texts.get(ID, NOW)
    assert text is not None
    assert text.source == "markdown"
    assert server.requests == [HTML, MARKDOWN]
    server.add(MARKDOWN, "# Days\n\n## Abstract\n\nWe ask.\n\n## Community\n\n" + FILLER * 50)
    text = await texts.get(ID, NOW + timedelta(days=31))
    assert text is not None
    assert text.source == "pdf"
    assert text.figures == ()
    assert "is of the sort" not in said(text)


async def test_nothing_is_none(server: PaperServer, texts: FullTextLibrary) -> None:
    assert await texts.get(ID, NOW) is None
    assert server.requests == [HTML, MARKDOWN, PDF]


@pytest.mark.parametrize(
    "wrong", ["", "2511.1", "../../etc", "2511.00001v2", "２５１１.00001", "2511.00001\n", "x" * 9999]
)
async def test_what_is_no_id_is_never_asked_for(server: PaperServer, texts: FullTextLibrary, wrong: str) -> None:
    assert await texts.get(wrong, NOW) is None
    assert server.requests == []


async def test_a_redirect_is_followed_on_the_same_host(server: PaperServer, texts: FullTextLibrary) -> None:
    server.fault(HTML, Fault.redirect(f"{HTML}v2#S1"))
    server.add(f"{HTML}v2", page(figure("x1.png", "A way."), base=None))
    text = await texts.get(ID, NOW)
    assert text is not None
    assert server.requests == [HTML, f"{HTML}v2"]
    assert [each.url for each in text.figures] == [f"{server.url}{HTML}v2/x1.png"]


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://example.org/html/1",
        "http://localhost:1/",
        "//example.org/",
        "file:///etc/passwd",
        "http://[",
        "ftp://a/",
    ],
)
async def test_a_redirect_elsewhere_is_not_followed(
    server: PaperServer, texts: FullTextLibrary, elsewhere: str
) -> None:
    server.fault(HTML, Fault.redirect(elsewhere))
    assert await texts.get(ID, NOW) is None
    assert server.requests == [HTML, MARKDOWN, PDF]


async def test_nor_to_another_server_on_this_machine(server: PaperServer, texts: FullTextLibrary) -> None:
    async with PaperServer() as other:
        server.fault(HTML, Fault.redirect(other.add(HTML, page())))
        assert await texts.get(ID, NOW) is None
        assert other.requests == []


async def test_a_redirect_in_a_circle_ends(server: PaperServer, texts: FullTextLibrary) -> None:
    server.fault(HTML, Fault.redirect(HTML))
    assert await texts.get(ID, NOW) is None
    assert server.requests == [HTML] * 4 + [MARKDOWN, PDF]


@pytest.mark.parametrize("fault", [Fault.endless, Fault.bomb, Fault.drop, Fault.status(500), Fault.status(403)])
async def test_a_source_that_misbehaves_is_passed_over(
    server: PaperServer, texts: FullTextLibrary, fault: Fault, caplog: pytest.LogCaptureFixture
) -> None:
    for path in (HTML, PDF):
        server.fault(path, fault)
    server.add(HTML, page())
    server.add(MARKDOWN, written_markdown())
    text = await texts.get(ID, NOW)
    assert text is not None
    assert text.source == "markdown"
    (line,) = [record for record in caplog.records if record.name == "bot.summaries.fulltext.library"]
    assert line.levelname == "WARNING"
    assert "\n" not in getattr(line, "reason")  # noqa: B009 - what `extra` adds is no attribute to mypy
    assert "Days" not in caplog.text


async def test_a_source_that_never_answers_is_given_up(server: PaperServer, tmp_path: Path) -> None:
    server.fault(HTML, Fault.hang)
    server.add(MARKDOWN, written_markdown())
    async with opened(server, tmp_path, total=0.2) as texts:
        text = await texts.get(ID, NOW)
    assert text is not None
    assert text.source == "markdown"


@pytest.mark.parametrize(
    ("path", "body", "kind"),
    [
        (HTML, printed_paper(), "text/html"),
        (HTML, page(body="<p>No HTML for this paper.</p>"), "text/html"),
        (HTML, page(section("Half", 9, "Conversion to HTML had a Fatal error and exited abruptly.")), "text/html"),
        (HTML, b"\x00\xff" * 5_000, "text/html"),
        (MARKDOWN, page(), "text/markdown"),
        (PDF, page(), "application/pdf"),
        (PDF, b"%PDF-1.7\n" + bytes(range(256)) * 99, "application/pdf"),
        (PDF, printed(["1 Introduction"]), "application/pdf"),
    ],
)
async def test_what_is_no_paper_is_none_whatever_it_calls_itself(
    server: PaperServer, texts: FullTextLibrary, path: str, body: bytes | str, kind: str
) -> None:
    server.add(path, body, kind)
    assert await texts.get(ID, NOW) is None


async def test_a_lying_content_type_takes_nothing_from_a_good_paper(
    server: PaperServer, texts: FullTextLibrary
) -> None:
    server.add(HTML, page(), "image/png")
    assert kinds(await texts.get(ID, NOW))


# Politeness


async def test_a_host_that_asks_us_to_wait_is_left_alone_so_long(server: PaperServer, texts: FullTextLibrary) -> None:
    server.add(HTML, page())
    server.fault(HTML, Fault.status(429, retry_after="7200"))
    assert await texts.get(ID, NOW) is None
    assert server.requests == [HTML]  # the other sources are on the same host here
    server.fault(HTML, None)
    assert await texts.get(ID, NOW + timedelta(seconds=7199)) is None
    assert server.requests == [HTML]
    assert kinds(await texts.get(ID, NOW + timedelta(seconds=7200)))


async def test_a_host_that_waits_does_not_stop_the_other(server: PaperServer, tmp_path: Path) -> None:
    async with (
        PaperServer() as face,
        FullTextLibrary(tmp_path, arxiv=server.url, hugging_face=face.url, pause=0) as texts,
    ):
        server.fault(HTML, Fault.status(503, retry_after="60"))
        face.add(MARKDOWN, written_markdown())
        text = await texts.get(ID, NOW)
        assert text is not None
        assert text.source == "markdown"


async def test_the_same_paper_asked_for_twice_at_once_is_fetched_once(
    server: PaperServer, texts: FullTextLibrary
) -> None:
    server.add(HTML, page())
    both = await asyncio.gather(texts.get(ID, NOW), texts.get(ID, NOW))
    assert both[0] == both[1]
    assert server.requests == [HTML]


# What is kept


async def test_a_text_is_kept_for_thirty_days(server: PaperServer, texts: FullTextLibrary, tmp_path: Path) -> None:
    server.add(HTML, page(figure(f"{server.url}/x1.png", "A way.")))
    first = await texts.get(ID, NOW)
    assert await texts.get(ID, NOW + timedelta(days=29)) == first
    async with opened(server, tmp_path) as again:
        assert await again.get(ID, NOW + timedelta(days=29)) == first
    assert server.requests == [HTML]
    assert kept(tmp_path) == [f"{ID}.html.json"]
    await texts.get(ID, NOW + timedelta(days=30))
    assert server.requests == [HTML] * 2


async def test_that_there_is_nothing_is_kept_for_six_hours(server: PaperServer, texts: FullTextLibrary) -> None:
    assert await texts.get(ID, NOW) is None
    server.add(HTML, page())
    assert await texts.get(ID, NOW + timedelta(hours=5)) is None
    assert server.requests == [HTML, MARKDOWN, PDF]
    assert kinds(await texts.get(ID, NOW + timedelta(hours=6)))


async def test_a_better_source_is_looked_for_again_while_a_worse_one_is_kept(
    server: PaperServer, texts: FullTextLibrary
) -> None:
    server.add(PDF, printed_paper())
    for hours, source in ((0, "pdf"), (1, "pdf"), (7, "html")):
        text = await texts.get(ID, NOW + timedelta(hours=hours))
        assert text is not None
        assert text.source == source
        server.add(HTML, page())


async def test_a_temporary_fault_is_not_kept(server: PaperServer, texts: FullTextLibrary) -> None:
    server.add(HTML, page())
    server.fault(HTML, Fault.status(500))
    assert await texts.get(ID, NOW) is None
    server.fault(HTML, None)
    assert kinds(await texts.get(ID, NOW))


@pytest.mark.parametrize(
    "damage",
    [b"", b"{", b"[]", b"7", b"[" * 100_000, b'{"form": 1}', b'{"form": 1, "source": "html", "sections": 7}']
    + [
        json.dumps({"form": form, "source": source, "sections": sections, "figures": figures}).encode()
        for form, source, sections, figures in (
            (0, "html", [], []),
            (1, "pdf", [], []),
            (1, "html", [{"title": 1, "text": "", "kind": "other"}], []),
            (1, "html", [{"title": "", "text": "", "kind": "secret"}], []),
            (1, "html", [], [{"address": ""}]),
            (1, "html", [], [{"url": "", "caption": None}]),
        )
    ],
)
async def test_a_damaged_file_is_fetched_again(
    server: PaperServer, texts: FullTextLibrary, tmp_path: Path, damage: bytes
) -> None:
    server.add(HTML, page())
    assert FileCache(tmp_path).write(f"{ID}.html.json", damage, NOW)
    assert kinds(await texts.get(ID, NOW))
    assert server.requests == [HTML]


async def test_a_disk_that_fails_costs_the_cache_alone(server: PaperServer, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    server.add(HTML, page())
    async with opened(server, tmp_path / "file") as texts:
        assert kinds(await texts.get(ID, NOW))


def test_the_shelf_drops_what_is_oldest_and_only_what_is_its_own(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_bytes(b"x" * 1000)
    os.utime(tmp_path / "notes.txt", (0, 0))
    shelf = FileCache(tmp_path, largest=250)
    for number in (3, 1, 2):
        assert shelf.write(f"2511.0000{number}.fig.jpg", b"x" * 100, NOW + timedelta(hours=number))
    assert kept(tmp_path) == [
        "2511.00002.fig.jpg",
        "2511.00003.fig.jpg",
        "notes.txt",
    ]
    assert shelf.write("2511.00009.fig.jpg", b"x" * 9_999, NOW - timedelta(days=9))
    assert kept(tmp_path) == ["2511.00009.fig.jpg", "notes.txt"]


def test_a_file_from_a_clock_that_was_wrong_is_not_kept_for_ever(tmp_path: Path) -> None:
    shelf = FileCache(tmp_path)
    assert shelf.put("2511.00001.html.json", {}, NOW)
    assert shelf.look("2511.00001.html.json", NOW - timedelta(hours=1)) == {}
    assert shelf.look("2511.00001.html.json", NOW - timedelta(days=31)) is MISSING
