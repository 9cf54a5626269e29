"""Processes a bounce mailbox: classifies each mail, hands feedback to the core, and counts what there was."""

from __future__ import annotations

import asyncio
import hashlib
import sys
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.channel import FeedbackHandler, Links, Memory
from channels.email.bounces import FEEDBACK_OF, MailKind, classify
from channels.email.mailboxes import InboxError, read_inbox


@dataclass(frozen=True, slots=True)
class MailCounts:
    """How many mails of each kind a mailbox had."""

    found: Counter[MailKind]
    new: Counter[MailKind] | None
    """Those that were feedback and changed something; None where the mails were only counted."""

    def lines(self) -> list[str]:
        """A report, one line per kind of mail."""
        lines = [f"{self.found.total()} mails"]
        for kind in filter(self.found.__getitem__, MailKind):
            known = f", {self.new[kind]} new" if self.new is not None and kind in FEEDBACK_OF else ""
            lines.append(f"{kind.value}: {self.found[kind]}{known}")
        return lines

    def rows(self) -> list[dict[str, object]]:
        """The same for scripts: a row for each kind, those without mails included."""
        rows: list[dict[str, object]] = []
        for kind in MailKind:
            new = self.new[kind] if self.new is not None and kind in FEEDBACK_OF else None
            rows.append({"kind": kind.name.lower(), "means": kind.value, "mails": self.found[kind], "new": new})
        return rows


async def process_mailbox(
    place: str, links: Links, feedback: FeedbackHandler, memory: Memory, *, dry_run: bool
) -> MailCounts:
    """Process every mail of a mailbox, and count the mails. Raises InboxError.

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
    return MailCounts(found, None if dry_run else new)
