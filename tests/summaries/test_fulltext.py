"""Whole texts over real connections: which source, within what limits, kept how; and excerpts of any text."""

import asyncio
import json
import os
import re
import threading
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any, get_args

import pypdf
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.runtime.http import USER_AGENT
from bot.runtime.text import visible
from bot.summaries.fulltext import paper_html, paper_markdown, paper_pdf
from bot.summaries.fulltext.file_cache import MISSING, FileCache
from bot.summaries.fulltext.library import FullText, FullTextLibrary, Section, excerpt
from bot.summaries.fulltext.sections import MOST_TEXT, DocumentError, Draft, Kind, cut, kind_of, shortened
from tests.support.paper_server import (
    FILLER,
    Fault,
    PaperServer,
    figure,
    formula,
    page,
    printed,
    printed_paper,
    section,
    written_markdown,
)

ID = "2511.00001"
HTML, MARKDOWN, PDF = f"/html/{ID}", f"/papers/{ID}.md", f"/pdf/{ID}"
NOW = datetime(2025, 11, 5, 22, 30, tzinfo=UTC)
AT_ARXIV = "https://arxiv.org/html/2511.00001"


@pytest.fixture
async def server() -> AsyncIterator[PaperServer]:
    async with PaperServer() as server:
        yield server


@pytest.fixture
async def texts(server: PaperServer, tmp_path: Path) -> AsyncIterator[FullTextLibrary]:
    async with opened(server, tmp_path) as texts:
        yield texts


def opened(server: PaperServer, folder: Path, **more: Any) -> FullTextLibrary:
    return FullTextLibrary(folder, arxiv=server.url, hugging_face=server.url, **({"pause": 0} | more))


