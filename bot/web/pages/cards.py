"""Cards in lists of papers: keywords to follow. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from bot.channel import Link, Page
from bot.model import Paper
from bot.runtime.latex import plain_math
from bot.runtime.text import one_line
from bot.web.urls import Urls

MOST_ON_CARD = 2
"""Keywords on the card of one paper."""
MOST_THEMES = 6
"""Keywords of a whole list."""
LONGEST_KEYWORD = 32
"""Characters of a keyword that fits on a card; longer ones are left out."""


@dataclass(frozen=True, slots=True)
class Cards:
    """The content of the cards of a list of papers."""

    keywords: Mapping[str, Sequence[Link]] = field(default_factory=dict)
    """Keywords of each paper, by its id."""
    themes: Sequence[Link] = ()
    """Keywords of the list: first those that several papers share, then those of the papers that come first."""


def cards(page: Page, urls: Urls) -> Cards:
    """Make the cards of a page's papers."""
    found = {each.paper.id: keywords(each.paper) for each in page.blocks}

    def links(names: Sequence[str]) -> list[Link]:
        return [Link(name, urls.topic(page.language, name)) for name in names]

    return Cards(
        {paper_id: links(names[:MOST_ON_CARD]) for paper_id, names in found.items()},
        links(_themes(list(found.values()))),
    )


def keywords(paper: Paper) -> list[str]:
    """A paper's keywords that are short enough for a card, each once."""
    cleaned = (one_line(plain_math(each)) for each in paper.keywords)
    return _spelled_once(each for each in cleaned if 0 < len(each) <= LONGEST_KEYWORD)


def _themes(of_papers: Sequence[Sequence[str]]) -> list[str]:
    """The keywords that most papers have, in the order of the papers where as many do."""
    counted = Counter(each.casefold() for names in of_papers for each in names)
    spelled = {each.casefold(): each for each in _spelled_once(each for names in of_papers for each in names)}
    return [spelled[name] for name, _ in counted.most_common(MOST_THEMES)]


def _spelled_once(names: Iterable[str]) -> list[str]:
    """Names without those that differ from an earlier one in capitals alone."""
    found: dict[str, str] = {}
    for each in names:
        found.setdefault(each.casefold(), each)
    return list(found.values())
