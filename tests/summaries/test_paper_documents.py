"""Reading a paper from HTML, Markdown and PDF, hostile ones included."""

import asyncio
import re
import threading
from contextlib import suppress
from io import BytesIO

import pypdf
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.summaries.fulltext import paper_html, paper_markdown, paper_pdf
from bot.summaries.fulltext.library import FullTextLibrary
from bot.summaries.fulltext.sections import MOST_TEXT, DocumentError
from tests.support.full_texts import AT_ARXIV, HTML, ID, NOW, kinds, read, said
from tests.support.paper_server import (
    FILLER,
    PaperServer,
    figure,
    formula,
    page,
    printed_paper,
    section,
    written_markdown,
)

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
