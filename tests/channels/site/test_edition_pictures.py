"""The newspaper shows the pictures of an edition, once they are drawn; no other page waits for them or shows them."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from PIL import Image

from bot.channel import AwaitsPictures
from bot.delivery.rendering import PATIENCE, Renderings
from bot.model import Delivery, Preferences, Reader, Style
from bot.store import Store
from channels import site
from channels.site.channel import Site
from channels.site.settings import Settings
from tests.support.browser import chromium
from tests.support.browser import page as window
from tests.support.fake_channel import NOW, publish
from tests.support.pages import kit, page, paper
from tests.support.site_channel import PERSONAL, contents

WIDTHS_SHOWN = """async () => {
  const pictures = [...document.images].filter(each => each.src.includes("/images/"));
  pictures.forEach(each => each.loading = "eager");
  await Promise.all(pictures.map(each => each.decode()));
  return pictures.map(each => each.getBoundingClientRect().width);
}"""
"""The widths in pixels in which a page shows its pictures, which are loaded before."""
PICTURES = ("keywords.png", "keywords-dark.png", "trend.png", "trend-dark.png", "poster.png")


@pytest.fixture
def drawn(tmp_path: Path) -> dict[str, Path]:
    """Pictures by name; what a test leaves out of it is not drawn."""
    found = {name: tmp_path / f"drawn-{name}" for name in PICTURES}
    for name, path in found.items():
        path.write_bytes(name.encode())
    return found


@pytest.fixture
def channel(tmp_path: Path, drawn: dict[str, Path]) -> Site:
    def media(slug: str, language: str, name: str) -> Path | None:
        return drawn.get(name) if (slug, language) in {("2026-04-29", "en"), ("2025-11-03", "en")} else None

    opened = site.open(Settings.model_validate({}), replace(kit(tmp_path), media=media))
    assert isinstance(opened, Site)
    return opened


async def test_the_newspaper_shows_them_light_and_dark(channel: Site, blog: Path, drawn: dict[str, Path]) -> None:
    await channel.send("blog", channel.compose(page(paper(), style=Style.TRANSLATION)), PERSONAL)
    found = contents(blog)
    for name in PICTURES:
        assert found[f"images/2026-04-29_{name}"] == name.encode()
    html, markdown = found["2026-04-29.html"].decode(), found["2026-04-29.md"].decode()
    for name in ("keywords", "trend", "poster"):
        assert f"images/2026-04-29_{name}.png" in markdown
        assert f'src="images/2026-04-29_{name}.png"' in html
    assert html.count("-dark.png") == 2
    drawn["trend.png"].write_bytes(b"drawn again")
    await channel.send("blog", channel.compose(page(paper(), style=Style.TRANSLATION)), PERSONAL)
    assert contents(blog)["images/2026-04-29_trend.png"] == b"drawn again"


async def test_they_fit_into_their_page(channel: Site, blog: Path, drawn: dict[str, Path]) -> None:
    for path in drawn.values():
        Image.new("RGB", (1200, 750)).save(path, "PNG")
    await channel.send("blog", channel.compose(page(paper(), style=Style.TRANSLATION)), PERSONAL)
    async with chromium() as browser, window(browser, width=390) as shown:
        await shown.goto((blog / "2026-04-29.html").as_uri())
        widths = await shown.evaluate(WIDTHS_SHOWN)
    assert len(widths) == 3
    assert 0 < max(widths) <= 390


async def test_topics_and_statistics_use_the_words_of_its_language(
    channel: Site, blog: Path, drawn: dict[str, Path], tmp_path: Path
) -> None:
    shown = page(*(paper(n, keywords=("Tidal memory", "LoRA")) for n in (1, 2)), style=Style.TRANSLATION)
    drawn["names.json"] = tmp_path / "names.json"
    drawn["names.json"].write_text('{"tidal memory": "memory of tides"}', encoding="utf-8")
    await channel.send("blog", channel.compose(shown), PERSONAL)
    found = contents(blog)
    for name in ("2026-04-29.md", "2026-04-29.html"):
        assert "memory of tides, LoRA" in found[name].decode()
    assert json.loads(found["data/2026-04-29.stats.json"])["top_keywords"] == [
        {"keyword": "lora", "count": 2},
        {"keyword": "tidal memory", "count": 2, "name": "memory of tides"},
    ]
    drawn["names.json"].write_text("damaged", encoding="utf-8")
    await channel.send("blog", channel.compose(shown), PERSONAL)
    assert "Tidal memory, LoRA" in contents(blog)["2026-04-29.md"].decode()


async def test_other_layouts_have_none_of_them(channel: Site, blog: Path) -> None:
    await channel.send("blog", channel.compose(page(paper(), style=Style.ABSTRACT)), PERSONAL)
    assert not any(name.startswith("images/") for name in contents(blog))


async def test_the_newspaper_has_its_recording(
    channel: Site, blog: Path, drawn: dict[str, Path], tmp_path: Path
) -> None:
    drawn["episode-headline.mp3"] = tmp_path / "a.mp3"
    drawn["episode-headline.mp3"].write_bytes(b"ID3")
    await channel.send("blog", channel.compose(page(paper(), style=Style.TRANSLATION)), PERSONAL)
    found = contents(blog)
    assert found["audio/2026-04-29.mp3"] == b"ID3"
    assert "(audio/2026-04-29.mp3)" in found["2026-04-29.md"].decode()
    await channel.send("other", channel.compose(page(paper(), style=Style.ABSTRACT)), PERSONAL)
    assert not any(path.startswith("audio/") for path in contents(blog.parent / "other"))


async def test_a_newspaper_waits_for_them_ten_minutes_at_most(
    channel: Site, store: Store, drawn: dict[str, Path]
) -> None:
    assert isinstance(channel, AwaitsPictures)
    await publish(store, {})
    renderings = Renderings(store, channel)
    wanted = Preferences(style=Style.TRANSLATION)
    delivery = Delivery(1, 1, Reader(1, "blog", wanted), NOW, NOW + timedelta(hours=9))
    async with store.read() as connection:
        assert await renderings.texts_pending_until(connection, delivery, NOW) is None
        del drawn["poster.png"]
        waits = await renderings.texts_pending_until(connection, delivery, NOW)
        assert waits is not None
        assert NOW < waits <= NOW + PATIENCE
        assert await renderings.texts_pending_until(connection, delivery, NOW + PATIENCE) is None
        other = replace(delivery, reader=Reader(1, "blog", Preferences(style=Style.HIGHLIGHTS)))
        assert await renderings.texts_pending_until(connection, other, NOW) is None
