"""Sitemaps by the protocol of https://www.sitemaps.org/protocol.html: an index, and one sitemap per month. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from xml.etree import ElementTree as ET

NAMESPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"
MOST_URLS = 50_000
"""URLs that one sitemap may have."""


@dataclass(frozen=True, slots=True)
class Place:
    """An absolute URL, and when what is there last changed, if that is known."""

    url: str
    modified: datetime | None = None


def sitemap(places: Sequence[Place]) -> bytes:
    """A sitemap of pages; what is more than the protocol allows is left out."""
    return _written("urlset", "url", places[:MOST_URLS])


def sitemap_index(places: Sequence[Place]) -> bytes:
    """An index of sitemaps."""
    return _written("sitemapindex", "sitemap", places[:MOST_URLS])


def _written(name: str, each_name: str, places: Iterable[Place]) -> bytes:
    root = ET.Element(name, xmlns=NAMESPACE)
    for place in places:
        element = ET.SubElement(root, each_name)
        ET.SubElement(element, "loc").text = place.url
        if place.modified is not None:
            ET.SubElement(element, "lastmod").text = place.modified.isoformat(timespec="seconds")
    written: bytes = ET.tostring(root, "utf-8", xml_declaration=True)
    return written
