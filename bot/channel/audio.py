"""An edition read aloud, as channels are given it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bot.channel.page import Link


@dataclass(frozen=True, slots=True)
class Recording:
    """An MP3 of an edition."""

    path: Path
    title: str
    performer: str
    seconds: float
    digest: str
    """Of what it says: another recording of the same edition has another."""
    line: str
    """The command line that asks for it."""
    label: str
    """"Listen · 3:58", in the edition's language."""
    url: str = ""
    """Its public address; empty without a web server."""

    @property
    def link(self) -> Link | None:
        """A link to it, for channels that only link."""
        return Link(self.label, self.url) if self.url else None
