"""Addresses in a mail that are the same for every reader. Pure.

On our own pages where there are any: they have all there is about a paper, in the mail's language, and ask no other
server for anything. `public` is the web server's public URL, None without one.
"""

from __future__ import annotations

from bot.channel import Block, Page

SAMPLE = "sample"
"""The slug of the built-in sample, which no web page shows."""
PAPERS_URL = "https://huggingface.co/papers"
LOGO_WIDTH, LOGO_HEIGHT = 240, 40
"""Pixels of the largest logo at the head of a mail."""
_PERIODS = {"day": "date", "week": "week", "month": "month"}


def paper_url(block: Block, page: Page, public: str | None) -> str:
    """A paper's page: ours, else Hugging Face's if that counts its votes, else arXiv's."""
    if public is not None and page.about.slug != SAMPLE:
        return f"{public}/{page.language}/papers/{block.paper.id}"
    return block.paper.arxiv if block.votes_count is None else block.paper.page


def picture_url(page: Page, public: str | None) -> str:
    """The first paper's picture; empty where it has none or we have no server."""
    first = next(iter(page.blocks), None)
    if first is None or public is None or not first.paper.thumbnail or page.about.slug == SAMPLE:
        return ""
    return f"{public}/pictures/{first.paper.id}.large.jpg"


def logo_url(logo: tuple[int, int] | None, public: str | None) -> str:
    """The newsletter's logo; empty without one or without a server."""
    return "" if logo is None or public is None else f"{public}/logo.png"


def logo_size(logo: tuple[int, int]) -> tuple[int, int]:
    """Width and height in pixels that a logo is shown in: as it is, or as much smaller as it has to be."""
    scale = min(1, LOGO_WIDTH / logo[0], LOGO_HEIGHT / logo[1])
    return max(1, round(logo[0] * scale)), max(1, round(logo[1] * scale))


def subscribe_url(page: Page, public: str | None) -> str:
    """Where somebody subscribes whom an edition was forwarded to, in its language and style; empty without a server."""
    if public is None or not page.blocks or page.about.day is None or page.about.slug == SAMPLE:
        return ""
    return f"{public}/{page.language}/{page.about.slug}?style={page.about.style.value}#subscribe"


def list_url(page: Page) -> str:
    """The page at Hugging Face that lists an edition's papers."""
    if page.about.day is None or page.about.cadence is None or page.about.slug == SAMPLE:
        return PAPERS_URL
    return f"{PAPERS_URL}/{_PERIODS[page.about.cadence.value]}/{page.about.slug}"
