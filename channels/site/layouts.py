"""The layouts there are: which style each is of, how many papers it shows, and how its files are named."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from bot.channel import Page
from bot.model import Cadence, Style

PERIOD = re.compile(r"\d{4}-\d\d-\d\d|\d{4}-W\d\d|\d{4}-\d\d")
"""What names the page of an edition: its day, its week, its month."""

_EVERY = {Cadence.DAY: "daily", Cadence.WEEK: "weekly", Cadence.MONTH: "monthly"}


@dataclass(frozen=True, slots=True)
class Layout:
    """One way to lay a page out: the template `name`, the `style` it is made for, the `papers` it shows (0 is all).

    A `post` has front matter and stands where Jekyll looks for it. `file` names the Markdown of others.
    """

    name: str
    style: Style
    papers: int
    post: bool = False
    file: str = "{slug}.md"

    def markdown(self, slug: str, cadence: Cadence | None, day: date | None) -> str:
        """Where a page's Markdown stands below the folder. One place per period, so that none has two posts."""
        if self.post and day is not None and PERIOD.fullmatch(slug):
            return f"_posts/{day}-{name_of(cadence)}.md"
        return self.file.format(slug=slug)


LAYOUTS: Sequence[Layout] = (
    Layout("illustrated", Style.HIGHLIGHTS, 5),
    Layout("jekyll", Style.ABSTRACT, 10, post=True),
    Layout("plain", Style.PLAIN, 10, file="{slug}_papers.md"),
    Layout("newspaper", Style.TRANSLATION, 0),
    Layout("review", Style.REVIEW, 5, post=True),
)
_OF_STYLE = {layout.style: layout for layout in LAYOUTS}


def layout_of(page: Page) -> Layout:
    """The layout that shows a page's style; what needs no model is a list with institutions and abstracts."""
    return _OF_STYLE.get(page.style, _OF_STYLE[Style.ABSTRACT])


def name_of(cadence: Cadence | None) -> str:
    """What a page's post is called beside its day: daily-papers."""
    return f"{_EVERY[cadence or Cadence.DAY]}-papers"
