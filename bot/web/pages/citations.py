"""Citations of a paper: BibTeX, RIS, and the `citation_*` tags by which reference managers read a page. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from bot.model import Paper
from bot.runtime.latex import plain_math
from bot.runtime.text import one_line

BIBTEX, RIS = "bib", "ris"
"""The formats, by the end of a file's name."""
MEDIA_TYPES = {BIBTEX: "application/x-bibtex", RIS: "application/x-research-info-systems"}
"""The media type of each format."""
MOST_AUTHORS = 200
"""Authors that a citation names; some papers have thousands."""

_BIBTEX = {
    # Braces are counted even behind a backslash, so they are written without any of their own.
    "{": r"\textbraceleft{}",
    "}": r"\textbraceright{}",
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{each: f"\\{each}" for each in "#$%&_"},
}
"""How the characters that mean something to BibTeX or LaTeX are written in a field."""
_AND = re.compile(r"\band\b|,", re.IGNORECASE)
"""What separates names, or the parts of a name, in an author field of BibTeX."""


def doi(paper: Paper) -> str:
    """The DOI that arXiv registers for every paper (https://info.arxiv.org/help/doi.html)."""
    return f"10.48550/arXiv.{paper.id}"


def bibtex(paper: Paper) -> str:
    """A paper as one BibTeX entry, of the kind that arXiv itself offers."""
    year, month = _published(paper)
    names = [_braced(name) for name in _authors(paper)]
    fields = {
        "title": f"{{{{{_escaped(_title(paper))}}}}}",  # two pairs of braces, so that styles keep its capitals
        "author": f"{{{' and '.join(names)}}}" if names else "",
        "year": f"{{{year}}}",
        "month": f"{{{month}}}",
        "eprint": f"{{{paper.id}}}",
        "archivePrefix": "{arXiv}",
        "doi": f"{{{doi(paper)}}}",
        "url": f"{{{paper.arxiv}}}",
    }
    lines = [f"  {name} = {value}," for name, value in fields.items() if value]
    return "\n".join([f"@misc{{arxiv-{paper.id},", *lines, "}", ""])


def ris(paper: Paper) -> str:
    """A paper as one RIS record (https://en.wikipedia.org/wiki/RIS_(file_format)): a tag and a value on each line."""
    year, month = _published(paper)
    lines = [
        ("TY", "JOUR"),
        ("TI", _title(paper)),
        *(("AU", _family_first(name)) for name in _authors(paper)),
        ("PY", f"{year}"),
        ("DA", f"{year}/{month:02}/{f'{paper.published.day:02}' if paper.published else ''}/"),
        ("JO", f"arXiv preprint arXiv:{paper.id}"),
        ("DO", doi(paper)),
        ("UR", paper.arxiv),
        ("L1", paper.pdf),
        *(("KW", each) for each in map(one_line, paper.keywords) if each),
        ("AB", one_line(plain_math(paper.abstract))),
        ("ER", ""),
    ]
    return "".join(f"{tag}  - {value}\r\n" for tag, value in lines if value or tag == "ER")


def tags(paper: Paper) -> Sequence[tuple[str, str]]:
    """Names and contents of `citation_*` meta tags (https://scholar.google.com/intl/en/scholar/inclusion.html)."""
    year, month = _published(paper)
    day = f"/{paper.published:%d}" if paper.published else ""
    return [
        ("citation_title", _title(paper)),
        *(("citation_author", name) for name in _authors(paper)),
        ("citation_publication_date", f"{year}/{month:02}{day}"),
        ("citation_arxiv_id", paper.id),
        ("citation_doi", doi(paper)),
        ("citation_abstract_html_url", paper.arxiv),
        ("citation_pdf_url", paper.pdf),
        *(("citation_keywords", each) for each in map(one_line, paper.keywords) if each),
    ]


def _title(paper: Paper) -> str:
    return one_line(plain_math(paper.title)) or paper.id


def _authors(paper: Paper) -> Iterator[str]:
    return (name for each in paper.authors[:MOST_AUTHORS] if (name := one_line(each)))


def _published(paper: Paper) -> tuple[int, int]:
    """Year and month: of the publication if the feed says when that was, else those in the arXiv id."""
    if paper.published is not None:
        return paper.published.year, paper.published.month
    return 2000 + int(paper.id[:2]), min(12, max(1, int(paper.id[2:4])))


def _escaped(text: str) -> str:
    return "".join(_BIBTEX.get(character, character) for character in text)


def _braced(name: str) -> str:
    """A name for BibTeX: one that would be taken apart wrongly stands in braces, as a whole."""
    return f"{{{_escaped(name)}}}" if _AND.search(name) else _escaped(name)


def _family_first(name: str) -> str:
    """A name for RIS: "Curie, Marie"; one of a single word, or with a comma, as it is.

    A family name is the last word and the small words before it: "van den Berg".
    """
    words = name.split()
    if len(words) == 1 or "," in name:
        return name
    at = len(words) - 1
    while at > 1 and words[at - 1].islower():
        at -= 1
    return f"{' '.join(words[at:])}, {' '.join(words[:at])}"
