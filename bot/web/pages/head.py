"""The head of a page: Open Graph card, structured data, citation tags for reference managers. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bot.channel import Block, Page
from bot.model import Paper
from bot.render.fit import shorten
from bot.runtime.text import one_line
from bot.web.pages import citations
from bot.web.urls import Urls

LONGEST_DESCRIPTION = 300
"""Characters of the description that search engines and cards are given."""
MOST_LISTED = 100
"""Papers of a list that structured data names."""
MOST_AUTHORS = 50
"""Authors of a paper that structured data names."""
CONTEXT = "https://schema.org"


@dataclass(frozen=True, slots=True)
class Head:
    """The contents of a page's head beyond those that all pages have."""

    kind: str = "website"
    """The type of thing that the page is, as Open Graph has it (https://ogp.me/#types)."""
    picture: str = ""
    """The absolute URL of the picture of a link to the page; without one the icon is shown."""
    structured: Mapping[str, object] = field(default_factory=dict)
    """Structured data by https://schema.org, for JSON-LD."""
    citation: Sequence[tuple[str, str]] = ()
    """Names and contents of meta tags for reference managers."""


def describe(text: str) -> str:
    """A text as a description: on one line, cut at the end of a sentence or a word."""
    return shorten(one_line(text), LONGEST_DESCRIPTION)


def list_head(page: Page, urls: Urls, pictures: frozenset[str], card: str = "") -> Head:
    """The head of a page that lists papers: an `ItemList` with a link to each paper's own page.

    `card` is the path of the picture that was drawn for links to it; without one it is the first one that a paper has.
    """
    items = [
        {
            "@type": "ListItem",
            "position": block.rank,
            "url": urls.whole(urls.paper(page.language, block.paper.id)),
            "name": block.title,
        }
        for block in page.blocks[:MOST_LISTED]
    ]
    structured = {
        "@context": CONTEXT,
        "@type": "ItemList",
        "name": page.heading,
        "numberOfItems": len(page.blocks),
        "itemListElement": items,
    }
    first = next((each.paper.id for each in page.blocks if each.paper.id in pictures), "")
    picture = urls.whole(card) if card else _picture(first, urls, pictures)
    return Head(picture=picture, structured=structured if items else {})


def paper_head(page: Page, urls: Urls, pictures: frozenset[str], card: str = "") -> Head:
    """The head of a paper's page: a `ScholarlyArticle`, and what reference managers read.

    `card` is the path of the picture that was drawn for links to it; without one it is the paper's thumbnail.
    """
    block = page.blocks[-1]  # the authors' own words
    paper, picture = block.paper, _picture(block.paper.id, urls, pictures)
    structured = {
        "@context": CONTEXT,
        "@type": "ScholarlyArticle",
        "headline": page.heading,
        "abstract": block.abstract,
        "inLanguage": "en",
        "author": [{"@type": "Person", "name": each} for each in map(one_line, paper.authors[:MOST_AUTHORS]) if each],
        "url": urls.whole(urls.paper(page.language, paper.id)),
        "sameAs": [paper.arxiv, f"https://doi.org/{citations.doi(paper)}"],
        "identifier": f"arXiv:{paper.id}",
        "isAccessibleForFree": True,
        "encoding": {"@type": "MediaObject", "encodingFormat": "application/pdf", "contentUrl": paper.pdf},
        **_known(block, paper, picture),
    }
    shown = urls.whole(card) if card else picture
    return Head(kind="article", picture=shown, structured=structured, citation=citations.tags(paper))


def _known(block: Block, paper: Paper, picture: str) -> Mapping[str, object]:
    """JSON-LD properties that only some papers have."""
    organisation = block.organisation and {"@type": "Organization", "name": block.organisation}
    known = {
        "datePublished": f"{paper.published or ''}",
        "keywords": [each for each in map(one_line, paper.keywords) if each],
        "sourceOrganization": organisation,
        "image": picture,
    }
    return {name: value for name, value in known.items() if value}


def _picture(paper_id: str, urls: Urls, pictures: frozenset[str]) -> str:
    return urls.whole(urls.large_picture(paper_id)) if paper_id in pictures else ""
