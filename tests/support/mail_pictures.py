"""Screenshots of mails in Chromium, in every language and style, and measurements on them.

By hand, to look at: python -m tests.support.mail_pictures FOLDER [--language ko] [--style plain] [--single]
With --before OLD, where OLD has single pictures of an older checkout, sheets with both side by side.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from base64 import b64encode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from io import BytesIO
from itertools import cycle, islice, product
from pathlib import Path
from typing import TYPE_CHECKING

from bot.channel import Kit
from bot.delivery.rendering import compose
from bot.model import Edition, Preferences, Style, Text
from bot.publishing.feed import sample
from bot.render.styles import TEXT_FIELDS
from bot.render.templates import template
from bot.signing import SignedLinks
from channels import email
from channels.email.channel import Email
from channels.email.message import Mail
from tests.support.contact_sheet import contact_sheet
from tests.support.pages import NoMemory

if TYPE_CHECKING:
    from playwright.sync_api import Page

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = "/usr/bin/chromium"
WIDTHS = (320, 1200)
SCHEMES = ("light", "dark")
LANGUAGES = ("ko", "zh-Hans", "zh-Hant", "ja", "ar", "en")
PAPERS = 6
IN_ENGLISH = {
    "ar": "يقارن العمل بين طرق عدة لتدريب النماذج اللغوية على مهام طويلة، ويبيّن أن اختيار الأمثلة بعناية يرفع "
    "الدقة من 41.2% إلى 58.7% من دون زيادة في زمن الحساب."
}
"""A sentence for languages without example texts."""


def channel(home: Path, public: str | None = "https://papers.example.org") -> Email:
    """The e-mail channel, without a relay."""
    given = {"SMTP_HOST": "127.0.0.1", "SMTP_SECURITY": "none", "EMAIL_FROM": "papers@example.org"}
    links = SignedLinks(["k" * 32], public)
    return email.open(email.Settings.model_validate(given), Kit(home, home, NoMemory(), template, links))


def mail(edition: Edition, language: str, style: Style, papers: int = PAPERS, public: bool = True) -> Mail:
    """An edition as a mail, with example texts in the language."""
    wanted = Preferences(language=language, style=style, papers=papers)
    said = {
        ranked.paper.id: {style: text} for ranked, text in zip(edition.papers, texts(language, style), strict=False)
    }
    there = channel(Path(), "https://papers.example.org" if public else None)
    made = compose(edition, wanted, there, texts=said if style in TEXT_FIELDS else {})
    assert isinstance(made, Mail)
    return made


def texts(language: str, style: Style) -> Iterator[Text]:
    """An endless supply of example texts in a language and style, about other papers than those shown."""
    written = json.loads((ROOT / "benchmarks" / "good_texts.json").read_text(encoding="utf-8"))
    said = [
        part
        for papers in written.values()
        for languages in papers.values()
        for parts in languages.get(language, {}).values()
        for part in parts.values()
        if part != "-"
    ] or [IN_ENGLISH.get(language, "There is no example in this language.")]
    parts = cycle(said)
    while True:
        named = {
            part.name: " ".join(islice(parts, 3 if part.most > 1_000 else 1)) for part in TEXT_FIELDS.get(style, ())
        }
        if "title" in named:
            named["title"] = named["title"][:60]
        yield Text("", language, style, named)


@contextmanager
def window() -> Iterator[Page]:
    """A window of Chromium without network access."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as tools:
        opened = tools.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            yield opened.new_context(offline=True).new_page()
        finally:
            opened.close()


def show(window: Page, html: str, width: int, scheme: str = "light") -> None:
    """Show a mail in a window of this width."""
    window.set_viewport_size({"width": width, "height": 640 if width < 600 else 900})
    window.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    window.set_content(html, wait_until="load")


def pictured(edition: Edition) -> Edition:
    """The sample as an edition that is published, whose first paper has a picture."""
    first, *others = edition.papers
    paper = replace(first.paper, thumbnail="https://cdn-thumbnails.huggingface.co/a.png")
    return replace(edition, sample=False, papers=(replace(first, paper=paper), *others))


