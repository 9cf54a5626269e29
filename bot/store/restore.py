"""The first start on a restored backup: what it still owes may have been sent long ago by the original."""

from __future__ import annotations

import logging
from datetime import datetime

from sqlalchemy import delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.model import Reason, State
from bot.store import announcements, closing_state, one_time_tokens
from bot.store.backup_file import MARK
from bot.store.database import Store
from bot.store.schema import deliveries, reason_columns, system_state
from bot.store.unconfirmed import may_be_repeated

log = logging.getLogger(__name__)


async def skip_restored(store: Store, now: datetime) -> int | None:
    """Skip what a restored backup still owes, once. Returns how many deliveries that were, None where it is no backup.

    `now` is stored: editions that were due before it are closed without an audience.
    """
    mark = system_state.c.key == MARK
    async with store.read() as connection:
        if await connection.scalar(select(system_state.c.value).where(mark)) is None:
            return None
    async with store.write() as connection:
        made_and_skipped = await treat_as_restored(connection, now)
    if made_and_skipped is None:  # another process that started at the same moment was faster
        return None
    made, skipped = made_and_skipped
    # An error and not a warning: most commands log errors only, and this is logged once.
    log.error(
        "this is a restored backup: what it still owed is skipped, and editions due before now get no audience",
        extra={"made": made, "skipped": skipped},
    )
    return skipped


async def treat_as_restored(connection: AsyncConnection, now: datetime) -> tuple[str, int] | None:
    """Skip what a marked backup owes and take the mark away. Returns the mark and how many; None without a mark."""
    mark = system_state.c.key == MARK
    made = await connection.scalar(delete(system_state).where(mark).returning(system_state.c.value))
    if made is None:
        return None
    skipped = await connection.execute(
        update(deliveries)
        .where(or_(deliveries.c.state.in_([State.OWED, State.SENDING]), may_be_repeated(now)))
        .values(state=State.SKIPPED.value, owner=None, ended_at=now, **reason_columns(Reason.RESTORED))
    )
    await one_time_tokens.drop_all(connection)  # they may have been used since
    await announcements.drop_drafts(connection)  # they may have been confirmed since
    await closing_state.save(connection, restored=now)
    return str(made), skipped.rowcount
