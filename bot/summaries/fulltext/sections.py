"""A paper's text as titled sections, and what of it fits into a model's question. Pure, and total for any text."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from bot.runtime.text import one_line, sentence_ends

Kind = Literal[
    "abstract",
    "introduction",
    "related",
    "method",
    "results",
    "limitations",
    "conclusion",
    "acknowledgements",
    "appendix",
    "references",
    "other",
]

LONGEST_TITLE = 200
LONGEST_CAPTION = 1_000
MOST_SECTIONS = 500
MOST_TEXT = 1_000_000
"""Characters of one paper that are kept; a long one has 200,000."""
LEAST_TEXT = 1_500
"""Characters beside the abstract that make a document a paper's text, and not a page that says there is none."""
SHORTEST_PIECE = 80
"""A section of which no more would fit is left out of an excerpt altogether."""

WEIGHTS: Mapping[Kind, float] = {
    "method": 4,
    "results": 4,
    "introduction": 3,
    "limitations": 2,
    "conclusion": 2,
    "other": 2,
}
"""How an excerpt is shared out among the sections that matter, where not all of them fit."""
LAST: Sequence[Kind] = ("related", "appendix")
"""Kinds of sections that are added if there is room left. Kinds named neither here nor in WEIGHTS are never added, nor
is the abstract, which the feed has given already."""

_WORDS: Mapping[Kind, str] = {
    "references": r"(?:references?(?: and notes)?|bibliography|(?:works?|literature) cited)$",
    "acknowledgements": (
        r"acknowledg|funding$|(?:author|credit) contributions?|data availability"
        r"|.*\b(?:conflicts? of|competing) interests?"
    ),
    "appendix": r"(?:appendix|appendices|supplement)",
    "related": (
        r"(?:.*\band )?(?:related|previous|prior) (?:works?|research|literature)\b|background(?: and .*)?$"
        r"|literature review"
    ),
    "abstract": r"abstract$",
    "introduction": r"introduction|motivation$|overview$",
    "results": r".*\b(?:experiment|result|evaluation|ablation|empirical|analys[ie]s|finding|comparison)",
    "limitations": r".*\b(?:limitation|discussion|broader impact|impact statement|societal|ethic|threats to)",
    "conclusion": r".*\b(?:conclusion|conclud|future work|summary)",
    "method": (
        r".*\b(?:method|approach|model|architect|framework|algorithm|system|design|training|implement|pipeline"
        r"|formulation|dataset|data\b)"
    ),
}
_KINDS = {kind: re.compile(words, re.IGNORECASE) for kind, words in _WORDS.items()}
"""How titles begin, once their number is gone; the first that fits counts."""
_NUMBER = re.compile(r"\A(?:(?:section|§)\s*)?(?:\d{1,3}|[IVX]{1,6}|[A-Z])(?:\.\d{1,3}){0,4}[.):]?\s+", re.IGNORECASE)


class DocumentError(Exception):
    """A document that holds no paper's text; the message says why, and nothing of what is in it.

    `temporary`: the reason is not the document, and it may be tried again.
    """

    def __init__(self, message: str, *, temporary: bool = False) -> None:
        super().__init__(message)
        self.temporary = temporary


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a paper under one title (may be ""); its paragraphs are lines. `kind` says what it is good for."""

    title: str
    text: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Figure:
    """The address of a picture in a paper, and what the authors wrote below it."""

    url: str
    caption: str


@dataclass(frozen=True, slots=True)
class FullText:
    """All of a paper that could be had, in the paper's order; references and what nobody can see are left out."""

    source: Literal["html", "markdown", "pdf"]
    sections: Sequence[Section]
    figures: Sequence[Figure]


class Draft:
    """Gathers headings and paragraphs into sections, within bounds. A section without text is none."""

    def __init__(self) -> None:
        self._above: list[tuple[int, Kind]] = []
        self._titles: list[tuple[str, Kind]] = [("", "other")]
        self._lines: list[list[str]] = [[]]
        self._room = MOST_TEXT
        self._over = False

    def heading(self, level: int, title: str, kind: Kind | None = None) -> None:
        """What follows stands under `title`; without a kind of its own it is what the section around it is."""
        title = shortened(title, LONGEST_TITLE)
        while self._above and self._above[-1][0] >= level:
            self._above.pop()
        if level == 1 and len(self._titles) == 1 and kind_of(title) not in {"abstract", "introduction"}:
            kind = "other"  # the paper's own title
        around: Kind = self._above[-1][1] if self._above else "other"
        kind = kind or kind_of(title)
        if around in {"appendix", "references", "acknowledgements"} or kind == "other":
            kind = around
        if self._over and kind not in {"references", "acknowledgements"}:
            kind = "appendix"  # what comes after the references
        self._over |= kind == "references"
        self._above.append((level, kind))
        if len(self._titles) < MOST_SECTIONS:
            self._titles.append((title, kind))
            self._lines.append([])
        elif self._titles[-1][1] != kind:
            self._titles[-1] = ("", "appendix")  # an endless list of headings: no part of it matters more

    def text(self, line: str) -> None:
        """One paragraph, caption or item of a list."""
        if self._room <= 0 or self._titles[-1][1] == "references":
            return
        line = shortened(line, self._room)
        if line:
            self._lines[-1].append(line)
            self._room -= len(line) + 1

    def sections(self) -> tuple[Section, ...]:
        """The sections gathered so far. Raises DocumentError where they are too little to be a paper."""
        found = [
            Section(title, "\n".join(lines), kind)
            for (title, kind), lines in zip(self._titles, self._lines, strict=True)
            if lines
        ]
        if sum(len(section.text) for section in found if section.kind != "abstract") < LEAST_TEXT:
            raise DocumentError("it holds no paper's text")
        return _named(found)


