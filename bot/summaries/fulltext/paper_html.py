"""A paper's HTML as sections and figures: LaTeXML's shape, as arXiv and ar5iv serve it, and plain headings too.

Nothing recurses, nothing is looked up, and what is read is bounded: a page is what strangers wrote.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Sequence
from html.parser import HTMLParser
from typing import Literal, NamedTuple
from urllib.parse import urljoin

from bot.summaries.fulltext.sections import (
    LONGEST_CAPTION,
    LONGEST_TITLE,
    DocumentError,
    Draft,
    Figure,
    Kind,
    Section,
    shortened,
)

CHUNK = 64 << 10
LONGEST_TAG = 1 << 20
"""Characters of markup without an end that are waited for; beyond it the rest of the page is not read."""
LONGEST_FORMULA = 2_000
LONGEST_READING = 20.0
"""Seconds; a long paper takes half of one."""
MOST_FIGURES = 60
MOST_PANELS = 4
"""Pictures that are kept of one figure."""

FAILED = ("Conversion to HTML had a Fatal error", "ar5iv-severity-fatal")
"""What stands in a page whose conversion broke off: it may be half a paper."""


def _words(said: str) -> frozenset[str]:
    return frozenset(said.split())


_VOID = _words("area base br col embed hr img input link meta param source track wbr")
_SKIPPED = _words(
    "script style title template noscript nav footer svg object iframe button form select textarea audio video"
)
_SKIPPED_CLASSES = _words(
    "ltx_page_header ltx_page_footer ltx_page_navbar ltx_page_logo ltx_TOC ltx_toclist ltx_authors ltx_dates ltx_ERROR"
    " ltx_note ltx_eqn_eqno ltx_listing_data ltx_rdf package-alerts desktop_header mobile-header katex-html"
    # Titles of what is known by its place.
    " ltx_title_document ltx_title_abstract ltx_title_bibliography ltx_title_acknowledgements ltx_title_contents"
)
_BLOCKS = _words(
    "article aside blockquote body caption dd div dl dt figcaption figure h1 h2 h3 h4 h5 h6 header li main ol p pre"
    " section table tr ul"
)
_EQUATIONS = _words("ltx_equation ltx_equationgroup ltx_eqn_table ltx_eqn_align ltx_eqn_gather")
_LEVELS = {
    "ltx_title_part": 1,
    "ltx_title_chapter": 1,
    "ltx_title_section": 2,
    "ltx_title_appendix": 2,
    "ltx_title_subsection": 3,
    "ltx_title_subsubsection": 4,
}
_PARTS: dict[str, tuple[Kind, str]] = {
    "ltx_abstract": ("abstract", "Abstract"),
    "ltx_bibliography": ("references", "References"),
    "ltx_acknowledgements": ("acknowledgements", "Acknowledgements"),
    "ltx_appendix": ("appendix", "Appendix"),
}
_MARKED = re.compile(r"<!\[")
_LONG_REFERENCE = re.compile(r"&#(?:[0-9]{8,}|[xX][0-9a-fA-F]{7,});?")


class _State(NamedTuple):
    """What an open element makes of the text in it."""

    mute: Literal["", "skip", "table", "math"] = ""
    sink: Literal["body", "heading", "caption"] = "body"
    part: Kind | None = None
    figure: Literal[0, 1, 2] = 0
    """0 outside of figures, 1 in one, 2 in one of its panels."""
    level: int = 0
    """The heading's, from 1."""


def read(body: bytes, url: str) -> tuple[Sequence[Section], Sequence[Figure]]:
    """The sections of the page that `url` answered with, and its figures. Raises DocumentError where it is no paper."""
    text = body.decode("utf-8", "replace")
    if any(mark in text for mark in FAILED):
        raise DocumentError("its conversion to HTML failed")
    # Both would stop the parser: declarations it does not know, and numbers that int() refuses.
    text = _LONG_REFERENCE.sub("\ufffd", _MARKED.sub("&lt;![", text))
    reader = _Reader(url)
    until = time.monotonic() + LONGEST_READING
    for begin in range(0, len(text), CHUNK):
        reader.feed(text[begin : begin + CHUNK])
        if len(reader.rawdata) > LONGEST_TAG or time.monotonic() > until:
            break  # the parser would go over the same characters again and again
    if len(reader.rawdata) <= CHUNK >> 4:
        reader.close()
    reader.finish()
    sections = reader.draft.sections()
    if not any(section.title for section in sections if section.kind != "abstract"):
        raise DocumentError("it has no sections")
    return sections, tuple(reader.figures)


