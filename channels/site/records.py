"""Records: days, weeks and months as JSON in a stable format, for other programs. Pure."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, timedelta
from typing import Any

from bot.channel import Block, Page
from bot.model import Cadence, Paper, Style
from bot.runtime.text import one_line
from channels.site.keywords import NamesByLowerCase

TOP_PAPERS = 20
"""Papers listed in the record of a week or a month."""
TOP_TAGS = 10
"""Keywords listed in the record of a week or a month."""

STATISTICS_DAYS = 7
"""Days that the statistics of a day look back on, itself included."""
TOP_KEYWORDS = 20
"""Keywords listed in the statistics."""

Day = Mapping[str, Any]
"""A record as parsed JSON."""

NOT_ABSTRACTS = frozenset({"join the discussion on this paper page"})
"""Texts of the feed's own page that stand in place of a missing abstract, in lower case."""

_CODE = re.compile(r"https?://[\w.-]+(?::\d+)?/[\w.~+%-]+/[\w./~+%#?=-]+", re.ASCII)
"""The URL of a project; that of a host's front page is no paper's code."""


def day_of(page: Page) -> dict[str, Any]:
    """The record of a page's papers."""
    closed_at = page.about.closed_at
    return {
        "date": page.about.slug,
        "crawled_at": None if closed_at is None else f"{closed_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "total_papers": len(page.blocks),
        "papers": [_paper(block) for block in page.blocks],
    }


def keywords_of(page: Page) -> dict[str, list[str]]:
    """The keywords of a page's papers, by the URL that identifies each paper in the day's record."""
    return {
        block.paper.page: [one_line(keyword) for keyword in block.paper.keywords]
        for block in page.blocks
        if block.paper.keywords
    }


def period_of(cadence: Cadence, day: date, days: Iterable[Day], keywords: Mapping[str, Sequence[str]]) -> Day:
    """The record of the week or month around `day`, from its days' records; a paper counts once, as last seen."""
    days = sorted(days, key=lambda each: str(each.get("date")))
    papers: dict[str, Mapping[str, Any]] = {}
    for each in days:
        papers |= {paper["url"]: paper for paper in each["papers"]}
    best = sorted(papers.values(), key=lambda paper: (-_likes(paper), paper["url"]))
    likes = sum(map(_likes, best))
    tags = Counter(tag for url in papers for tag in dict.fromkeys(map(str.casefold, keywords.get(url, ()))))
    week = day.isocalendar()
    named = (
        {"year": week.year, "week": week.week} if cadence is Cadence.WEEK else {"year": day.year, "month": day.month}
    )
    return {
        **named,
        "generated_at": max((each["crawled_at"] for each in days if each["crawled_at"]), default=None),
        "total_papers": len(best),
        "total_likes": likes,
        "average_likes": round(likes / len(best), 2) if best else 0.0,
        "days_crawled": len(days),
        "top_papers": best[:TOP_PAPERS],
        "top_tags": [
            {"tag": tag, "count": count}
            for tag, count in sorted(tags.items(), key=lambda each: (-each[1], each[0]))[:TOP_TAGS]
        ],
    }


def statistics_of(
    last: date, days: Iterable[Day], keywords: Mapping[str, Sequence[str]], names: NamesByLowerCase
) -> Day:
    """The statistics of the days up to `last`, as digest programs publish them: counts, keywords and titles.

    `days` are the records of those days that have one; a paper counts once, on the first of its days. Keywords of which
    `names` has a word have that as well.
    """
    titles: dict[str, str] = {}
    counts: dict[str, int] = {}
    for each in sorted(days, key=lambda each: str(each.get("date"))):
        new = {paper["url"]: paper["title"] for paper in each["papers"] if paper["url"] not in titles}
        counts[str(each["date"])] = len(new)
        titles |= new
    tags = Counter(tag for url in titles for tag in dict.fromkeys(map(str.casefold, keywords.get(url, ()))))
    top = sorted(tags.items(), key=lambda each: (-each[1], each[0]))[:TOP_KEYWORDS]
    return {
        "period": f"{last - timedelta(days=STATISTICS_DAYS - 1)}/{last}",
        "total_papers": len(titles),
        "daily_average": round(len(titles) / len(counts), 2) if counts else 0.0,
        "top_keywords": [
            {"keyword": keyword, "count": count} | ({"name": names[keyword]} if keyword in names else {})
            for keyword, count in top
        ],
        "daily_counts": counts,
        "titles": list(titles.values()),
    }


def table_of(page: Page) -> str:
    """A page in plain words as CSV, a row for each paper, which Notion and spreadsheets import."""
    written = io.StringIO()
    rows = csv.writer(written, lineterminator="\n")
    rows.writerow(["Name", "Date", "Input_Output", "Problem", "Solution", "ArXiv", "HF", "Upvotes", "Tags"])
    for block in page.blocks:
        parts = block.said.parts if block.said.style == Style.PLAIN else {}
        said = [parts.get(name) or "" for name in ("input_output", "problem", "idea")]
        tags = ", ".join(map(one_line, block.paper.keywords))
        votes = "" if block.votes_count is None else block.votes_count
        row = [title_of(block), page.about.slug, *said, block.paper.arxiv, block.paper.page, votes, tags]
        rows.writerow([_cell(value) for value in row])
    return written.getvalue()


def _cell(value: object) -> object:
    """A value that no spreadsheet takes for a formula (OWASP, "CSV Injection")."""
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) else value


def as_json(record: object) -> str:
    """A record as JSON text, deterministic."""
    return json.dumps(record, ensure_ascii=False, indent=2) + "\n"


def read_day(text: str) -> Day | None:
    """Parse a day's record; None where it is not valid."""
    try:
        found = json.loads(text)
        papers = found["papers"]
        sound = all(isinstance(paper["url"], str) and isinstance(paper["title"], str) for paper in papers)
        return found if sound and {"date", "crawled_at"} <= found.keys() else None
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def code_of(paper: Paper) -> str | None:
    """The URL of a paper's code, None where it is not that of a project."""
    return paper.code if paper.code and _CODE.fullmatch(paper.code) else None


def abstract_of(block: Block) -> str:
    """A paper's abstract, empty where the feed has a placeholder."""
    return "" if block.abstract.rstrip(".").casefold() in NOT_ABSTRACTS else block.abstract


def title_of(block: Block) -> str:
    """A paper's title as its authors wrote it."""
    return block.original_title or block.title


def _paper(block: Block) -> dict[str, Any]:
    paper = block.paper
    return {
        "title": title_of(block),
        "url": paper.page,
        "published": None if paper.published is None else paper.published.isoformat(),
        "likes": block.votes_count,
        "institution": block.organisation,
        "paper_link": paper.arxiv,
        "code_link": code_of(paper),
        "abstract": abstract_of(block) or None,
    }


def _likes(paper: Mapping[str, Any]) -> int:
    likes = paper.get("likes")
    return likes if isinstance(likes, int) else 0
