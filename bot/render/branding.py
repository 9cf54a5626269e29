"""The newsletter's own name, logo and colour, where its operator gives it any (NEWSLETTER_NAME, LOGO, BRAND_COLOUR)."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

PNG = b"\x89PNG\r\n\x1a\n"
"""The first bytes of a PNG file; its width and height stand in bytes 16 to 23 (https://www.w3.org/TR/png-3/#11IHDR)."""
MOST_BYTES = 200_000
"""Bytes of the largest logo: mails load it on phones."""


LEAST_CONTRAST = 4.5
STEPS = 64
"""Steps between a brand's colour and black or white."""


class LogoError(Exception):
    """The logo cannot be used; the message says why, as the end of a sentence."""


@dataclass(frozen=True, slots=True)
class Logo:
    """A PNG file as it is served, and its size in pixels."""

    body: bytes
    width: int
    height: int

    def within(self, width: int, height: int) -> tuple[int, int]:
        """Width and height that it is shown in: as it is, or as much smaller as it has to be."""
        scale = min(1, width / self.width, height / self.height)
        return max(1, round(self.width * scale)), max(1, round(self.height * scale))


@dataclass(frozen=True, slots=True)
class Accent:
    """The colour of links, buttons and lines, as `#rrggbb`, where readers have it light and where they have it dark."""

    day: str = "#a8410b"
    night: str = "#f0a35e"


GROUNDS = Accent("#f6ecd8", "#2c261b")
"""What accents have to be read on: the grounds of notes, the darkest by day and the lightest by night."""


@dataclass(slots=True)
class Branding:
    """The newsletter's name and logo, set for the whole program when the settings are read."""

    name: str = ""
    """The newsletter's name in every language; empty for the ones in the catalogues."""
    logo: Logo | None = None
    accent: Accent = field(default_factory=Accent)

    def current_accent(self) -> Accent:
        """The accent as it is now, for templates."""
        return self.accent


branding = Branding()


def accent_of(colour: str) -> Accent:
    """The accent for a brand's colour (`#rrggbb`): as dark by day and as light by night as it takes to be read.

    Texts in it, and texts of the ground's colour on it, reach a contrast of 4.5 (WCAG 2.2, success criterion 1.4.3).
    """
    return Accent(_readable(colour, GROUNDS.day, "#000000"), _readable(colour, GROUNDS.night, "#ffffff"))


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours, from 1 to 21, by WCAG 2.2."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _readable(colour: str, ground: str, end: str) -> str:
    """The colour, mixed with as much of `end` as it takes to be read on `ground`."""
    mixed = (_mix(colour, end, step / STEPS) for step in range(STEPS + 1))
    return next(each for each in mixed if contrast(each, ground) >= LEAST_CONTRAST)


def _mix(one: str, other: str, share: float) -> str:
    parts = zip(_channels(one), _channels(other), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in parts)


def _channels(colour: str) -> tuple[int, ...]:
    return tuple(bytes.fromhex(colour.removeprefix("#")))


def _luminance(colour: str) -> float:
    parts = (each / 255 for each in _channels(colour))
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


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
