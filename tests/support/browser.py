"""Chromium on the pages of a web server; it may connect to this machine only."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

CHROMIUM = Path("/usr/bin/chromium")
WIDTHS = (320, 1200)
SCHEMES = ("light", "dark")

MEASURE = """() => ({
  wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
  dir: getComputedStyle(document.body).direction,
  pictures: [...document.images].map(image => image.complete && image.naturalWidth > 0),
})"""
"""What a page looks like, as far as it can be measured."""


def insist() -> None:
    """A person's machine may lack the browser, CI may not."""
    if not CHROMIUM.exists() and not os.environ.get("CI"):
        pytest.skip("no Chromium")


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """A browser."""
    insist()
    from playwright.async_api import async_playwright

    async with async_playwright() as tools:
        opened = await tools.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"],
        )
        try:
            yield opened
        finally:
            await opened.close()


@asynccontextmanager
async def page(
    browser: Browser,
    *,
    width: int = 1200,
    height: int | None = None,
    scheme: str = "light",
    scripts: bool = True,
    language: str = "en",
    touch: bool = False,
) -> AsyncIterator[Page]:
    """A window of its own, with cookies of its own; with `touch` that of a phone."""
    context = await browser.new_context(
        viewport={"width": width, "height": height or (700 if width < 500 else 900)},
        color_scheme=scheme,  # type: ignore[arg-type]
        java_script_enabled=scripts,
        locale=language,
        has_touch=touch,
        is_mobile=touch,
    )
    try:
        yield await context.new_page()
    finally:
        await context.close()


async def violations(shown: Page) -> list[str]:
    """What axe-core finds wrong with a page for people who cannot see, hear or point."""
    from axe_playwright_python.async_playwright import Axe

    found: Any = await Axe().run(shown)
    return [f"{each['id']}: {node['html'][:80]}" for each in found.response["violations"] for node in each["nodes"]]
