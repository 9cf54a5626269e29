"""Processes feedback from readers and mail systems: complaints, unsubscribe requests, bounces."""

from __future__ import annotations

import logging
import re
from datetime import datetime
from typing import assert_never

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.channel import LEAVE, MAIL, Feedback, Links
from bot.model import Reason, Status, Subscriber
from bot.rules.outcomes import REDACTED, is_given_up, redact, short
from bot.signing import named
from bot.store import Store, reader_history, recording, subscriber_queries

log = logging.getLogger(__name__)

_ADDRESS = re.compile(r"[^\s<>\"'(),:;]{1,64}@[^\s<>\"'(),:;]{1,255}")
NOT_ENDED = {Status.PENDING, Status.ACTIVE, Status.PAUSED}
"""The statuses that feedback can end."""


class FeedbackProcessor:
    """Applies feedback about readers whom signed tokens name (`bot.channel.FeedbackHandler`)."""

    def __init__(self, store: Store, links: Links) -> None:
        self._store = store
        self._links = links

    async def process(self, what: Feedback, purpose: str, token: str, reason: str, now: datetime) -> bool:
        """Apply feedback about the reader that a token names. Returns whether it changed anything; idempotent."""
        value = self._links.read(purpose, token) if purpose in {LEAVE, MAIL} else None
        if value is None:
            return False
        edition, name = (None, value) if purpose == LEAVE else _edition(value)
        about = named(name)
        if about is None:
            return False
        async with self._store.write() as connection:
            reader = await subscriber_queries.numbered(connection, about[0], lock=True)
            if reader is None or reader.created_at is None or int(reader.created_at.timestamp()) != about[1]:
                return False
            # Mail systems quote the mailbox, and where it forwards an address that we were never given.
            anonymous = _ADDRESS.sub(REDACTED, redact(reason, reader.address.recipient))
            done = await _apply(connection, what, reader, edition, reason=short(anonymous), now=now)
        if done:
            log.info("feedback processed", extra={"what": what.value, "subscriber": reader.id})
        return done


async def _apply(
    connection: AsyncConnection, what: Feedback, reader: Subscriber, edition: int | None, *, reason: str, now: datetime
) -> bool:
    can_end = reader.status in NOT_ENDED
    match what:
        case Feedback.COMPLAINT:
            known = await subscriber_queries.is_suppressed(connection, reader.address)
            await subscriber_queries.suppress(connection, reader.address, Reason.COMPLAINED, now=now)
            await subscriber_queries.unsubscribe(connection, reader.id, now=now, reason=Reason.COMPLAINED)
            return not known
        case Feedback.UNSUBSCRIBE:
            if can_end:
                await subscriber_queries.unsubscribe(connection, reader.id, now=now)
            return can_end
        case Feedback.GONE:
            if can_end:
                await subscriber_queries.mark_gone(connection, reader.id, reason, now=now)
            return can_end
        case Feedback.STRIKE:
            if edition is None or not await recording.mark_not_reached(connection, edition, reader.id, reason):
                return False
            if can_end and is_given_up(await reader_history.strikes(connection, reader.id, edition)):
                await subscriber_queries.mark_gone(connection, reader.id, reason, now=now)
            return True
        case _:
            assert_never(what)


def _edition(value: str) -> tuple[int | None, str]:
    """The edition's id and the reader's name in a mail's token."""
    number, _, name = value.partition(".")
    return (int(number) if number.isdecimal() else None), name
