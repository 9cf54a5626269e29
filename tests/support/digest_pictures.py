"""Screenshots of the five layouts of a site beside each other, for docs/digests.md.

By hand, to look at: python -m tests.support.digest_pictures FOLDER
"""

from __future__ import annotations

import argparse
import tempfile
from io import BytesIO
from pathlib import Path

from PIL import Image

from bot.delivery.rendering import compose
from bot.media.drawing import draw
from bot.model import Preferences
from bot.publishing.feed import sample
from channels.site.channel import Site, SiteMessage
from channels.site.layouts import Layout
from tests.support.contact_sheet import contact_sheet
from tests.support.digest_pages import a_site
from tests.support.drawn_pictures import made
from tests.support.mail_pictures import pictured, texts, window

LANGUAGES = {"illustrated": "ko", "jekyll": "ko", "plain": "zh-Hans", "newspaper": "zh-Hans", "review": "ko"}
"""The layouts and the languages of the digests that they follow."""
WIDTH, HEIGHT = 640, 1500


def page(site: Site, folder: Path, layout: Layout, language: str) -> Path:
    """The sample as an edition in a layout, with pictures in place of the fetched ones; the file of its page."""
    edition = pictured(sample.edition())
    wanted = Preferences(language=language, style=layout.style, papers=layout.papers)
    written = texts(language, layout.style)
    said = {ranked.paper.id: {layout.style: text} for ranked, text in zip(edition.papers, written, strict=False)}
    message = compose(edition, wanted, site, texts=said)
    assert isinstance(message, SiteMessage)
    picture = folder / "picture"
    photograph = BytesIO()
    shade = Image.linear_gradient("L").resize((800, 320)).convert("RGB")
    Image.blend(Image.new("RGB", shade.size, (216, 195, 173)), shade, 0.15).save(photograph, "JPEG")
    picture.write_bytes(photograph.getvalue())
    names = [f"{block.paper.id}.thumb.jpg" for block in message.page.blocks]
    site.place(folder / layout.name, dict.fromkeys(names, picture) | drawn(message.page.about.slug, language, folder))
    site.write(folder / layout.name, message)
    return folder / layout.name / f"{message.page.about.slug}.html"


def drawn(slug: str, language: str, folder: Path) -> dict[str, Path]:
    """The pictures of an edition in a language, by their names in a site."""
    found: dict[str, Path] = {}
    for task in made(language, folder / "picture"):
        if task.stem in {"keywords", "trend", "poster"}:
            for name, content in draw(task):
                path = folder / f"{language}-{name}"
                path.write_bytes(content)
                found |= {f"{slug}_{name}": path} if name.endswith(".png") else {}
    return found


def main(to: Path) -> None:
    """Save the sheet."""
    to.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as home, window() as there:
        site = a_site(Path(home), SITE_URL="https://github.com/ada/papers")
        there.set_viewport_size({"width": WIDTH, "height": HEIGHT})
        shots = []
        for name, language in LANGUAGES.items():
            there.goto(page(site, Path(home), site.layouts[name], language).as_uri())
            shots.append((f"{name} ({language})", there.screenshot()))
            if name == "newspaper":
                there.locator("h2", has_text="🔍").evaluate("each => each.scrollIntoView()")
                there.wait_for_load_state("networkidle")
                shots.append((f"{name}, its end", there.screenshot()))
        contact_sheet(to / "digests.webp", shots, columns=len(shots), scale=0.6)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.support.digest_pictures", description=__doc__)
    parser.add_argument("folder", type=Path)
    main(parser.parse_args().folder)
