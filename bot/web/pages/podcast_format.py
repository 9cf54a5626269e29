"""A podcast feed as bytes: RSS 2.0 with Apple's tags and Podlove's chapters. Pure.

https://podcasters.apple.com/support/823-podcast-requirements, https://podlove.org/simple-chapters/
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from xml.etree import ElementTree as ET

from bot.web.pages.feed_formats import ATOM, CONTENT, add, valid, written

ITUNES = "http://www.itunes.com/dtds/podcast-1.0.dtd"
PSC = "http://podlove.org/simple-chapters"
ET.register_namespace("itunes", ITUNES)
ET.register_namespace("psc", PSC)

CATEGORIES = (("Technology", ""), ("Science", "Natural Sciences"))
"""Apple's categories, each with a narrower one."""


@dataclass(frozen=True, slots=True)
class PodcastEpisode:
    """One recording. `key` never changes, so that programs know it; `chapters` are seconds and titles."""

    key: str
    title: str
    summary: str
    html: str
    page: str
    """URL of the edition's page."""
    sound: str
    """URL of the MP3."""
    size: int
    """Bytes."""
    seconds: float
    published: datetime
    chapters: Sequence[tuple[float, str]]


@dataclass(frozen=True, slots=True)
class PodcastFeed:
    """A podcast, the newest episode first. `home` is the URL of its page, `own` the URL of the feed itself."""

    title: str
    description: str
    language: str
    home: str
    own: str
    artwork: str
    episodes: Sequence[PodcastEpisode]


def podcast(feed: PodcastFeed) -> bytes:
    """The feed as XML."""
    root = ET.Element("rss", version="2.0")
    channel = ET.SubElement(root, "channel")
    add(channel, title=feed.title, link=feed.home, description=feed.description, language=feed.language)
    ET.SubElement(channel, f"{{{ATOM}}}link", rel="self", type="application/rss+xml", href=feed.own)
    add(channel, **_itunes(author=feed.title, summary=feed.description, explicit="false", type="episodic"))
    ET.SubElement(channel, f"{{{ITUNES}}}image", href=feed.artwork)
    for name, narrower in CATEGORIES:
        category = ET.SubElement(channel, f"{{{ITUNES}}}category", text=name)
        if narrower:
            ET.SubElement(category, f"{{{ITUNES}}}category", text=narrower)
    picture = ET.SubElement(channel, "image")
    add(picture, url=feed.artwork, title=feed.title, link=feed.home)
    if feed.episodes:
        add(channel, lastBuildDate=format_datetime(feed.episodes[0].published))
    for episode in feed.episodes:
        _item(ET.SubElement(channel, "item"), feed, episode)
    return written(root)


def _item(item: ET.Element, feed: PodcastFeed, episode: PodcastEpisode) -> None:
    add(item, title=episode.title, link=episode.page, description=episode.summary)
    ET.SubElement(item, "guid", isPermaLink="false").text = episode.key
    add(item, pubDate=format_datetime(episode.published), **{f"{{{CONTENT}}}encoded": episode.html})
    ET.SubElement(item, "enclosure", url=episode.sound, length=f"{episode.size}", type="audio/mpeg")
    length = f"{max(1, round(episode.seconds))}"
    add(item, **_itunes(author=feed.title, duration=length, explicit="false", episodeType="full"))
    chapters = ET.SubElement(item, f"{{{PSC}}}chapters", version="1.2")
    for start, title in episode.chapters:
        ET.SubElement(chapters, f"{{{PSC}}}chapter", start=normal_time(start), title=valid(title))


def normal_time(seconds: float) -> str:
    """A time as chapters write it: "01:02:03.456"."""
    thousandths = round(seconds * 1000)
    minutes, rest = divmod(thousandths, 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest // 1000:02}.{rest % 1000:03}"


def _itunes(**texts: str) -> dict[str, str]:
    return {f"{{{ITUNES}}}{name}": text for name, text in texts.items()}
