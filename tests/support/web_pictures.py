"""Screenshots of every web page in Chromium, as a reader goes through them.

To look at them: python -m tests.support.web_pictures FOLDER [--language ko] [--width 390]
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, suppress
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from bot.web.pages.thumbnails import Thumbnails
from tests.support.browser import SCHEMES, chromium, page
from tests.support.contact_sheet import contact_sheet
from tests.support.mail_program import ADA, Mailed, free_port, link_in
from tests.support.web_sample import illustrate, papers, publish

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

LANGUAGES = ("en", "ko", "zh-Hant", "ja", "ar")
WIDTHS = (390, 1200)
"""A phone's and a laptop's, in pixels."""
SHEETS = {"reading": 6, "searching": 8, "coming": 7, "settings": 8, "leaving": 5}
"""What pictures come together, and of how many pages, in the order of the walk."""
NEW = "bo@example.org"
OTHER = "ada@example.com"
BAD = "0" * 40


async def walk(mailed: Mailed, shown: Page, language: str) -> AsyncGenerator[str, None]:
    """Go through all pages in a language; the name of the one that is shown."""
    url, served = mailed.served.url, mailed.served

    async def at(path: str) -> None:
        await shown.goto(path if path.startswith("http") else f"{url}{path}")

    for name, path in {
        "front": "",
        "day": "2026-04-29",
        "day-abstract": "2026-04-29?style=abstract",
        "week": "2026-W17",
        "archive": "archive",
        "paper": "papers/2604.25917",
        "search": "search",
        "found": "search?q=agents",
        "topic": "keywords/benchmarks",
        "feeds": "feeds",
        "privacy": "privacy",
        "nowhere": "nowhere",
        "locked": "settings",
        "too-old": f"open/{BAD}",
    }.items():
        await at(f"/{language}/{path}")
        yield name

    served.now += timedelta(hours=2)  # a letter an hour is enough
    await at(f"/{language}/")
    await shown.click(".subscribe summary")
    yield "offered"
    await shown.fill("[name=address]", NEW)
    await shown.click('form[action$="/subscribe"] button')
    yield "asked"
    await shown.goto(link_in(await mailed.letter()))
    yield "join"
    await shown.click("main form button")
    yield "joined"

    await mailed.subscribe(ADA, language)
    reader = await mailed.reader(ADA)
    assert reader is not None
    await at(mailed.settings_path(reader))
    yield "doorstep"
    await shown.context.clear_cookies()  # as another browser
    await at(f"/{language}/settings")
    await shown.fill("[name=address]", ADA)
    await shown.click("main form button")
    yield "key"
    await shown.goto(link_in(await mailed.letter()))
    yield "open"
    await shown.click("main form button")
    await shown.select_option("[name=language]", language)
    await shown.click("main form button >> nth=0")
    yield "settings"
    for name, form in {"pause": "settings/pause", "erase": "settings/erase"}.items():
        await at(f"/{language}/settings")
        await shown.locator(f'form[action$="{form}"] button').click()
        yield name
    await at(f"/{language}/settings")
    await shown.fill('form[action$="settings/address"] [name=address]', OTHER)
    await shown.click('form[action$="settings/address"] button')
    yield "moving"
    await shown.goto(link_in(await mailed.letter()))
    yield "move"
    await shown.click("main form button")
    yield "moved"
    await shown.goto(link_in(await mailed.letter()))
    yield "arrive"
    await shown.click("main form button")
    yield "arrived"

    leaving = await mailed.unsubscribing("leaving@example.org", language)
    await at(leaving)
    yield "unsubscribe"
    await shown.click("main form button")
    yield "unsubscribed"
    await shown.click("main form button")
    yield "again"
    await at(f"/{language}/settings")
    await shown.locator('form[action$="settings/erase"] button').click()
    await shown.click("main form button >> nth=0")
    yield "erased"
    for _ in range(40):
        await at(f"/{language}/settings")
        await shown.fill("[name=address]", "nobody@example.org")
        await shown.click("main form button")
        if "429" in str(await shown.evaluate("performance.getEntriesByType('navigation')[0].responseStatus")):
            yield "too-many"
            return


async def picture(shown: Page) -> bytes:
    """What a window shows; a busy machine's browser does not always manage it at once."""
    from playwright.async_api import Error

    for _ in range(5):
        with suppress(Error):
            return await shown.screenshot()
    return await shown.screenshot()


async def shoot(browser: Browser, language: str, width: int, scheme: str, most: int) -> list[tuple[str, bytes]]:
    """A picture of the first screen of each of the first `most` pages."""
    port = free_port()
    with tempfile.TemporaryDirectory() as home:
        cache = Path(home) / "cache"
        illustrate(cache, papers())
        public = f"http://127.0.0.1:{port}"
        async with Mailed(Path(home), public=public, WEB_PORT=f"{port}", thumbnails=Thumbnails(cache)) as mailed:
            await publish(mailed.served)
            height = 844 if width < 600 else 900
            async with page(browser, width=width, height=height, scheme=scheme, language=language) as shown:
                taken: list[tuple[str, bytes]] = []
                async with aclosing(walk(mailed, shown, language)) as pages:
                    async for name in pages:
                        await shown.wait_for_load_state("networkidle")
                        taken.append((f"{name} {scheme}", await picture(shown)))
                        if len(taken) == most:
                            break
                return taken


async def main(folder: Path, languages: Sequence[str], widths: Sequence[int], sheets: int, whole: bool) -> None:
    """Write each page, or the first `sheets` sheets of them for each language and width."""
    shown = dict(islice(SHEETS.items(), sheets))
    async with chromium() as browser:
        for language in languages:
            for width in widths:
                most = sum(shown.values())
                pictures = [await shoot(browser, language, width, scheme, most) for scheme in SCHEMES]
                if whole:
                    for name, content in (each for found in pictures for each in found):
                        (folder / f"web-{language}-{width}-{name.replace(' ', '-')}.png").write_bytes(content)
                    continue
                both = iter([each for pair in zip(*pictures, strict=True) for each in pair])
                narrow = width < 600
                for sheet, pages in shown.items():
                    path = folder / f"web-{sheet}-{language}-{width}.webp"
                    together = list(islice(both, 2 * pages))
                    contact_sheet(path, together, columns=6 if narrow else 4, scale=0.8 if narrow else 0.5)


if __name__ == "__main__":
    arguments = argparse.ArgumentParser()
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--language", choices=LANGUAGES, action="append")
    arguments.add_argument("--width", type=int, choices=WIDTHS, action="append")
    arguments.add_argument("--sheets", type=int, default=len(SHEETS), help="how many sheets, in the order of the walk")
    arguments.add_argument("--single", action="store_true", help="a file for each page")
    given = arguments.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    asyncio.run(main(given.folder, given.language or LANGUAGES, given.width or WIDTHS, given.sheets, given.single))
