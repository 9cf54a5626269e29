"""Processes a bounce mailbox: classifies each mail, hands feedback to the core, and counts what there was."""

from __future__ import annotations

import asyncio
import hashlib
import sys
from collections import Counter
from datetime import UTC, datetime

from bot.channel import FeedbackHandler, Links, Memory
from channels.email.bounces import FEEDBACK_OF, MailKind, classify
from channels.email.mailboxes import InboxError, read_inbox


async def process_mailbox(
    place: str, links: Links, feedback: FeedbackHandler, memory: Memory, *, dry_run: bool
) -> list[str]:
    """Process every mail of a mailbox. Returns a report, one line per kind of mail. Raises InboxError.

    Each mail is processed once, wherever it is read from: otherwise an old bounce would end a renewed subscription.
    `dry_run` only counts.
    """
    if not place:
        raise InboxError("Name a mailbox, or set EMAIL_INBOX.")
    found: Counter[MailKind] = Counter()
    new: Counter[MailKind] = Counter()
    mails = read_inbox(place, sys.stdin.buffer)
    while (mail := await asyncio.to_thread(next, mails, None)) is not None:
        about = classify(mail.raw, links)
        found[about.kind] += 1
        if dry_run or about.kind not in FEEDBACK_OF:
            continue
        key = f"returned {hashlib.sha256(mail.raw).hexdigest()[:32]}"
        if await memory.get(key) is None:
            now = datetime.now(UTC)
            if await feedback.process(FEEDBACK_OF[about.kind], about.purpose, about.token, about.reason, now):
                new[about.kind] += 1
            await memory.put(key, f"{now.date()}")
        await asyncio.to_thread(mail.mark)
    lines = [f"{found.total()} mails"]
    for kind in MailKind:
        if found[kind]:
            known = f", {new[kind]} new" if kind in FEEDBACK_OF and not dry_run else ""
            lines.append(f"{kind.value}: {found[kind]}{known}")
    return lines
