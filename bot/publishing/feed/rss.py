"""Parses RSS and Atom feeds of papers with feedparser. Pure: bytes in, papers out.

feedparser is slow (250 ms for 2,000 entries), so call `parse` in a thread. See docs/feed.md, "RSS and Atom".
"""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import islice
from time import struct_time

import feedparser

from bot.model import Paper
from bot.publishing.feed.cleaning import (
    LONGEST_ABSTRACT,
    LONGEST_TITLE,
    MOST_AUTHORS,
    MOST_KEYWORDS,
    lines,
    media,
    one_line,
    web_link,
    without_tags,
)
from bot.publishing.feed.errors import FeedError

log = logging.getLogger(__name__)

Entry = Mapping[str, object]

LARGEST_FEED = 8 << 20
"""Bytes of one feed; 1,000 papers are 3 MB, and feedparser needs seconds for each."""
LONGEST_BYLINE = 50_000  # characters
_LOOKED_THROUGH = 65_536
_ROOT = re.compile(rb"<(?:[\w.-]+:)?(?:rss|rdf|feed|channel)\b", re.IGNORECASE)
_FAILURES = (ArithmeticError, AssertionError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What feedparser and its parsers are known to raise on broken input instead of setting `bozo`."""

_ID = r"(\d{4}\.\d{4,5})(?:v\d{1,3})?"
_ADDRESS = re.compile(
    r"(?:(?<![\w-])(?:arxiv\.org/(?:abs|pdf|html)|(?:huggingface\.co|hf\.co)/papers|alphaxiv\.org/[a-z]+)/"
    rf"|\barxiv(?:\.org)?:){_ID}(?!\d)",
    re.ASCII | re.IGNORECASE,
)
_BARE_ID = re.compile(rf"\s*{_ID}\s*", re.ASCII)
_TITLE_TAIL = re.compile(r"\.?\s*\(arXiv:\S{9,20}(?:\s+\[[^\]]*\])?(?:\s+[A-Z]+)*\)$", re.IGNORECASE)
_ABSTRACT_HEAD = re.compile(r"\A(?:arXiv:\S{9,20}\s+)?(?:Announce Type:\s*\S+\s+)?Abstract:\s*", re.IGNORECASE)
_BETWEEN_NAMES = re.compile(r"[,;] ?(?:and )?| and ")
_MAIL = re.compile(r"<?[^\s<>()@]{1,64}@[^\s<>()@]{1,255}>?")


def parse(body: bytes, now: datetime) -> list[Paper]:
    """The papers of a feed in its order, without duplicates; entries without an arXiv id are skipped and logged.

    `now` counts as the time of listing of entries without a date or with one in the future. Raises FeedError.
    """
    entries = _entries(body)
    papers: dict[str, Paper] = {}
    skipped: list[int] = []
    for index, entry in enumerate(entries):
        if paper := _paper(entry, len(papers), now):
            papers.setdefault(paper.id, paper)
        else:
            skipped.append(index)
    if skipped:
        log.info("rows skipped", extra={"skipped": len(skipped), "rows": skipped[:10]})
    return list(papers.values())


def _entries(body: bytes) -> list[Entry]:
    if len(body) > LARGEST_FEED:
        raise FeedError(f"the feed's answer is larger than {LARGEST_FEED >> 20} MiB")
    # Checked first, since feedparser parses a whole web page before it finds no feed in it.
    if not _ROOT.search(body[:_LOOKED_THROUGH].replace(b"\0", b"")):  # NULs: it may be UTF-16
        raise FeedError("the feed's answer is neither JSON nor RSS nor Atom")
    try:
        # As a stream, since feedparser would open bytes that look like a URL or path. Not sanitised, since that
        # drops "<think>" from titles; markup is removed below.
        feed = feedparser.parse(io.BytesIO(body), sanitize_html=False, resolve_relative_uris=False)
    except _FAILURES:
        raise FeedError("the feed's answer is RSS or Atom too broken to read") from None
    if not feed.get("version"):
        raise FeedError("the feed's answer is neither JSON nor RSS nor Atom")
    # As plain dicts: feedparser's own return keys that are not there, with a warning.
    return [dict(entry) for entry in feed.get("entries", [])]


def _paper(entry: Entry, position: int, now: datetime) -> Paper | None:
    number = _number(entry)
    title = _TITLE_TAIL.sub("", _plain(entry.get("title"), LONGEST_TITLE))
    if number is None or not title:
        return None
    published = _instant(entry, "published_parsed")
    listed_at = min(published or _instant(entry, "updated_parsed") or now, now)
    return Paper(
        id=number,
        title=title,
        abstract=_ABSTRACT_HEAD.sub("", _plain(_summary(entry), LONGEST_ABSTRACT)),
        listed_on=listed_at.date(),
        listed_at=listed_at,
        position=position,
        authors=lines(_authors(entry), MOST_AUTHORS),
        keywords=tuple(dict.fromkeys(lines(_each(entry, "tags", "term"), MOST_KEYWORDS))),
        published=published.date() if published and published <= now else None,
        thumbnail=next(filter(None, map(web_link, _each(entry, "media_thumbnail", "url"))), None),
        media=media([*_each(entry, "links", "href"), *_each(entry, "media_content", "url")]),
    )


def _number(entry: Entry) -> str | None:
    """The arXiv id, without its version, from a link or else the guid; None if there is none."""
    for address in (entry.get("link"), *_each(entry, "links", "href"), entry.get("id")):
        if isinstance(address, str) and (found := _ADDRESS.search(address) or _BARE_ID.fullmatch(address)):
            return found[1]
    return None


def _plain(value: object, limit: int) -> str:
    return one_line(without_tags(value[: 16 * limit]), limit) if isinstance(value, str) else ""


def _summary(entry: Entry) -> object:
    return entry.get("summary") or next(_each(entry, "content", "value"), None)


def _authors(entry: Entry) -> Iterable[str]:
    names = [_plain(name, LONGEST_BYLINE) for name in islice(_each(entry, "authors", "name"), MOST_AUTHORS)]
    if len(names) == 1:
        # A single element may hold a whole list (arXiv's dc:creator does). Split here, since feedparser's parsed
        # name breaks addresses apart ("ada@a.exam", "ple (Ada").
        names = _BETWEEN_NAMES.split(_plain(entry.get("author"), LONGEST_BYLINE))
    return map(_without_mail, names)


def _without_mail(name: str) -> str:
    # RSS 2.0 writes an author as "mail@host (Name)" (https://www.rssboard.org/rss-specification).
    bare = _MAIL.sub("", name)
    return name if bare == name else bare.strip(" ()")


def _each(entry: Entry, key: str, part: str) -> Iterator[object]:
    values = entry.get(key)
    for value in values if isinstance(values, list) else []:
        if isinstance(value, Mapping) and value.get(part):
            yield value[part]


def _instant(entry: Entry, key: str) -> datetime | None:
    value = entry.get(key)  # in UTC, as feedparser documents
    if not isinstance(value, struct_time):
        return None
    try:
        return datetime(*value[:5], tzinfo=UTC).replace(second=min(value.tm_sec, 59))  # 60: a leap second
    except ValueError:
        return None
