"""A new reader in a real browser: subscribe, confirm, read, switch language, unsubscribe, return."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bot.delivery.dispatcher import Dispatcher
from bot.model import Cadence, Edition, Found, Status
from bot.render.words import words
from bot.rules.closing import rank
from bot.runtime.locks import FileLocks
from bot.store import audience, edition_queries, paper_queries
from tests.support.browser import MEASURE, chromium, page, violations
from tests.support.fake_channel import settle
from tests.support.mail_program import ADA, Mailed, free_port, link_in
from tests.support.web_program import some

if TYPE_CHECKING:
    from playwright.async_api import Browser

ONE_CLICK = re.compile(r"<(http[^>]+)>")


@pytest.fixture
async def mailed(tmp_path: Path) -> AsyncIterator[Mailed]:
    port = free_port()
    async with Mailed(tmp_path, public=f"http://127.0.0.1:{port}", WEB_PORT=f"{port}") as opened:
        await opened.served.publish(*some(3))
        yield opened


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as opened:
        yield opened


async def next_edition(mailed: Mailed, day: date, first: int) -> None:
    """Publish an edition for whoever is subscribed, and go on to the morning after."""
    found = [replace(each, listed_on=day) for each in some(3, first)]
    async with mailed.store.write() as connection:
        await paper_queries.keep(connection, Found(found, frozenset()))
        number = await edition_queries.add(connection, Edition(Cadence.DAY, day, mailed.served.now, rank(found)))
        assert number is not None
        await audience.owe(connection, number, Cadence.DAY, published_at=mailed.served.now)
    mailed.served.now += timedelta(hours=12)


async def test_a_new_reader(mailed: Mailed, browser: Browser, tmp_path: Path, long: bool) -> None:
    scripts = long  # there are none on the pages: without is what most often breaks
    dispatcher = Dispatcher(mailed.store, mailed.channel, FileLocks(tmp_path / "locks.db"), links=mailed.links)
    async with page(browser, scripts=scripts, width=320) as shown:
        await shown.goto(f"{mailed.served.url}/en/")
        await shown.click("text=Get these papers every morning")
        await shown.fill("[name=address]", ADA)
        await shown.click("button >> text=Subscribe")
        assert await shown.inner_text("h1") == "Check your inbox"

        await shown.goto(link_in(await mailed.letter()))
        assert await mailed.reader(ADA) is None
        await shown.click("main button")
        assert await shown.inner_text("h1") == "You’re subscribed"
        await settle(dispatcher, mailed.served.now)
        first = await mailed.letter()
        assert first.to == [ADA]
        assert str(first.mail["Subject"]).startswith("Paper number 1, ")

        await shown.click("main >> text=Settings")
        assert ADA in await shown.inner_text("main > header")
        await shown.select_option("[name=language]", "ko")
        await shown.click("button >> text=Save")
        assert await shown.inner_text("h1") == words("ko").gettext("settings.title")
        assert (await shown.evaluate(MEASURE))["wide"] <= 0
        if scripts:
            assert await violations(shown) == []

        await next_edition(mailed, date(2026, 4, 30), 20)
        await settle(dispatcher, mailed.served.now)
        second = await mailed.letter()
        body = second.mail.get_body(("plain",))
        assert body is not None
        assert words("ko").gettext("edition.daily") in body.get_content()

        found = ONE_CLICK.search(str(second.mail["List-Unsubscribe"]))
        assert found
        bare = await mailed.served.get(found[1], method="POST", data=b"List-Unsubscribe=One-Click")
        assert bare.status == 200
        assert (await mailed.reader(ADA)).status is Status.UNSUBSCRIBED  # type: ignore[union-attr]

        await shown.goto(found[1])
        assert await shown.locator("main form").count() == 0
        await shown.goto(f"{mailed.served.url}/ko/settings")
        await shown.click(f"button >> text={words('ko').gettext('unsubscribe.undo_button')}")
        assert (await mailed.reader(ADA)).status is Status.ACTIVE  # type: ignore[union-attr]


async def test_the_readers_own_pages_are_accessible(mailed: Mailed, browser: Browser, long: bool) -> None:
    await mailed.subscribe(ADA)
    combinations = [("en", 1200, "light"), ("ar", 320, "dark"), ("ko", 320, "light")]
    for language, width, scheme in combinations if long else combinations[:2]:
        async with page(browser, width=width, scheme=scheme) as shown:
            mailed.served.now += timedelta(hours=2)
            await shown.goto(f"{mailed.served.url}/{language}/settings")
            assert await violations(shown) == []
            await shown.fill("[name=address]", ADA)
            await shown.click("main button")
            await shown.goto(link_in(await mailed.letter()))
            assert await violations(shown) == []
            await shown.click("main button")
            await shown.select_option("[name=language]", language)
            await shown.click("main button >> nth=0")
            assert await violations(shown) == []
            assert (await shown.evaluate(MEASURE))["wide"] <= 0
