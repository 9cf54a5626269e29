"""Outbox: shows an edition on the terminal and writes it to a text and an HTML file. Needs no account.

A recipient is a name that the operator chose, `[a-z0-9][a-z0-9-]{0,63}`; it is part of the file names.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from bot.channel import Channel, Deferred, Finding, Gone, Kit, Limits, Message, Outcome, Pace, Page, Personal, Sent
from bot.runtime.files import try_to_write, write_atomic
from bot.runtime.text import without_controls
from channels.outbox.settings import Settings
from channels.outbox.terminal import Terminal, show, wrap
from channels.outbox.vote_bar import vote_bars

RECIPIENT = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
NAMES = "small letters, digits and hyphens, at most 64"
RETRY_AFTER = 60.0
"""Seconds before a folder that cannot be written to is tried again."""


@dataclass(frozen=True, slots=True)
class OutboxMessage:
    """A page composed for the outbox: two files, and the page for the terminal."""

    page: Page
    text: str
    html: str

    def sizes(self) -> Mapping[str, int]:
        return {"bytes of text": len(_bytes(self.text)), "bytes of HTML": len(_bytes(self.html))}

    def parts(self) -> Mapping[str, str]:
        return {"text": self.text, "html": self.html}


class Outbox(Channel):
    """The outbox channel."""

    name = "outbox"
    limits = Limits(maxima={"bytes of text": 1_000_000, "bytes of HTML": 2_000_000})
    pace = Pace(concurrency=4)
    repeats_unknown = True  # writing a file twice leaves one file
    rehearsal = True
    residents: Sequence[str] = ("local",)

    def __init__(self, folder: Path, kit: Kit, console: Console) -> None:
        self._folder = folder
        self._console = console
        self._text = kit.template("outbox/edition.txt", without_controls)
        self._html = kit.template("outbox/edition.html", None)

    def recipient(self, written: str) -> str:
        if not RECIPIENT.fullmatch(written):
            raise ValueError(f"{written!r} is not a valid outbox name: {NAMES}")
        return written

    def compose(self, page: Page) -> OutboxMessage:
        bars = vote_bars(block.votes_count for block in page.blocks)
        return OutboxMessage(page, wrap(self._text(page, bars=bars)), self._html(page))

    async def send(self, to: str, message: Message, personal: Personal) -> Outcome:  # noqa: ARG002
        assert isinstance(message, OutboxMessage)
        if not RECIPIENT.fullmatch(to):
            return Gone(f"{to!r} is not a valid outbox name: {NAMES}")
        paths = [self._folder / f"{message.page.about.slug}.{to}.{kind}" for kind in ("txt", "html")]
        try:
            for path, text in zip(paths, (message.text, message.html), strict=True):
                await asyncio.to_thread(write_atomic, path, _bytes(text))
        except OSError as error:
            reason = f"cannot write to {self._folder}: {error.strerror or error}"
            return Deferred(reason, RETRY_AFTER, scope="channel")
        with suppress(OSError):  # the terminal may be closed; the files are written
            show(message.page, paths, self._console)
        return Sent(receipt=str(paths[-1]))

    async def check(self) -> Sequence[Finding]:
        try:
            await asyncio.to_thread(try_to_write, self._folder)
        except OSError as error:
            says = f"{self._folder} cannot be written to ({error.strerror}); fix it or set OUTBOX_DIR"
            return [Finding("OUTBOX_DIR", ok=False, says=says)]
        return [Finding("OUTBOX_DIR", ok=True, says=f"editions are written to {self._folder}")]


def make(settings: Settings, kit: Kit, *, console: Console | None = None) -> Outbox:
    """Create the channel. `console` replaces the terminal, for `--quiet` and for tests."""
    return Outbox(kit.home / settings.folder.expanduser(), kit, console or Terminal())


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "replace")
