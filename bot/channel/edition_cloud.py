"""The word cloud as the picture of a week's or a month's edition, for channels that show pictures by their address."""

from __future__ import annotations

from bot.channel.media_addresses import media_url
from bot.channel.page import Page
from bot.channel.port import Kit
from bot.model import Cadence


def cloud_url(page: Page, kit: Kit) -> str:
    """The address of the cloud of a week or a month that was drawn, which services can fetch; empty otherwise.

    A day has the picture of its first paper, which says more.
    """
    public = kit.links.public or ""
    if (
        page.about.cadence not in {Cadence.WEEK, Cadence.MONTH}
        or not page.about.slug
        or not public.startswith("https://")
    ):
        return ""
    found = kit.media(page.about.slug, page.language, "keywords.png")
    return "" if found is None else media_url(public, page.about.slug, page.language, "keywords.png", found)
