"""Screenshots of the outbox: its page for wide and narrow windows, light and dark, and its terminal.

By hand, to look at: python -m tests.support.outbox_pictures FOLDER [--language ko]
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.terminal_theme import DIMMED_MONOKAI, TerminalTheme

from bot.channel import Message
from bot.delivery.rendering import compose
from bot.model import Preferences
from bot.publishing.feed import sample
from channels.outbox.channel import OutboxMessage, make
from channels.outbox.terminal import show
from tests.support.contact_sheet import contact_sheet
from tests.support.mail_pictures import LANGUAGES, SCHEMES, pictured, window
from tests.support.pages import kit, settings

if TYPE_CHECKING:
    from playwright.sync_api import Page

SIZES = {"wide": (1000, 1300), "phone": (390, 844)}
COLUMNS = 96
"""Columns of the terminal."""
DARK: TerminalTheme = DIMMED_MONOKAI


def message(language: str) -> OutboxMessage:
    """The sample as an edition in this language."""
    made: Message | None = compose(
        pictured(sample.edition()), Preferences(language=language), make(settings(), kit(Path()))
    )
    assert isinstance(made, OutboxMessage)
    return made


def pages(there: Page, language: str) -> Iterator[tuple[str, str, bytes]]:
    """The page in each size and scheme: the size, the scheme, the picture."""
    made = message(language)
    for size, (width, height) in SIZES.items():
        there.set_viewport_size({"width": width, "height": height})
        for scheme in SCHEMES:
            there.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            there.set_content(made.html, wait_until="load")
            yield size, scheme, there.screenshot()


def terminal(there: Page, language: str) -> bytes:
    """What the terminal shows when an edition is written."""
    console = Console(record=True, file=StringIO(), width=COLUMNS, force_terminal=True, color_system="truecolor")
    show(message(language).page, [Path("outbox/2026-04-29.local.txt"), Path("outbox/2026-04-29.local.html")], console)
    html = console.export_html(theme=DARK, inline_styles=True)
    there.set_viewport_size({"width": 1000, "height": 800})
    there.set_content(html.replace("<body>", '<body style="margin:16px;font-size:15px;background:#191919">'))
    return there.screenshot(full_page=True)


def main(folder: Path, languages: Sequence[str]) -> None:
    """Save a sheet for each language and size, and the terminal in the first language."""
    folder.mkdir(parents=True, exist_ok=True)
    with window() as there:
        for language in languages:
            shot = list(pages(there, language))
            for name in SIZES:
                found = [(scheme, picture) for size, scheme, picture in shot if size == name]
                contact_sheet(folder / f"outbox-{language}-{name}.webp", found, columns=2, scale=0.7)
        (folder / "terminal.png").write_bytes(terminal(there, languages[0]))


if __name__ == "__main__":
    arguments = argparse.ArgumentParser()
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--language", choices=LANGUAGES, action="append")
    given = arguments.parse_args()
    main(given.folder, given.language or ("en", "ko", "ar"))
