"""Feeds as bytes, in RSS 2.0, Atom (RFC 4287) and JSON Feed 1.1. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from xml.etree import ElementTree as ET

ATOM = "http://www.w3.org/2005/Atom"
CONTENT = "http://purl.org/rss/1.0/modules/content/"
DC = "http://purl.org/dc/elements/1.1/"
XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
JSON_VERSION = "https://jsonfeed.org/version/1.1"

ET.register_namespace("atom", ATOM)
ET.register_namespace("content", CONTENT)
ET.register_namespace("dc", DC)

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot hold, not even escaped (https://www.w3.org/TR/xml/#charsets)."""


@dataclass(frozen=True, slots=True)
class Item:
    """One edition. `key` never changes, so that feed readers know the item; `html` is the full text."""

    key: str
    url: str
    title: str
    summary: str
    html: str
    published: datetime


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed, the newest item first. `home` is the URL of its page, `own` the URL of the feed itself."""

    title: str
    description: str
    home: str
    own: str
    icon: str
    language: str
    author: str
    items: Sequence[Item]


def rss(feed: Feed) -> bytes:
    """RSS 2.0 (https://www.rssboard.org/rss-specification), with the full text as content:encoded."""
    root = ET.Element("rss", version="2.0")
    channel = ET.SubElement(root, "channel")
    add(channel, title=feed.title, link=feed.home, description=feed.description, language=feed.language)
    ET.SubElement(channel, f"{{{ATOM}}}link", rel="self", type="application/rss+xml", href=feed.own)
    if feed.items:
        add(channel, lastBuildDate=format_datetime(feed.items[0].published))
    for item in feed.items:
        element = ET.SubElement(channel, "item")
        add(element, title=item.title, link=item.url, description=item.summary)
        ET.SubElement(element, "guid", isPermaLink="false").text = item.key
        add(element, pubDate=format_datetime(item.published))
        add(element, **{f"{{{DC}}}creator": feed.author, f"{{{CONTENT}}}encoded": item.html})
    return written(root)


def atom(feed: Feed) -> bytes:
    """Atom, with the full text as escaped HTML."""
    root = ET.Element("feed", {"xmlns": ATOM, XML_LANG: feed.language})
    add(root, id=feed.own, title=feed.title, subtitle=feed.description)
    # RFC 4287 wants a date even where nothing has happened yet.
    newest = feed.items[0].published.isoformat() if feed.items else "1970-01-01T00:00:00+00:00"
    add(root, updated=newest, icon=feed.icon)
    add(ET.SubElement(root, "author"), name=feed.author)
    ET.SubElement(root, "link", rel="self", type="application/atom+xml", href=feed.own)
    ET.SubElement(root, "link", rel="alternate", type="text/html", href=feed.home)
    for item in feed.items:
        entry = ET.SubElement(root, "entry")
        at = item.published.isoformat()
        add(entry, id=item.key, title=item.title, published=at, updated=at, summary=item.summary)
        ET.SubElement(entry, "link", rel="alternate", type="text/html", href=item.url)
        ET.SubElement(entry, "content", type="html").text = valid(item.html)
    return written(root)


def json_feed(feed: Feed) -> bytes:
    """JSON Feed 1.1 (https://www.jsonfeed.org/version/1.1/)."""
    said = {
        "version": JSON_VERSION,
        "title": feed.title,
        "description": feed.description,
        "home_page_url": feed.home,
        "feed_url": feed.own,
        "icon": feed.icon,
        "language": feed.language,
        "authors": [{"name": feed.author}],
        "items": [
            {
                "id": item.key,
                "url": item.url,
                "title": item.title,
                "summary": item.summary,
                "content_html": item.html,
                "date_published": item.published.isoformat(),
            }
            for item in feed.items
        ],
    }
    return json.dumps(said, ensure_ascii=False).encode("utf-8", "replace")


def add(element: ET.Element, **texts: str) -> None:
    """Add child elements, each with its text."""
    for name, text in texts.items():
        ET.SubElement(element, name).text = valid(text)


def valid(text: str) -> str:
    """`text` with a mark in place of every character that XML cannot hold."""
    return _NOT_XML.sub("\ufffd", text)


def written(root: ET.Element) -> bytes:
    """The document as bytes."""
    made: bytes = ET.tostring(root, "utf-8", xml_declaration=True)
    return made
