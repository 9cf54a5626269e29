"""Parses answers of Hugging Face Daily Papers (https://huggingface.co/api/daily_papers). Pure: bytes in, papers out.

The JSON is read directly, since the official Python client loses fields (docs/feed.md, "Rows").
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time

from bot.model import Paper
from bot.publishing.feed.cleaning import (
    LONGEST_ABSTRACT,
    LONGEST_NAME,
    LONGEST_TITLE,
    MOST_AUTHORS,
    MOST_KEYWORDS,
    count,
    lines,
    media,
    one_line,
    repository,
    sentence,
    web_link,
)
from bot.publishing.feed.errors import FeedError

log = logging.getLogger(__name__)

MOST_LOGGED = 10  # bad rows that are named in the log
LONGEST_INSTANT = 40  # characters

_ID = re.compile(r"(\d{4}\.\d{4,5})(?:v\d{1,3})?", re.ASCII)


class _RowError(Exception):
    """A row is no paper; the message says why."""


def parse(body: bytes, day: date | None, start: int = 0) -> list[Paper]:
    """The papers of one answer, in its order, without duplicates.

    `day` is the list day that was requested, `start` the position of the first row (for later pages). Rows that are no
    papers are skipped and logged. Raises FeedError if the answer is no list of papers.
    """
    papers: dict[str, Paper] = {}
    skipped: list[tuple[int, str]] = []
    for index, row in enumerate(_rows(body)):
        try:
            paper = _paper(row, day, start + index)
        except _RowError as why:
            skipped.append((index, str(why)))
        else:
            papers.setdefault(paper.id, paper)  # duplicates: docs/feed.md, "Papers"
    if skipped:
        first = [f"{index}: {why}" for index, why in skipped[:MOST_LOGGED]]
        log.warning("rows skipped", extra={"day": str(day), "skipped": len(skipped), "rows": first})
        if not papers and not start:  # it must not pass for an empty day; later pages may end in bad rows
            raise FeedError(f"the feed's answer is a list without one readable paper (row {first[0]})")
    return list(papers.values())


def _rows(body: bytes) -> list[object]:
    try:
        answer = json.loads(body, parse_constant=_NoNumber)
    except (ValueError, RecursionError):  # not JSON, not Unicode, a number with thousands of digits, deep nesting
        raise FeedError("the feed's answer is not JSON") from None
    if not isinstance(answer, list):
        raise FeedError(f"the feed's answer is no list of papers but {_NAMES.get(type(answer), 'a number')}")
    # Single rows may be bad. If none holds a paper, this is some other list, and must not pass for an empty day.
    if answer and not any(isinstance(row, dict) and isinstance(row.get("paper"), dict) for row in answer):
        raise FeedError("the feed's answer is a list, but not of papers")
    return answer


_NAMES: Mapping[type, str] = {dict: "one object", str: "a text", bool: "true or false", type(None): "null"}


class _NoNumber:
    """NaN or an infinity, which Python writes into JSON and JSON does not know: its row is bad, not the whole day."""

    def __init__(self, written: str) -> None:
        self.written = written


def _foreign(value: object) -> _NoNumber | None:
    """The first thing in a parsed value that is not JSON."""
    within = [value]
    while within:
        match within.pop():
            case _NoNumber() as found:
                return found
            case dict() as some:
                within += some.values()
            case list() as some:
                within += some
    return None


def _paper(row: object, day: date | None, position: int) -> Paper:
    if not isinstance(row, dict):
        raise _RowError("no object")
    if (foreign := _foreign(row)) is not None:
        raise _RowError(f"holds {foreign.written}, which is not JSON")
    inner = row.get("paper")
    if not isinstance(inner, dict):
        raise _RowError("holds no paper")
    # Fields have moved between the two levels of a row, so the inner one is preferred to the outer.
    fields = row | {key: value for key, value in inner.items() if value is not None}

    number = _ID.fullmatch(written) if isinstance(written := inner.get("id"), str) else None
    if number is None:
        raise _RowError("no arXiv id")
    # The inner title comes first: the outer one kept raw LaTeX (docs/feed.md, "Rows").
    title = one_line(inner.get("title"), LONGEST_TITLE) or one_line(row.get("title"), LONGEST_TITLE)
    if not title:
        raise _RowError(f"{number[1]} has no title")
    listed_at = _listed_at(inner.get("submittedOnDailyAt"), day, row.get("publishedAt"))
    if listed_at is None:
        raise _RowError(f"{number[1]} has no list day")
    published = _instant(inner.get("publishedAt"))
    abstract = one_line(fields.get("summary"), LONGEST_ABSTRACT)
    urls = fields.get("mediaUrls") or fields.get("mediaUrl")  # before June 2024 a single string
    return Paper(
        id=number[1],
        title=title,
        abstract=abstract,
        listed_on=listed_at.date(),
        listed_at=listed_at,
        position=position,
        # This feed always counts votes, so a missing or unreadable number is 0.
        votes=count(inner.get("upvotes")) or 0,
        comments=count(fields.get("numComments")),
        sentence=sentence(fields.get("ai_summary"), abstract),
        authors=_authors(inner.get("authors")),
        organisation=_organisation(fields.get("organization")),
        keywords=_keywords(fields.get("ai_keywords")),
        published=published.date() if published else None,
        code=repository(fields.get("githubRepo")),
        stars=count(fields.get("githubStars")),
        project=web_link(fields.get("projectPage")),
        thumbnail=web_link(fields.get("thumbnail")),
        media=media(_list([urls] if isinstance(urls, str) else urls)),
    )


def _instant(value: object) -> datetime | None:
    if not isinstance(value, str) or len(value) > LONGEST_INSTANT:
        return None
    try:
        instant = datetime.fromisoformat(value)
        return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
    except (ValueError, OverflowError):  # not a time, or out of the calendar's range once in UTC
        return None


def _listed_at(submitted: object, day: date | None, published: object) -> datetime | None:
    # `submitted` is missing in old rows, and the outer `publishedAt` is only in those the time of listing
    # (docs/feed.md, "Rows").
    if listed_at := _instant(submitted):
        return listed_at
    return datetime.combine(day, time(), UTC) if day else _instant(published)


def _authors(value: object) -> tuple[str, ...]:
    # Duplicates stay: two authors may share a name (docs/feed.md, "People, organisations, links").
    shown = (author for author in _list(value) if isinstance(author, dict) and not author.get("hidden"))
    return lines((author.get("name") for author in shown), MOST_AUTHORS)


def _organisation(value: object) -> str | None:
    if not isinstance(value, dict):
        return None
    names = (one_line(value.get(key), LONGEST_NAME).rstrip("_ ") for key in ("fullname", "name"))
    return next(filter(None, names), None)  # "Mistral AI_"


def _keywords(value: object) -> tuple[str, ...]:
    return tuple(dict.fromkeys(lines(_list(value), MOST_KEYWORDS)))


def _list(value: object) -> list[object]:
    return value[: 2 * MOST_AUTHORS] if isinstance(value, list) else []