def kind_of(title: str) -> Kind:
    """What a section under this title is good for; "other" where the title does not tell."""
    words = _NUMBER.sub("", shortened(title, LONGEST_TITLE), count=1)
    return next((kind for kind, pattern in _KINDS.items() if pattern.match(words)), "other")


def _named(sections: Sequence[Section]) -> tuple[Section, ...]:
    """Between introduction and results stands the method, under whatever name its authors gave to their invention."""
    kinds = [section.kind for section in sections]
    begin = kinds.index("introduction") if "introduction" in kinds else len(kinds)
    ends = [place for place, kind in enumerate(kinds) if kind in {"results", "conclusion", "limitations"}]
    end = min((place for place in ends if place > begin), default=begin)
    return tuple(
        replace(section, kind="method") if begin < place < end and section.kind == "other" else section
        for place, section in enumerate(sections)
    )


def shortened(text: str, most: int) -> str:
    """`text` on one line, without invisible characters, `cut` to at most `most` characters."""
    return cut(one_line(text), most)


def cut(text: str, most: int) -> str:
    """The beginning of `text`, at most `most` characters: to the end of a sentence, else of a word, else anywhere.

    A sentence that would give away more than half of the room is not waited for.
    """
    if len(text) <= most:
        return text
    if most <= 0:
        return ""
    # Two characters more, since it takes them to see that a sentence ends right at `most`.
    ends = [*sentence_ends(text[: most + 2]), text.rfind("\n", 0, most + 1)]
    if end := max((end for end in ends if most // 2 < end <= most), default=0):
        return text[:end].rstrip()
    head = text[:most]
    if head[-1].isspace() or text[most].isspace():
        return head.rstrip()
    words = head.rsplit(None, 1)
    return words[0] if len(words) == 2 else head


def excerpt(text: FullText, most: int) -> str:
    """At most `most` characters of `text` in its own order, titles as lines of their own.

    What matters (WEIGHTS) comes first, and is cut at ends of sentences in proportion to its weight; what does not
    (LAST) fills what is left.
    """
    sections = [section for section in text.sections if section.text.strip()]
    first = [place for place, section in enumerate(sections) if section.kind in WEIGHTS]
    last = [place for kind in LAST for place, section in enumerate(sections) if section.kind == kind]
    pieces: dict[int, str] = {}
    shares = _shares([sections[place] for place in first], most)
    spare = most - sum(shares)
    # What is not used of one share is added to the next: sentences do not end where shares do.
    for place, share in zip(first, shares, strict=True):
        pieces[place] = _piece(sections[place], share + spare)
        spare += share - _cost(pieces[place])
    for place in last:
        pieces[place] = _piece(sections[place], spare)
        spare -= _cost(pieces[place])
    said = "\n\n".join(pieces[place] for place in sorted(pieces) if pieces[place])
    return said or (cut(sections[first[0]].text, most) if first else "")


def _piece(section: Section, room: int) -> str:
    """As much of a section as costs `room` at most; "" where that is not worth its title."""
    title = f"{section.title}\n" if section.title else ""
    text = cut(section.text, room - len(title) - 2)
    return title + text if len(text) >= min(SHORTEST_PIECE, len(section.text)) else ""


def _cost(piece: str) -> int:
    return len(piece) + 2 if piece else 0


def _shares(sections: Sequence[Section], most: int) -> list[int]:
    """What each section may cost: all it needs where its weight allows, and the others share the rest by weight."""
    sizes = [len(section.title) + len(section.text) + 3 for section in sections]
    of_kind: Counter[Kind] = Counter()
    for section, size in zip(sections, sizes, strict=True):
        of_kind[section.kind] += size
    # A kind's weight is spread over its sections by their length, so that many small ones do not weigh more.
    weights = [
        WEIGHTS[section.kind] * size / of_kind[section.kind] for section, size in zip(sections, sizes, strict=True)
    ]
    shares = [0] * len(sections)
    room, weight = max(most, 0), sum(weights)
    for place in sorted(range(len(sections)), key=lambda place: sizes[place] / weights[place]):
        shares[place] = min(sizes[place], int(room * weights[place] / weight))
        room -= shares[place]
        weight = max(weight - weights[place], weights[place] * 1e-9)
    return shares
