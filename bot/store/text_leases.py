"""Leases of texts: one writer at a time has a text written, so that two processes never pay for the same one.

A lease ends by itself at an instant, so that a writer that was killed blocks nobody for longer than one request takes.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model import Style
from bot.store.text_tables import text_leases
from bot.store.upsert import insert

Key = tuple[str, str, Style]
"""The arXiv id, language and style of a text."""


async def claim(connection: AsyncConnection, key: Key, *, owner: str, now: datetime, until: datetime) -> bool:
    """Take the lease of a text until an instant, or keep it until then. Returns False while another owner has it.

    One statement on both databases: of two that ask at once, the second finds the first one's row.
    """
    paper_id, language, style = key
    statement = insert(connection, text_leases).values(
        paper_id=paper_id, language=language, style=style.value, owner=owner, ends_at=until
    )
    free = or_(text_leases.c.ends_at <= now, text_leases.c.owner == owner)
    taken = statement.on_conflict_do_update(
        index_elements=["paper_id", "language", "style"], set_={"owner": owner, "ends_at": until}, where=free
    )
    return (await connection.execute(taken.returning(text_leases.c.owner))).first() is not None


async def renew(connection: AsyncConnection, key: Key, *, owner: str, until: datetime) -> None:
    """Let a lease end later, if it is still the owner's."""
    await connection.execute(update(text_leases).where(*_one(key, owner)).values(ends_at=until))


async def release(connection: AsyncConnection, key: Key, *, owner: str) -> None:
    """Give a lease back."""
    await connection.execute(delete(text_leases).where(*_one(key, owner)))


async def held(connection: AsyncConnection, paper_ids: Sequence[str], *, now: datetime, but: str = "") -> set[Key]:
    """The texts of these papers that somebody other than `but` is having written."""
    query = select(text_leases.c.paper_id, text_leases.c.language, text_leases.c.style).where(
        text_leases.c.paper_id.in_(paper_ids), text_leases.c.ends_at > now, text_leases.c.owner != but
    )
    return {(row.paper_id, row.language, Style(row.style)) for row in await connection.execute(query)}


def _one(key: Key, owner: str) -> tuple[ColumnElement[bool], ...]:
    paper_id, language, style = key
    return (
        text_leases.c.paper_id == paper_id,
        text_leases.c.language == language,
        text_leases.c.style == style.value,
        text_leases.c.owner == owner,
    )
