"""Inboxes emptied into the core's door: each mail read, understood, its consequences drawn, and counted."""

from __future__ import annotations

import asyncio
import hashlib
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime

from bot.channel import FeedbackHandler, Links, Memory
from channels.email.bounces import TAKEN, MailKind, read
from channels.email.mailboxes import Arrived, InboxError, arrived


async def take_back(place: str, links: Links, returns: FeedbackHandler, memory: Memory, *, dry_run: bool) -> list[str]:
    """Deal with every mail at a place; what there was, a line for each kind. Raises InboxError.

    A mail that was dealt with once is not again, wherever it lies: whoever came back since stays.
    """
    if not place:
        raise InboxError("Say where the mails are, or set EMAIL_INBOX.")
    found: Counter[MailKind] = Counter()
    new: Counter[MailKind] = Counter()
    mails: Iterator[Arrived] = arrived(place, sys.stdin.buffer)
    while (mail := await asyncio.to_thread(next, mails, None)) is not None:
        reading = read(mail.raw, links)
        found[reading.verdict] += 1
        if dry_run or reading.verdict not in TAKEN:
            continue
        key = f"returned {hashlib.sha256(mail.raw).hexdigest()[:32]}"
        if await memory.get(key) is not None:
            await asyncio.to_thread(mail.mark)
            continue
        now = datetime.now(UTC)
        if await returns.process(TAKEN[reading.verdict], reading.purpose, reading.token, reading.reason, now):
            new[reading.verdict] += 1
        await memory.put(key, f"{now.date()}")
        await asyncio.to_thread(mail.mark)
    lines = [f"{found.total()} mails"]
    for verdict in MailKind:
        if found[verdict]:
            known = f", {new[verdict]} new" if verdict in TAKEN and not dry_run else ""
            lines.append(f"{verdict.value}: {found[verdict]}{known}")
    return lines
