"""Days, weeks and months as JSON: what a page held, in fields that programs can rely on. Pure."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date
from typing import Any

from bot.channel import Block, Page
from bot.model import Cadence, Paper
from bot.runtime.text import one_line

TOP_PAPERS = 20
TOP_TAGS = 10

Day = Mapping[str, Any]
"""A day's file as it was read back."""

FURNITURE = frozenset({"join the discussion on this paper page"})
"""What a page says where it has no abstract, and what is therefore none."""

_CODE = re.compile(r"https?://[\w.-]+(?::\d+)?/[\w.~+%-]+/[\w./~+%#?=-]+", re.ASCII)
"""An address that leads to some project: that of GitHub's own front page, or of a company's, names no paper's code."""


def day_of(page: Page) -> dict[str, Any]:
    """The day that a page shows."""
    closed_at = page.closed_at
    return {
        "date": page.slug,
        "crawled_at": None if closed_at is None else f"{closed_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "total_papers": len(page.blocks),
        "papers": [_paper(block) for block in page.blocks],
    }


def keywords_of(page: Page) -> dict[str, list[str]]:
    """The keywords of a page's papers, by the address that names each paper in the day's file."""
    return {
        block.paper.page: [one_line(keyword) for keyword in block.paper.keywords]
        for block in page.blocks
        if block.paper.keywords
    }


def period_of(cadence: Cadence, day: date, days: Iterable[Day], keywords: Mapping[str, Sequence[str]]) -> Day:
    """The week or month that `day` is in, from the files of its days; each paper counts once, as it was last seen."""
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


def as_json(record: object) -> str:
    """A record as text: UTF-8 as it is, and the same for the same record."""
    return json.dumps(record, ensure_ascii=False, indent=2) + "\n"


def read_day(text: str) -> Day | None:
    """A day's file; None for what is none, whoever wrote it."""
    try:
        found = json.loads(text)
        papers = found["papers"]
        sound = all(isinstance(paper["url"], str) and isinstance(paper["title"], str) for paper in papers)
        return found if sound and {"date", "crawled_at"} <= found.keys() else None
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def code_of(paper: Paper) -> str | None:
    """The address of a paper's code, None where what is known is not one of a project."""
    return paper.code if paper.code and _CODE.fullmatch(paper.code) else None


def abstract_of(block: Block) -> str:
    """A paper's abstract, empty where what is known is not one."""
    return "" if block.abstract.rstrip(".").casefold() in FURNITURE else block.abstract


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
