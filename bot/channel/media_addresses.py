"""Public addresses of pictures of editions, the same for every reader. Pure."""

from __future__ import annotations

from pathlib import Path


def media_url(public: str, slug: str, language: str, name: str, found: Path) -> str:
    """The address of a picture of an edition, below the web server's public URL.

    It changes with the picture: services and proxies that show mails and messages keep what is at an address.

    Args:
        public: that URL, without a slash at its end.
        slug: the edition's (`Page.slug`).
        language: the tag of the picture's language.
        name: `keywords.png`, `trend.png`, `poster.png` or `card.png`.
        found: its file (`Kit.media`), whose name holds what it was made from: `keywords.0a1b2c.png`.
    """
    version = Path(found.stem).suffix[1:]
    return f"{public}/media/{slug}/{language}/{name}{f'?v={version}' if version else ''}"
