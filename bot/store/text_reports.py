"""Readers' reports of wrong summaries: counted per text and model, without a word about who reported."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model import Text
from bot.store.text_tables import text_reports
from bot.store.upsert import insert

Key = tuple[str, str, str, str]
"""The arXiv id, language, style and model of a text."""


@dataclass(frozen=True, slots=True)
class Reported:
    """How many texts of a model were reported since an instant, and how often in all."""

    model: str
    texts: int
    reports: int


async def add(connection: AsyncConnection, text: Text, now: datetime) -> None:
    """Count one report of a text."""
    statement = insert(connection, text_reports).values(
        paper_id=text.paper_id,
        language=text.language,
        style=text.style.value,
        model=text.model,
        reports=1,
        reported_at=now,
    )
    again = {"reports": text_reports.c.reports + 1, "reported_at": now}
    key = ["paper_id", "language", "style", "model"]
    await connection.execute(statement.on_conflict_do_update(index_elements=key, set_=again))


async def of(connection: AsyncConnection, paper_ids: Sequence[str]) -> dict[Key, int]:
    """How often each text about these papers was reported; texts that nobody reported are left out."""
    rows = await connection.execute(select(text_reports).where(text_reports.c.paper_id.in_(paper_ids)))
    return {(row.paper_id, row.language, row.style, row.model): row.reports for row in rows}


async def by_model(connection: AsyncConnection, since: datetime) -> list[Reported]:
    """The models of which a text was reported since an instant, the most reported first."""
    reports = func.sum(text_reports.c.reports)
    query = (
        select(text_reports.c.model, func.count(), reports)
        .where(text_reports.c.reported_at >= since)
        .group_by(text_reports.c.model)
        .order_by(reports.desc(), text_reports.c.model)
    )
    return [Reported(model, texts, int(count)) for model, texts, count in await connection.execute(query)]
