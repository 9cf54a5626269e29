"""What comes after deliveries, each under a lock of its own: recordings that follow, pages that are written again."""

from __future__ import annotations

from collections.abc import Sequence

from bot.delivery.page_completion import AwaitsRecording, PageCompleter, page_completers
from bot.delivery.recording_sender import RecordingSender, recording_senders
from bot.delivery.rendering import FindRecording
from bot.delivery.session import Session
from bot.runtime.locks import Locks
from bot.store import Store

FollowUp = RecordingSender | PageCompleter


def follow_ups(
    store: Store, locks: Locks, sessions: Sequence[Session], find: FindRecording | None, awaits: AwaitsRecording
) -> Sequence[FollowUp]:
    """Those of these channels. `find` finds recordings, `awaits` says of which editions one is to come."""
    senders = recording_senders(store, locks, sessions, find)
    return [*senders, *page_completers(store, locks, sessions, awaits)]