class _Reader(HTMLParser):
    """Follows the tags with a stack of its own; every step costs the same however deep it is."""

    def __init__(self, url: str) -> None:
        super().__init__(convert_charrefs=True)
        self.draft = Draft()
        self.figures: list[Figure] = []
        self._url = url
        self._base: str | None = None
        self._names: list[str] = []
        self._states = [_State()]
        self._open: Counter[str] = Counter()
        self._line: list[str] = []
        self._title: list[str] = []
        self._caption: list[str] = []
        self._captions: tuple[list[str], list[str]] = ([], [])
        self._images: list[str] = []
        self._drawn = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag in _VOID:
            self._void(tag, given)
            return
        classes = frozenset(given.get("class", "").split())
        if tag in _BLOCKS or "ltx_p" in classes:
            self._break()
        old = self._states[-1]
        new = old if old.mute == "skip" else self._within(old, tag, classes, given)
        self._names.append(tag)
        self._states.append(new)
        self._open[tag] += 1

    def handle_endtag(self, tag: str) -> None:
        if not self._open[tag]:
            return  # closes nothing: looking for it through all that is open would be dear
        while self._names:
            name = self._names.pop()
            self._open[name] -= 1
            self._leave(self._states.pop())
            if name == tag:
                break
        if tag in _BLOCKS:
            self._break()

    def handle_data(self, data: str) -> None:
        state = self._states[-1]
        if state.mute:
            return
        match state.sink:
            case "body":
                self._line.append(data)
            case "heading":
                self._title.append(data)
            case "caption":
                self._caption.append(data)

    def finish(self) -> None:
        """Close what is still open."""
        while self._names:
            self.handle_endtag(self._names[-1])
        self._break()

    def _void(self, tag: str, given: dict[str, str]) -> None:
        state = self._states[-1]
        if tag in {"br", "hr"}:
            self._break()
        elif tag == "img" and state.figure and state.mute != "skip":
            self._images.append(given.get("src", ""))
        elif tag == "base" and self._base is None:
            self._base = given.get("href")

    def _within(self, old: _State, tag: str, classes: frozenset[str], given: dict[str, str]) -> _State:
        """The state in an element that was just opened in `old`."""
        if tag in _SKIPPED or classes & _SKIPPED_CLASSES:
            return old._replace(mute="skip")
        if tag == "math":
            return self._formula(old, given)
        if tag == "annotation" and old.mute == "math" and given.get("encoding") == "application/x-tex":
            return old._replace(mute="")
        if tag in {"figcaption", "caption"} or "ltx_caption" in classes:
            return old._replace(mute="" if old.mute == "table" else old.mute, sink="caption")
        if tag == "figure" or classes & {"ltx_figure", "ltx_table", "ltx_float"}:
            return self._figure(old, classes)
        if (tag == "table" or "ltx_tabular" in classes) and not classes & _EQUATIONS:
            return old._replace(mute=old.mute or "table")
        for name, (part, title) in _PARTS.items():
            if name in classes:
                self._break()
                self.draft.heading(2, title, part)
                return old._replace(part=part)
        if tag[0] == "h" and tag[1:].isdecimal() and old.sink == "body" and not old.figure and old.part != "abstract":
            return self._heading(old, tag, classes)
        return old

    def _formula(self, old: _State, given: dict[str, str]) -> _State:
        """A formula is said once: as the TeX it was written in, not as its signs and once more as its meaning."""
        if old.mute:
            return old._replace(mute="skip")
        if alttext := given.get("alttext"):
            self.handle_data(" " + alttext[:LONGEST_FORMULA].replace("\\displaystyle", "").strip() + " ")
            return old._replace(mute="skip")
        return old._replace(mute="math")

    def _figure(self, old: _State, classes: frozenset[str]) -> _State:
        """What stands in a figure or table beside its caption are pieces of a drawing, cells, or lines of code."""
        if old.figure:
            return old._replace(figure=2)
        self._captions, self._images = ([], []), []
        self._drawn = not classes & {"ltx_table", "ltx_float_algorithm", "ltx_lstlisting"}
        return old._replace(figure=1, mute=old.mute or "table")

    def _heading(self, old: _State, tag: str, classes: frozenset[str]) -> _State:
        if level := next((level for name, level in _LEVELS.items() if name in classes), 0):
            return old._replace(sink="heading", level=level)
        if "ltx_title" in classes or int(tag[1:]) > 3:
            return old  # of a paragraph, a theorem: part of the text
        return old._replace(sink="heading", level=int(tag[1:]))

    def _leave(self, old: _State) -> None:
        """Put away what an element held that was just closed."""
        new = self._states[-1]
        if old.sink != new.sink:
            self._put_away(old)
        if old.figure and not new.figure:
            self._put_figure()
        if old.part != new.part:
            self._break()
            self.draft.heading(2, "")

    def _put_away(self, old: _State) -> None:
        if old.sink == "heading":
            self._break_body()
            self.draft.heading(old.level, shortened("".join(self._title), LONGEST_TITLE), _kind(old.part))
            self._title.clear()
        elif old.sink == "caption":
            caption = shortened("".join(self._caption), LONGEST_CAPTION)
            self._caption.clear()
            if old.figure:
                self._captions[old.figure - 1].append(caption)
            else:
                self.draft.text(caption)

    def _put_figure(self) -> None:
        own, panels = self._captions
        caption = shortened(" ".join(own or panels), LONGEST_CAPTION)
        self.draft.text(caption)
        for source in self._images[:MOST_PANELS] if self._drawn else ():
            address = self._address(source)
            if address and len(self.figures) < MOST_FIGURES:
                self.figures.append(Figure(address, caption))

    def _address(self, source: str) -> str | None:
        """Where a picture is; whether it may be asked for is decided by who asks."""
        try:
            folder = self._url.rsplit("/", 1)[-1].partition("v")[0]
            # Pages without a base name their own folder ("2512.18832v2/x1.png"), or mean it.
            page = self._url if folder and source.startswith(folder) else f"{self._url}/"
            address = urljoin(urljoin(self._url, self._base) if self._base else page, source.strip())
        except ValueError:
            return None
        return address if source.strip() and address.startswith(("https://", "http://")) else None

    def _break(self) -> None:
        match self._states[-1].sink:
            case "body":
                self._break_body()
            case "heading":
                self._title.append(" ")
            case "caption":
                self._caption.append(" ")

    def _break_body(self) -> None:
        if self._line:
            self.draft.text("".join(self._line))
            self._line.clear()


def _kind(part: Kind | None) -> Kind | None:
    return part if part in {"appendix", "references", "acknowledgements"} else None
