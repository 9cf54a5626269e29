"""Layouts of a site: the style each one shows, its number of papers, and the names of its files."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from bot.channel import Page
from bot.model import Cadence, Style

PERIOD = re.compile(r"\d{4}-\d\d-\d\d|\d{4}-W\d\d|\d{4}-\d\d")
"""The slug of an edition: its day, week or month."""

_EVERY = {Cadence.DAY: "daily", Cadence.WEEK: "weekly", Cadence.MONTH: "monthly"}


@dataclass(frozen=True, slots=True)
class Layout:
    """A layout: template `name`, the `style` it is made for, the number of `papers` it shows (0: all).

    A `post` has front matter and goes to Jekyll's _posts; otherwise `file` names the Markdown.
    """

    name: str
    style: Style
    papers: int
    post: bool = False
    file: str = "{slug}.md"

    def markdown(self, slug: str, cadence: Cadence | None, day: date | None) -> str:
        """The path of a page's Markdown below the site's folder: one per period, so that no period has two posts."""
        if self.post and day is not None and PERIOD.fullmatch(slug):
            return f"_posts/{day}-{name_of(cadence)}.md"
        return self.file.format(slug=slug)


LAYOUTS: Sequence[Layout] = (
    Layout("illustrated", Style.HIGHLIGHTS, 5),
    Layout("jekyll", Style.ABSTRACT, 10, post=True),
    Layout("plain", Style.PLAIN, 10, file="{slug}_papers.md"),
    Layout("brief", Style.BRIEF, 3),
    Layout("newspaper", Style.TRANSLATION, 0),
    Layout("review", Style.REVIEW, 5, post=True),
)
_OF_STYLE = {layout.style: layout for layout in LAYOUTS}


def layout_of(page: Page) -> Layout:
    """The layout of a page's style; styles without one are shown as a list with institutions and abstracts."""
    return _OF_STYLE.get(page.about.style, _OF_STYLE[Style.ABSTRACT])


def name_of(cadence: Cadence | None) -> str:
    """The name of a page's post after its day, such as daily-papers."""
    return f"{_EVERY[cadence or Cadence.DAY]}-papers"
