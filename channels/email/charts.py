"""Pictures of a week or a month in its mail: the cloud of keywords, and how many papers there were."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.channel import Kit, Page, media_url
from bot.model import Cadence

HEIGHTS = {"keywords": 360, "trend": 269}
"""Pixels of each picture at a width of 576, in the proportions in which they are drawn."""


@dataclass(frozen=True, slots=True)
class Chart:
    """A picture at an address that is the same for all readers, and the same for the night where there is one."""

    name: str
    url: str
    dark: str
    height: int


def chart_urls(page: Page, kit: Kit) -> Sequence[Chart]:
    """The pictures of a page that have been drawn; none for days, whose mails are short."""
    public = kit.links.public
    if public is None or not page.blocks or page.about.cadence not in {Cadence.WEEK, Cadence.MONTH}:
        return []

    def url(name: str) -> str:
        found = kit.media(page.about.slug, page.language, name)
        return "" if found is None else media_url(public, page.about.slug, page.language, name, found)

    charts = [Chart(name, url(f"{name}.png"), url(f"{name}-dark.png"), height) for name, height in HEIGHTS.items()]
    return [each for each in charts if each.url]
