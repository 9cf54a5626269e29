"""The newsletter's own name and logo, where its operator gives it any (NEWSLETTER_NAME, LOGO)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

PNG = b"\x89PNG\r\n\x1a\n"
"""The first bytes of a PNG file; its width and height stand in bytes 16 to 23 (https://www.w3.org/TR/png-3/#11IHDR)."""
MOST_BYTES = 200_000
"""Bytes of the largest logo: mails load it on phones."""


class LogoError(Exception):
    """The logo cannot be used; the message says why, as the end of a sentence."""


@dataclass(frozen=True, slots=True)
class Logo:
    """A PNG file as it is served, and its size in pixels."""

    body: bytes
    width: int
    height: int


@dataclass(slots=True)
class Branding:
    """The newsletter's name and logo, set for the whole program when the settings are read."""

    name: str = ""
    """The newsletter's name in every language; empty for the ones in the catalogues."""
    logo: Logo | None = None


branding = Branding()


def read_logo(path: Path) -> Logo:
    """Read a logo. Raises LogoError."""
    try:
        with path.open("rb") as file:
            body = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise LogoError(f"names a file that cannot be read ({error.strerror})") from None
    width, height = (int.from_bytes(body[at : at + 4], "big") for at in (16, 20))
    if not body.startswith(PNG) or body[12:16] != b"IHDR" or not width or not height:
        raise LogoError("must be a PNG picture")
    if len(body) > MOST_BYTES:
        raise LogoError(f"must have at most {MOST_BYTES // 1000} kB")
    return Logo(body, width, height)
