"""Pauses, ends or moves subscribers as the outcomes of deliveries say."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.channel import Barred, Gone
from bot.delivery.alerts import Setter
from bot.model import Delivery, Reason, State
from bot.rules.outcomes import Consequence, Result, is_given_up
from bot.store import accounts, pending_deliveries, reader_history, recording, shared_places, subscriber_queries


class Change(NamedTuple):
    """A change to report: whether the chat was paused for lack of the right to post, and who set it up, if known."""

    is_barred: bool = False
    setter: Setter | None = None
    another_reaches: bool = False
    """Whether they started another bot meanwhile, which has not been refused and sends the delivery instead."""


async def change_subscriber(
    connection: AsyncConnection,
    delivery: Delivery,
    result: Result,
    follows: Consequence,
    *,
    channel: str,
    now: datetime,
) -> Change:
    """Pause, end or move the subscriber of a delivery, unless they were erased meanwhile, or started another bot."""
    reader, reason = delivery.reader.id, follows.reason
    if not await recording.has_same_reader(connection, delivery):
        return Change()
    if follows.moved_to is not None:
        await subscriber_queries.move(connection, reader, follows.moved_to)
    if not await accounts.reaches(connection, channel, reader):
        refused = isinstance(result, Gone | Barred)
        if refused:
            await accounts.pass_on(connection, delivery)
        return Change(another_reaches=refused)
    if isinstance(result, Gone) and reason is not None:
        await subscriber_queries.mark_gone(connection, reader, reason, now=now)
    elif isinstance(result, Barred) and reason is not None:
        await subscriber_queries.pause_barred(connection, reader, reason)
        await pending_deliveries.end(connection, reader, State.SKIPPED, Reason.NO_RIGHT, now=now)
        known = await shared_places.setter(connection, reader)
        place = result.place or f"{channel}:{delivery.reader.to}"
        return Change(True, None if known is None else Setter(*known, place))
    return Change()


async def end_after_strikes(connection: AsyncConnection, delivery: Delivery, reason: str, now: datetime) -> None:
    """End the subscription of a reader whom several editions in a row did not reach."""
    reader, same = delivery.reader.id, await recording.has_same_reader(connection, delivery)
    if same and is_given_up(await reader_history.strikes(connection, reader, delivery.edition_id)):
        await subscriber_queries.mark_gone(connection, reader, reason, now=now)
