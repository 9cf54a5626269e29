"""Texts that a language model wrote, accepted or rejected: stored once, read back for every page."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time
from enum import StrEnum
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model import Cadence, Preferences, Status, Style, Text
from bot.render.styles import TEXT_FIELDS
from bot.store import search
from bot.store.preference_columns import preferences
from bot.store.schema import ACCEPTED, choices, edition_papers, subscribers, texts
from bot.store.upsert import insert

MOST_CHOICES = 2_000
"""Distinct choices of readers that texts are written for, those with most readers first."""


class TextState(StrEnum):
    """Whether the guard accepted a text."""

    ACCEPTED = ACCEPTED
    REJECTED = "rejected"
    """The guard refused it twice; it is not asked for again with the same model and prompt."""


@dataclass(frozen=True, slots=True)
class StoredText:
    """One stored text."""

    paper_id: str
    language: str
    style: Style
    model: str
    prompt: str
    """A hash of the prompt: when it changes, a rejected text is asked for again."""
    verdict: TextState
    parts: Mapping[str, str]
    faults: Sequence[str]
    tokens: int
    written_at: datetime


@dataclass(frozen=True, slots=True)
class WantedChoice:
    """A choice that readers have made: their cadence and preferences, and the number of these readers."""

    cadence: Cadence
    preferences: Preferences
    readers: int


async def keep(connection: AsyncConnection, written: StoredText) -> None:
    """Store a text, in place of a rejected one by the same model from the same prompt."""
    row = asdict(written) | {"style": written.style.value, "verdict": written.verdict.value}
    statement = insert(connection, texts).values(row)
    key = ("paper_id", "language", "style", "model", "prompt")
    changes: dict[str, Any] = {name: value for name, value in row.items() if name not in key}
    changes["tokens"] = texts.c.tokens + statement.excluded.tokens
    # What was accepted stays: two may have asked at the same time.
    refused = texts.c.verdict == TextState.REJECTED
    await connection.execute(statement.on_conflict_do_update(index_elements=list(key), set_=changes, where=refused))
    if written.verdict is TextState.ACCEPTED:
        await search.index(connection, [written.paper_id])


async def of(connection: AsyncConnection, paper_ids: Sequence[str], language: str) -> dict[str, dict[Style, Text]]:
    """The accepted texts about papers in one language, the newest of each style."""
    query = (
        select(texts)
        .where(texts.c.paper_id.in_(paper_ids), texts.c.language == language, texts.c.verdict == TextState.ACCEPTED)
        .order_by(texts.c.written_at)
    )
    found: defaultdict[str, dict[Style, Text]] = defaultdict(dict)
    for row in await connection.execute(query):
        style = Style(row.style)
        found[row.paper_id][style] = Text(row.paper_id, row.language, style, dict(row.parts))
    return dict(found)


async def count(connection: AsyncConnection, edition_id: int, language: str) -> int:
    """The number of accepted texts about an edition's papers; a page is rendered again when there are more."""
    query = (
        select(func.count())
        .select_from(texts)
        .join(edition_papers, edition_papers.c.paper_id == texts.c.paper_id)
        .where(
            edition_papers.c.edition_id == edition_id,
            texts.c.language == language,
            texts.c.verdict == TextState.ACCEPTED,
        )
    )
    return int(await connection.scalar(query) or 0)


async def unwritten(connection: AsyncConnection, paper_ids: Sequence[str], language: str, style: Style) -> int:
    """The number of these papers without any text, accepted or rejected, in a language and style."""
    query = select(func.count(func.distinct(texts.c.paper_id))).where(
        texts.c.paper_id.in_(paper_ids), texts.c.language == language, texts.c.style == style.value
    )
    return len(set(paper_ids)) - int(await connection.scalar(query) or 0)


async def settled(
    connection: AsyncConnection, paper_ids: Sequence[str], model: str, prompts: Mapping[Style, str]
) -> set[tuple[str, str, Style]]:
    """The texts not to ask for again, as (paper, language, style): accepted, or rejected with these prompts."""
    columns = (texts.c.paper_id, texts.c.language, texts.c.style, texts.c.model, texts.c.prompt, texts.c.verdict)
    query = select(*columns).where(texts.c.paper_id.in_(paper_ids))
    found = set()
    for row in await connection.execute(query):
        style = Style(row.style)
        ours = row.model == model and row.prompt == prompts.get(style)
        if row.verdict == TextState.ACCEPTED or ours:
            found.add((row.paper_id, row.language, style))
    return found


async def tokens_spent(connection: AsyncConnection, day: date) -> int:
    """Tokens that texts cost on a UTC day."""
    begin = datetime.combine(day, time(), UTC)
    return int(await connection.scalar(select(func.sum(texts.c.tokens)).where(texts.c.written_at >= begin)) or 0)


async def average_tokens(connection: AsyncConnection) -> int:
    """The average cost of a text in tokens, 0 without any text."""
    return int(await connection.scalar(select(func.avg(texts.c.tokens)).where(texts.c.tokens > 0)) or 0)


async def wanted_choices(connection: AsyncConnection) -> list[WantedChoice]:
    """The choices of active readers with a style that a model writes, those with most readers first."""
    readers = func.count().label("readers")
    columns = [column for column in choices.c if column.name != "id"]
    query = (
        select(*columns, subscribers.c.cadence, readers)
        .join(subscribers, subscribers.c.choice_id == choices.c.id)
        .where(subscribers.c.status == Status.ACTIVE, choices.c.style.in_([style.value for style in TEXT_FIELDS]))
        .group_by(*columns, subscribers.c.cadence)
        .order_by(readers.desc())
        .limit(MOST_CHOICES)
    )
    rows = await connection.execute(query)
    return [WantedChoice(Cadence(row.cadence), preferences(row), row.readers) for row in rows]


async def newest(connection: AsyncConnection, limit: int, verdict: TextState | None = None) -> list[StoredText]:
    """The newest texts and their verdicts, at most `limit` of them; 0 for all."""
    query = select(texts).order_by(texts.c.written_at.desc()).limit(limit or None)
    if verdict is not None:
        query = query.where(texts.c.verdict == verdict)
    rows = [row._asdict() for row in await connection.execute(query)]
    return [StoredText(**row | {"style": Style(row["style"]), "verdict": TextState(row["verdict"])}) for row in rows]