def kept(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def kinds(text: FullText | None) -> list[str]:
    assert text is not None
    return [section.kind for section in text.sections]


def said(text: FullText | None) -> str:
    assert text is not None
    return "\n".join(f"{section.title}\n{section.text}" for section in text.sections)


def read(*more: str, **how: Any) -> FullText:
    sections, figures = paper_html.read(page(*more, **how).encode(), AT_ARXIV)
    return FullText("html", sections, figures)


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


# HTML


def test_a_formula_is_said_once_and_navigation_never() -> None:
    words = said(
        read(
            section(
                "Our Way",
                2,
                f"Let {formula('x_1')} be. <table class='ltx_equation'><tr><td>{formula('E=mc')}</td>"
                '<td><span class="ltx_eqn_eqno">(1)</span></td></tr></table>'
                "<math><mi>GLYPH</mi><annotation encoding='application/x-tex'>y_2</annotation></math>"
                "<math><mi>GLYPH</mi></math> <svg><text>SVG</text></svg>"
                '<span class="ltx_note ltx_role_footnote">FOOTNOTE</span> <span class="ltx_ERROR">\\undefined</span>',
            )
        )
    )
    assert "Let x_1 be." in words
    assert words.count("E=mc") == words.count("y_2") == 1
    assert not re.search(
        r"GLYPH|MEANING|SVG|FOOTNOTE|undefined|MENU|SCRIPT|color|LaTeXML|Ada|sometimes|cited|\(1\)", words
    )


def test_tables_and_drawings_are_their_captions() -> None:
    text = read(
        section(
            "Our Way",
            2,
            '<figure class="ltx_table"><figcaption class="ltx_caption">Table 1: Sums.</figcaption>'
            '<table class="ltx_tabular"><tr><td>CELL</td></tr></table><img src="t.png"></figure>'
            "<table><caption>Table 2: More <b>sums</b>.</caption><tr><td>CELL</td></tr></table>"
            '<figure class="ltx_figure"><figure class="ltx_figure_panel"><img src="a.png"><figcaption>(a)</figcaption>'
            '</figure><figure class="ltx_figure_panel"><img src="b.png"><svg><text>CELL</text></svg></figure>'
            "<h3>CELL</h3><p>CELL</p><figcaption>Figure 2: Two ways.</figcaption></figure>",
        )
    )
    words = said(text)
    assert "Table 1: Sums.\nTable 2: More sums.\nFigure 2: Two ways." in words
    assert "CELL" not in words
    root = "https://arxiv.org/html/2511.00001v2"
    assert [(each.url, each.caption) for each in text.figures] == [
        (f"{root}/a.png", "Figure 2: Two ways."),
        (f"{root}/b.png", "Figure 2: Two ways."),
    ]


@pytest.mark.parametrize(
    ("base", "source", "address"),
    [
        ("/html/2511.00001v2/", "x1.png", f"{AT_ARXIV}v2/x1.png"),
        ("https://arxiv.org/html/2511.00001v2/", "fig/x1.png", f"{AT_ARXIV}v2/fig/x1.png"),
        (None, "x1.png", f"{AT_ARXIV}/x1.png"),
        (None, "2511.00001v2/x1.png", f"{AT_ARXIV}v2/x1.png"),
        (None, "/html/2511.00001v3/x1.png", f"{AT_ARXIV}v3/x1.png"),
        (None, "data:image/png;base64,AAAA", None),
        (None, "", None),
        (None, "http://[", None),
    ],
)
def test_where_a_figure_is(base: str | None, source: str, address: str | None) -> None:
    assert [each.url for each in read(figure(source, "A way."), base=base).figures] == ([address] if address else [])


async def test_a_figure_elsewhere_is_none(server: PaperServer, texts: FullTextLibrary) -> None:
    evil = "".join(figure(url, "It.") for url in ("https://example.org/a.png", "//example.org/a.png", "file:///a.png"))
    server.add(HTML, page(evil, base="https://example.org/html/"))
    text = await texts.get(ID, NOW)
    assert text is not None
    assert text.figures == ()


def test_sections_without_a_telling_name_stand_for_the_method_before_the_results() -> None:
    text = read(section("The Foo Framework of Bar", 2), section("Related Work", 3))
    assert kinds(text) == ["abstract", "introduction", "method", "related", "results", "conclusion", "appendix"]


def test_headings_below_a_section_are_of_its_kind() -> None:
    below = section("Our Method", 2) + '<h3 class="ltx_title ltx_title_subsection">Tuning</h3><p>So.</p>'
    below += '<h6 class="ltx_title ltx_title_theorem">Theorem 1.</h6><p>Let it.</p>'
    sections = read(below).sections
    (found,) = [section for section in sections if section.title == "Tuning"]
    assert found.kind == "method"
    assert found.text == "So.\nTheorem 1.\nLet it."


def test_plain_headings_do_as_well() -> None:
    body = "<h1>Days</h1><p>By us.<h2>Introduction</h2>" + f"<p>{FILLER}" * 9 + f"<h2>Results</h2><p>{FILLER}<h3>More"
    text = read(body=body + f"</h3>{FILLER * 9}")
    assert [(section.kind, section.title) for section in text.sections[-3:]] == [
        ("introduction", "Introduction"),
        ("results", "Results"),
        ("results", "More"),
    ]


HOSTILE = [
    "<div>" * 100_000,
    "<b>" * 100_000 + "</i>" * 100_000,
    "<figure>" * 10_000 + "<img src=a>" * 10_000,
    "<h2>" * 10_000,
    "<h2>a</h2>b" * 10_000,
    "<!--" * 50_000,
    "<a " * 50_000,
    "<![CDATA[" * 10_000,
    "<![bad[x]]>",
    "<!x" * 50_000,
    "<script>" + "</" * 50_000,
    "&#" + "9" * 10_000 + ";",
    "&#x" + "f" * 10_000,
    "<math>" * 10_000 + "<annotation encoding='application/x-tex'>" * 10_000,
    "<math alttext='" + "x" * 100_000 + "'>",
    "<!DOCTYPE a [<!ENTITY b '" + "c" * 1000 + "'>]>" + "&b;" * 10_000,
    "<img src='" + "a" * 300_000 + "'>",
    "</html></body></p>" * 10_000,
    "\x00" * 10_000,
]


@pytest.mark.parametrize("more", HOSTILE, ids=lambda text: text[:12].encode("unicode_escape").decode())
def test_a_hostile_page_is_read_as_far_as_it_goes(more: str) -> None:
    try:
        words = said(read(section("Our Way", 2) + more))
    except DocumentError:
        return
    assert words.startswith("Abstract\nWe ask about days.")
    assert len(words) < MOST_TEXT * 2


@given(st.text("<>/!-[]&;#'\"= \nabh2figuremtscp", max_size=400))
@example("<a b='" * 9)
@example("<![a[")
def test_any_page_is_read_or_refused(text: str) -> None:
    for each in (text, page(text)):
        with suppress(DocumentError):
            paper_html.read(each.encode(), AT_ARXIV)


@given(st.text(max_size=400), st.text("#`|![]() \nab", max_size=400))
def test_any_markdown_is_read_or_refused(text: str, marks: str) -> None:
    for each in (text, marks):
        with suppress(DocumentError):
            paper_markdown.read(each.encode("utf-8", "replace"))
    assert paper_markdown.read((written_markdown() + marks).encode())


def test_what_nobody_sees_goes() -> None:
    text = read(section("Our W\u202eay", 2, "A\u0000b\u202ec\u200bd\u00ade \U000e0041f\ue000g\u2028h\u200d"))
    assert "Our Way\nAbcde fg h\u200d" in said(text).replace("2 ", "")


# Markdown and PDF


def test_markdown_loses_its_front_matter_code_tables_and_references() -> None:
    sections, figures = paper_markdown.read(written_markdown().encode())
    assert [(each.title, each.kind) for each in sections] == [
        ("Abstract", "abstract"),
        ("1 Introduction", "introduction"),
        ("1.1 What is new", "introduction"),
        ("2 Experiments", "results"),
        ("A Proofs", "appendix"),
    ]
    words = " ".join(each.text for each in sections)
    assert "See the code." in words
    for unsaid in ("CELL", "HEADING", "example.org", "title:", "cited", "Refer"):
        assert unsaid not in words
    assert [each.url for each in figures] == ["https://arxiv.org/html/2511.00001v1/x1.png"]


async def test_a_pdf_has_its_headings_told_by_numbers_and_names() -> None:
    sections = await paper_pdf.read(printed_paper())
    assert [(each.title, each.kind) for each in sections] == [
        ("", "other"),
        ("Abstract", "abstract"),
        ("1 Introduction", "introduction"),
        ("1.1 What is new", "introduction"),
        ("2 Experiments", "results"),
        ("3 Conclusion", "conclusion"),
        ("A Proofs", "appendix"),
    ]
    words = "\n".join(each.text for each in sections)
    assert "12 Rows of a table" in words
    assert "arXiv:" not in words
    assert "cited" not in words


def test_words_that_a_line_broke_are_whole_again() -> None:
    sections = paper_pdf.sections("1 Introduction\nWe trans-\nform and ﬁnd.\n" + f"{FILLER}\n" * 20)
    assert sections[0].text.startswith("We transform and find. We measure")


async def test_a_pdf_has_no_more_pages_than_are_read() -> None:
    with pytest.raises(DocumentError, match="no paper"):
        await paper_pdf.read(printed_paper(), pages=0)


async def test_a_pdf_that_takes_too_long_is_given_up() -> None:
    for seconds in (-1, 0):
        with pytest.raises(DocumentError, match=r"could not be read|too long"):
            await paper_pdf.read(printed_paper(), seconds=seconds)
    assert "too long" in str(await asyncio.to_thread(paper_pdf._text, printed_paper(), 0.0, 9))


async def test_while_a_pdf_is_stuck_no_other_is_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    free, freed = threading.Event(), threading.Event()

    def stuck(*_: object) -> str:
        free.wait()
        freed.set()
        return ""

    monkeypatch.setattr(paper_pdf, "_text", stuck)
    with pytest.raises(DocumentError, match="could not be read"):
        await paper_pdf.read(printed_paper(), seconds=0.01)
    with pytest.raises(DocumentError, match="another") as refused:
        await paper_pdf.read(printed_paper())
    assert refused.value.temporary
    free.set()
    await asyncio.to_thread(freed.wait)
    await asyncio.to_thread(paper_pdf._busy.acquire)
    paper_pdf._busy.release()


def test_an_encrypted_pdf_is_refused() -> None:
    writer = pypdf.PdfWriter()
    writer.add_blank_page(100, 100)
    writer.encrypt("secret", algorithm="RC4-128")
    body = BytesIO()
    writer.write(body)
    with pytest.raises(DocumentError, match="encrypted"):
        asyncio.run(paper_pdf.read(body.getvalue()))


@given(st.lists(st.text(max_size=60), max_size=60).map("\n".join))
def test_any_lines_of_a_pdf_are_sections(text: str) -> None:
    sections = paper_pdf.sections(f"{text}\n1 Introduction\n" + FILLER * 20)
    assert all(len(each.title) <= 200 and each.text for each in sections)


# Sections and excerpts


@pytest.mark.parametrize(
    ("title", "kind"),
    [
        ("Introduction", "introduction"),
        ("1. Introduction", "introduction"),
        ("IV. Results and Discussion", "results"),
        ("3.2 Experimental Setup", "results"),
        ("A New Method", "method"),
        ("Appendix A Proofs", "appendix"),
        ("Supplementary Material", "appendix"),
        ("Related Work", "related"),
        ("2 Background and Related Work", "related"),
        ("Background Subtraction", "other"),
        ("Comparison with Prior Work", "results"),
        ("References", "references"),
        ("Reference-Free Evaluation", "results"),
        ("Acknowledgements", "acknowledgements"),
        ("Conflicts of Interest", "acknowledgements"),
        ("Resolving Knowledge Conflicts", "other"),
        ("Limitations", "limitations"),
        ("Conclusion and Future Work", "conclusion"),
        ("In-Context Learning", "other"),
        ("", "other"),
    ],
)
def test_what_a_section_is_good_for(title: str, kind: str) -> None:
    assert kind_of(title) == kind


def test_an_endless_list_of_headings_is_bounded() -> None:
    draft = Draft()
    for number in range(5_000):
        draft.heading(2, f"Part {number}")
        draft.text(FILLER * 10)
    sections = draft.sections()
    assert len(sections) <= 500
    assert sum(len(each.text) for each in sections) <= MOST_TEXT


SECTIONS = st.lists(
    st.builds(
        Section,
        st.text(max_size=30),
        st.one_of(st.text(max_size=300), st.lists(st.sampled_from(FILLER.split()), max_size=99).map(" ".join)),
        st.sampled_from(get_args(Kind)),
    ),
    max_size=12,
)


@given(SECTIONS, st.integers(-5, 2_000))
def test_an_excerpt_is_never_longer_than_it_may_be(sections: list[Section], most: int) -> None:
    found = excerpt(FullText("html", sections, ()), most)
    assert len(found) <= max(most, 0)


@given(SECTIONS)
def test_an_excerpt_with_room_is_all_that_may_be_said(sections: list[Section]) -> None:
    found = excerpt(FullText("html", sections, ()), 1_000_000)
    unsaid = {"abstract", "references", "acknowledgements"}
    wanted = [each for each in sections if each.kind not in unsaid and each.text.strip()]
    assert found == "\n\n".join(f"{each.title}\n{each.text}" if each.title else each.text for each in wanted)


@given(st.text(max_size=300), st.integers(-5, 300))
@example("One two. Three four", 10)
@example("We follow Foo et al. in this", 21)
@example("一二三。四五六", 5)
def test_a_cut_ends_at_a_sentence_or_a_word_where_there_is_one(text: str, most: int) -> None:
    found = cut(text, most)
    assert len(found) <= max(most, 0)
    assert text.lstrip().startswith(found.lstrip())
    if found.strip() and len(found) < len(text):
        after = text[len(found) :] if text.startswith(found) else " "
        assert after[0].isspace() or found[-1] in "。！？" or not any(map(str.isspace, text[:most].strip()))


def test_a_cut_prefers_sentences_and_knows_abbreviations() -> None:
    assert cut("One two. Three four five six.", 15) == "One two."
    assert cut("We follow Foo et al. in this and say so.", 25) == "We follow Foo et al. in"
    assert cut("A line\nwithout an end", 12) == "A line"
    assert cut("Unbreakable", 4) == "Unbr"


@given(st.text(max_size=300), st.integers(0, 300))
def test_a_line_is_clean_and_stays_so(text: str, most: int) -> None:
    line = shortened(text, most)
    assert len(line) <= most
    assert "\n" not in line
    assert visible(line) == line
    assert shortened(line, most) == line


def test_what_matters_comes_first_and_in_the_papers_order() -> None:
    text = read(section("Our Method", 2, FILLER * 40), section("Related Work", 3, FILLER * 40))
    short = excerpt(text, 3_000)
    titles = ["1 Introduction", "2 Our Method", "4 Experiments", "5 Conclusion"]
    assert [line for line in short.splitlines() if line in titles] == titles
    assert "Related Work" not in short
    assert "Proofs" not in short
    assert 2_500 < len(short) <= 3_000
    assert all(line in titles or line[-1] in ".a" for line in short.splitlines() if line)
    assert "Related Work" in excerpt(text, 9_000)
