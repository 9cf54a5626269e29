"""Autocomplete: days, papers and topics that complete what somebody is typing behind a command."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, date, timedelta

from bot.channel import Suggestion
from bot.commands.context import Context
from bot.model import ARXIV_ID, Cadence, Paper
from bot.rules.topics import LONGEST_TOPIC
from bot.runtime.latex import plain_math
from bot.runtime.text import printable
from bot.store import edition_queries, paper_queries
from bot.store.search import Search, search

MOST = 25
"""Suggestions at once: as many as Discord shows."""
RECENT = timedelta(days=60)
"""Age of the editions that are suggested before anything is typed."""
KEYWORDS = timedelta(days=30)
"""Age of the papers whose keywords are suggested as topics."""


async def suggest_days(context: Context, typed: str) -> list[Suggestion]:
    """Days that have an edition, the newest first."""
    today = context.now.astimezone(UTC).date()
    async with context.store.read() as connection:
        days = await edition_queries.days(connection, Cadence.DAY, since=date.min if typed else today - RECENT)
    return containing([Suggestion(context.w.day(day), f"{day}") for day in sorted(days, reverse=True)], typed)


async def suggest_papers(context: Context, typed: str) -> list[Suggestion]:
    """The paper of a number, papers found by words, or before anything is typed those of the latest edition."""
    async with context.store.read() as connection:
        number = ARXIV_ID.search(typed)
        ids = [number[0]] if number else (await search(connection, Search(typed), MOST)).ids if typed else []
        latest = None if typed else await edition_queries.latest(connection, Cadence.DAY)
        found = (
            await paper_queries.by_ids(connection, ids) if latest is None else [each.paper for each in latest.papers]
        )
    return [Suggestion(" ".join(printable(plain_math(paper.title)).split()) or paper.id, paper.id) for paper in found]


async def suggest_topics(context: Context, typed: str) -> list[Suggestion]:
    """Recent keywords that complete the last topic of a list; the topics before it are kept."""
    before, comma, last = typed.rpartition(",")
    last = last.strip()
    minus = "-" if last.startswith("-") else ""
    begun = last.removeprefix("-").casefold()
    today = context.now.astimezone(UTC).date()
    async with context.store.read() as connection:
        ids = await edition_queries.papers_between(connection, today - KEYWORDS, today)
        recent = await paper_queries.by_ids(connection, ids)
    keywords = await asyncio.to_thread(_keywords, recent)
    completing = [word for word in keywords if any(each.startswith(begun) for each in (word, *word.split()))]
    kept = f"{before}{comma} " if comma else ""
    topics = [*([last] if begun else []), *(word if word.startswith("-") else f"{minus}{word}" for word in completing)]
    return [Suggestion(f"{kept}{topic}", f"{kept}{topic}") for topic in topics]


def _keywords(recent: Sequence[Paper]) -> list[str]:
    """The keywords of papers that can be topics, the most frequent first."""
    words = (" ".join(printable(word).split()).casefold() for paper in recent for word in paper.keywords)
    counted = Counter(word for word in words if word and "," not in word and len(word) <= LONGEST_TOPIC)
    return [word for word, _ in counted.most_common()]


def containing(offered: Iterable[Suggestion], typed: str) -> list[Suggestion]:
    """The suggestions whose label or value contains what was typed."""
    wanted = typed.casefold()
    return [each for each in offered if wanted in each.label.casefold() or wanted in each.value.casefold()]
