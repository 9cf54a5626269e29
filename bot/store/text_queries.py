"""Texts that a language model wrote, accepted or rejected: stored once, read back for every page."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model import Cadence, Preferences, Status, Style, Text
from bot.render.styles import TEXT_FIELDS
from bot.store import daily_spending, search
from bot.store.daily_spending import TOKENS
from bot.store.preference_columns import preferences
from bot.store.schema import choices, edition_papers, subscribers
from bot.store.text_tables import ACCEPTED, texts
from bot.store.upsert import insert

MOST_CHOICES = 2_000
"""Distinct choices of readers that texts are written for, those with most readers first."""


class TextState(StrEnum):
    """Whether the guard accepted a text."""

    ACCEPTED = ACCEPTED
    REJECTED = "rejected"
    """The guard refused it twice; it is not asked for again with the same model and prompt."""
    FAILED = "failed"
    """The endpoint gave no whole answer; it is asked for again after FAILED_FOR, or when an operator says so."""
    RETRY = "retry"
    """An operator wants it asked for again (`papers texts retry`)."""


FAILED_FOR = timedelta(days=1)
"""Time for which a text that failed is not asked for again."""
ENOUGH = 20
"""Texts of one language and model from which a share of accepted ones says something."""
ACCEPTABLE = 0.8
"""The share of accepted texts below which the operator is alerted."""


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
class Acceptance:
    """How many texts of one language and model were accepted, and how many rejected."""

    language: str
    model: str
    accepted: int
    rejected: int

    @property
    def too_low(self) -> bool:
        """Whether so few were accepted that the model should not write this language."""
        return self.rejected + self.accepted >= ENOUGH and self.accepted < ACCEPTABLE * (self.rejected + self.accepted)


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
    unwritten = texts.c.verdict != TextState.ACCEPTED
    await connection.execute(statement.on_conflict_do_update(index_elements=list(key), set_=changes, where=unwritten))
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
        found[row.paper_id][style] = Text(row.paper_id, row.language, style, dict(row.parts), row.model, row.written_at)
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
    connection: AsyncConnection,
    paper_ids: Sequence[str],
    model: str,
    prompt_of: Callable[[Style, str], str],
    now: datetime,
) -> set[tuple[str, str, Style]]:
    """What need not be asked for: paper, language and style of texts.

    They are accepted (by whatever prompt and model), or rejected with the same model and prompt, or failed less
    than a day ago. `prompt_of` gives the hash of today's prompt for a style and a language.
    """
    columns = (texts.c.paper_id, texts.c.language, texts.c.style, texts.c.model, texts.c.prompt, texts.c.verdict)
    query = select(*columns, texts.c.written_at).where(texts.c.paper_id.in_(paper_ids))
    found = set()
    for row in await connection.execute(query):
        style = Style(row.style)
        ours = row.model == model and row.prompt == prompt_of(style, row.language)
        refused = ours and row.verdict == TextState.REJECTED
        failed = ours and row.verdict == TextState.FAILED and row.written_at > now - FAILED_FOR
        if row.verdict == TextState.ACCEPTED or refused or failed:
            found.add((row.paper_id, row.language, style))
    return found


async def tokens_spent(connection: AsyncConnection, day: date) -> int:
    """Tokens that texts, and topics and keywords that were translated, cost on a UTC day."""
    begin = datetime.combine(day, time(), UTC)
    of_texts = await connection.scalar(select(func.sum(texts.c.tokens)).where(texts.c.written_at >= begin))
    return int(of_texts or 0) + sum([await daily_spending.spent(connection, each, day) for each in TOKENS])


async def average_tokens(connection: AsyncConnection) -> dict[Style, int]:
    """What a text of each style has cost on average, in tokens, for the styles of which any was written."""
    query = select(texts.c.style, func.avg(texts.c.tokens)).where(texts.c.tokens > 0).group_by(texts.c.style)
    return {Style(style): int(average) for style, average in await connection.execute(query)}


async def acceptance(connection: AsyncConnection, since: datetime) -> list[Acceptance]:
    """How many texts written since an instant were accepted and rejected, for each language and model."""
    count = func.count()
    query = (
        select(texts.c.language, texts.c.model, texts.c.verdict, count)
        .where(texts.c.written_at >= since, texts.c.verdict.in_([TextState.ACCEPTED, TextState.REJECTED]))
        .group_by(texts.c.language, texts.c.model, texts.c.verdict)
    )
    counts: defaultdict[tuple[str, str], dict[str, int]] = defaultdict(dict)
    for language, model, verdict, number in await connection.execute(query):
        counts[language, model][verdict] = number
    return [
        Acceptance(language, model, each.get(TextState.ACCEPTED, 0), each.get(TextState.REJECTED, 0))
        for (language, model), each in sorted(counts.items())
    ]


async def retry(
    connection: AsyncConnection, *, language: str | None = None, style: Style | None = None, paper_id: str | None = None
) -> int:
    """Have texts that were rejected or failed asked for again, all or some of them. Returns how many there are.

    Their tokens stay counted.
    """
    statement = update(texts).where(texts.c.verdict.in_([TextState.REJECTED, TextState.FAILED]))
    given = {texts.c.language: language, texts.c.style: style, texts.c.paper_id: paper_id}
    for column, value in given.items():
        if value is not None:
            statement = statement.where(column == value)
    return int((await connection.execute(statement.values(verdict=TextState.RETRY.value))).rowcount)


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


async def languages_in_use(connection: AsyncConnection) -> list[str]:
    """The languages of active readers, whatever they read, the most frequent first."""
    query = (
        select(choices.c.language)
        .join(subscribers, subscribers.c.choice_id == choices.c.id)
        .where(subscribers.c.status == Status.ACTIVE)
        .group_by(choices.c.language)
        .order_by(func.count().desc(), choices.c.language)
    )
    return list(await connection.scalars(query))


async def newest(connection: AsyncConnection, limit: int, *verdicts: TextState) -> list[StoredText]:
    """The newest texts and their verdicts, of all verdicts or of these, at most `limit` of them; 0 for all."""
    query = select(texts).order_by(texts.c.written_at.desc()).limit(limit or None)
    if verdicts:
        query = query.where(texts.c.verdict.in_(verdicts))
    rows = [row._asdict() for row in await connection.execute(query)]
    return [StoredText(**row | {"style": Style(row["style"]), "verdict": TextState(row["verdict"])}) for row in rows]
