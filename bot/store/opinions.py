"""What a second model said of sentences, each held against one source: asked once, then read back."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.text_tables import opinions
from bot.store.upsert import insert

KEEP = timedelta(days=30)
"""Time for which an opinion is kept; the text that it was asked for is stored by then, and never asked for again."""


async def of(connection: AsyncConnection, model: str, source: str, sentences: Sequence[str]) -> dict[str, bool]:
    """What a model said of these sentences, as far as it was asked: whether each follows from the source."""
    by_hash = {_hash(each): each for each in sentences}
    query = select(opinions.c.sentence, opinions.c.follows).where(
        opinions.c.model == model, opinions.c.source == _hash(source), opinions.c.sentence.in_(by_hash)
    )
    return {by_hash[row.sentence]: row.follows for row in await connection.execute(query)}


async def keep(
    connection: AsyncConnection, model: str, source: str, sentence: str, *, follows: bool, now: datetime
) -> None:
    """Store what a model said of a sentence; what is stored already stays."""
    statement = insert(connection, opinions).values(
        sentence=_hash(sentence), source=_hash(source), model=model, follows=follows, asked_at=now
    )
    await connection.execute(statement.on_conflict_do_nothing())


async def forget(connection: AsyncConnection, *, before: datetime) -> int:
    """Delete opinions that were asked before an instant. Returns how many there were."""
    return (await connection.execute(delete(opinions).where(opinions.c.asked_at < before))).rowcount


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
