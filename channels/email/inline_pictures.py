"""Pictures within a mail, for operators without a web server who ask for them (EMAIL_PICTURES=inline)."""

from __future__ import annotations

import binascii
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bot.channel import Kit, Page
from bot.model import Cadence
from channels.email.charts import HEIGHTS, Chart
from channels.email.headers import header

LEAD = ("large.jpg", "thumb.jpg")
"""Endings of the files of a paper's picture, the smaller one first."""
LARGEST = 400_000
"""Bytes of a picture; a larger one is left out."""
LINE = 57
"""Bytes that make a line of 76 characters in base64 (RFC 2045 section 6.8)."""


@dataclass(frozen=True, slots=True)
class InlinePicture:
    """A picture as a part of a mail, which its HTML names by a Content-ID (RFC 2392)."""

    cid: str
    name: str
    content: bytes = field(repr=False)

    @property
    def url(self) -> str:
        """Its address in the mail's HTML."""
        return f"cid:{self.cid}"

    def part(self, boundary: str) -> bytes:
        """The part of multipart/related, as it goes over the wire (RFC 2387)."""
        kind = "image/png" if self.name.endswith(".png") else "image/jpeg"
        lines = [
            f"--{boundary}\r\n".encode(),
            header("Content-Type", kind),
            header("Content-Transfer-Encoding", "base64"),
            header("Content-ID", f"<{self.cid}>"),
            header("Content-Disposition", "inline;", f'filename="{self.name}"'),
            b"\r\n",
        ]
        pieces = (self.content[at : at + LINE] for at in range(0, len(self.content), LINE))
        return b"".join(lines) + b"".join(binascii.b2a_base64(piece, newline=False) + b"\r\n" for piece in pieces)


def lead_picture(page: Page, kit: Kit, domain: str) -> InlinePicture | None:
    """The picture of a page's first paper, None where it has none."""
    if not page.blocks:
        return None
    paper_id = page.blocks[0].paper.id
    paths = [kit.pictures / f"{paper_id}.{ending}" for ending in LEAD]
    return next((found for path in paths if (found := _read(path, f"lead.{paper_id}", domain)) is not None), None)


def chart_pictures(page: Page, kit: Kit, domain: str) -> tuple[Sequence[Chart], Sequence[InlinePicture]]:
    """The charts of a week or a month that have been drawn, as templates show them, and their pictures."""
    charts, pictures = [], []
    for name, height in HEIGHTS.items() if page.about.cadence in {Cadence.WEEK, Cadence.MONTH} and page.blocks else ():
        path = kit.media(page.about.slug, page.language, f"{name}.png")
        if path is not None and (found := _read(path, f"{name}.{page.about.slug}", domain)) is not None:
            charts.append(Chart(name, found.url, "", height))
            pictures.append(found)
    return charts, pictures


def _read(path: Path, named: str, domain: str) -> InlinePicture | None:
    try:
        content = path.read_bytes()
    except OSError:
        return None
    if not content or len(content) > LARGEST:
        return None
    return InlinePicture(f"{named}@{domain}", f"{named}{path.suffix}", content)
