"""Public addresses of pictures of editions, the same for every reader. Pure."""

from __future__ import annotations


def media_url(public: str, slug: str, language: str, name: str) -> str:
    """The address of a picture of an edition, below the web server's public URL.

    Args:
        public: that URL, without a slash at its end.
        slug: the edition's (`Page.slug`).
        language: the tag of the picture's language.
        name: `keywords.png`, `trend.png`, `poster.png` or `card.png`.
    """
    return f"{public}/media/{slug}/{language}/{name}"