def with_picture(html: str) -> str:
    """A mail with a drawn picture in place of the one that it would load."""
    from PIL import Image, ImageDraw

    canvas = Image.linear_gradient("L").resize((800, 432)).convert("RGB")
    canvas = Image.blend(Image.new("RGB", canvas.size, (216, 195, 173)), canvas, 0.25)
    pen = ImageDraw.Draw(canvas)
    for number in range(7):
        side = 60 + 34 * number
        pen.ellipse((400 - side, 216 - side, 400 + side, 216 + side), outline=(168, 84, 13), width=6)
    written = BytesIO()
    canvas.save(written, "JPEG", quality=80)
    source = f"data:image/jpeg;base64,{b64encode(written.getvalue()).decode()}"
    return re.sub(r'src="https://papers\.example\.org/pictures/[^"]*"', f'src="{source}"', html)


def compare(folder: Path, before: Path, languages: Sequence[str], edition: Edition) -> None:
    """Save sheets with the first screens of a mail before and now, light and dark."""
    with window() as there:
        for language, width in product(languages, WIDTHS):
            html = with_picture(mail(edition, language, Style.HEADLINE).parts()["html"])
            found = []
            for scheme in SCHEMES:
                old = before / f"mail-{language}-{width}-{Style.HEADLINE}-{scheme}.png"
                show(there, html, width, scheme)
                found += [(f"before, {scheme}", old.read_bytes()), (f"now, {scheme}", there.screenshot())]
            narrow = width < 600
            path = folder / f"mail-before-{language}-{width}.webp"
            contact_sheet(path, found, columns=4 if narrow else 2, scale=1 if narrow else 0.6)


def phones(folder: Path, edition: Edition) -> None:
    """Save one picture of five phones with the same mail, the last one at night."""
    with window() as there:
        found = []
        for language, scheme in (
            ("en", "light"),
            ("ko", "light"),
            ("ja", "light"),
            ("zh-Hans", "light"),
            ("ar", "dark"),
        ):
            show(there, with_picture(mail(edition, language, Style.HEADLINE).parts()["html"]), 390, scheme)
            there.set_viewport_size({"width": 390, "height": 844})
            found.append((language, there.screenshot()))
    contact_sheet(folder / "mail-phone.webp", found, columns=5, scale=0.6)


def shoot(folder: Path, languages: Sequence[str], styles: Sequence[Style], edition: Edition, *, single: bool) -> None:
    """Save the first screen of each mail, light and dark: one file each, or a sheet for each language and width."""
    with window() as there:
        for language, width in product(languages, WIDTHS):
            found = []
            for style in styles:
                html = with_picture(mail(edition, language, style).parts()["html"])
                for scheme in SCHEMES:
                    show(there, html, width, scheme)
                    found.append((f"{style} {scheme}", there.screenshot()))
            name = f"mail-{language}-{width}"
            if not single:
                narrow = width < 600
                path = folder / f"{name}.webp"
                contact_sheet(path, found, columns=6 if narrow else 4, scale=0.9 if narrow else 0.5)
                continue
            for what, content in found:
                (folder / f"{name}-{what.replace(' ', '-')}.png").write_bytes(content)


if __name__ == "__main__":
    arguments = argparse.ArgumentParser()
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--language", choices=LANGUAGES, action="append")
    arguments.add_argument("--style", type=Style, action="append")
    arguments.add_argument("--single", action="store_true", help="a file for each mail")
    arguments.add_argument("--before", type=Path, help="the folder of pictures of an older checkout")
    arguments.add_argument("--phones", action="store_true", help="one picture of five phones")
    given = arguments.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    shown = pictured(sample.edition())
    if given.phones:
        phones(given.folder, shown)
        sys.exit()
    if given.before:
        compare(given.folder, given.before, given.language or LANGUAGES, shown)
        sys.exit()
    shoot(given.folder, given.language or LANGUAGES, given.style or list(Style), shown, single=given.single)
