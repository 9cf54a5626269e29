"""Draws icon.svg as the PNGs that phones and browsers ask for: `python -m tests.support.icons`."""

from __future__ import annotations

import asyncio
import re

from bot.render import folder
from bot.web.pages.site_files import ICONS, MASKABLE
from tests.support.browser import chromium

SAFE = 0.8
"""Share of a maskable icon's side within which nothing is cut off (https://www.w3.org/TR/appmanifest/)."""


def drawing(svg: str, pixels: int, *, maskable: bool) -> str:
    """A page with the icon alone; a maskable one, and Apple's, fill the square, since launchers cut the corners."""
    filled = maskable or pixels == 180
    background = re.search(r'fill="(#\w+)"', svg)
    assert background
    side = pixels * SAFE if maskable else pixels
    return (
        f"<style>body{{margin:0;display:grid;place-items:center;height:{pixels}px;"
        f"background:{background[1] if filled else 'transparent'}}}svg{{width:{side}px;height:{side}px}}</style>{svg}"
    )


async def main() -> None:
    pictures = folder() / "pages"
    svg = (pictures / "icon.svg").read_text(encoding="utf-8")
    async with chromium() as browser:
        for pixels, maskable in [*((each, False) for each in ICONS), (MASKABLE, True)]:
            shown = await browser.new_page(viewport={"width": pixels, "height": pixels})
            await shown.set_content(drawing(svg, pixels, maskable=maskable))
            picture = await shown.screenshot(omit_background=True)
            (pictures / f"icon-{pixels}{'-maskable' if maskable else ''}.png").write_bytes(picture)


if __name__ == "__main__":
    asyncio.run(main())
