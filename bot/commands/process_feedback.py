"""What comes back from readers and their mail systems, carried out: complaints, wishes to leave, bounces."""

from __future__ import annotations

import logging
import re
from datetime import datetime
from typing import assert_never

from sqlalchemy.ext.asyncio import AsyncConnection

from bot.channel import LEAVE, MAIL, Feedback, Links
from bot.model import Reason, Status, Subscriber
from bot.rules.outcomes import REDACTED, STRIKES, redact, short
from bot.signing import named
from bot.store import Store, reader_history, recording, subscriber_queries

log = logging.getLogger(__name__)

_ADDRESS = re.compile(r"[^\s<>\"'(),:;]{1,64}@[^\s<>\"'(),:;]{1,255}")
LISTENING = {Status.PENDING, Status.ACTIVE, Status.PAUSED}


class FeedbackProcessor:
    """The door for what comes back (bot.channel.Returns)."""

    def __init__(self, store: Store, links: Links) -> None:
        self._store = store
        self._links = links

    async def take(self, what: Feedback, purpose: str, token: str, reason: str, now: datetime) -> bool:
        """Draw the consequences for whoever a token names; whether they were drawn, and not for the first time."""
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
            # What a mail system says names the mailbox; a mailbox behind it has an address that we were never given.
            told = _ADDRESS.sub(REDACTED, redact(reason, reader.address.recipient))
            done = await _carry_out(connection, what, reader, edition, reason=short(told), now=now)
        if done:
            log.info("returned", extra={"what": what.value, "subscriber": reader.id})
        return done


async def _carry_out(
    connection: AsyncConnection, what: Feedback, reader: Subscriber, edition: int | None, *, reason: str, now: datetime
) -> bool:
    listening = reader.status in LISTENING
    match what:
        case Feedback.COMPLAINT:
            known = await subscriber_queries.is_suppressed(connection, reader.address)
            await subscriber_queries.suppress(connection, reader.address, Reason.COMPLAINED, now=now)
            await subscriber_queries.unsubscribe(connection, reader.id, now=now, reason=Reason.COMPLAINED)
            return not known
        case Feedback.LEAVING:
            if listening:
                await subscriber_queries.unsubscribe(connection, reader.id, now=now)
            return listening
        case Feedback.GONE:
            if listening:
                await subscriber_queries.mark_gone(connection, reader.id, reason, now=now)
            return listening
        case Feedback.STRIKE:
            if edition is None or not await recording.mark_not_reached(connection, edition, reader.id, reason):
                return False
            if listening and await reader_history.strikes(connection, reader.id, edition) >= STRIKES:
                await subscriber_queries.mark_gone(connection, reader.id, reason, now=now)
            return True
        case _:
            assert_never(what)


def _edition(value: str) -> tuple[int | None, str]:
    """The edition and the reader that a mail's token names."""
    number, _, name = value.partition(".")
    return (int(number) if number.isdecimal() else None), name
