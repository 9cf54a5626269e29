"""Sends the recording of an edition to readers who want it, once the edition has reached them.

A recording is no part of the delivery: noted before it is sent, never sent again, and its failure changes nothing. Only
where the whole channel has to wait is the note taken back: nothing was sent then, and it follows later.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from functools import partial

from bot.channel import Deferred, LoginError, Personal, Playing, Recording, Sent
from bot.delivery.rendering import FindRecording
from bot.delivery.session import Session
from bot.model import Cadence, Edition, Style
from bot.runtime.locks import Locks
from bot.runtime.locks.role_names import FOLLOW, role_of
from bot.store import Store, edition_queries, sent_recordings
from bot.store.sent_recordings import Listener

log = logging.getLogger(__name__)

LATEST = timedelta(hours=3)
"""Time after an edition reached its reader within which its recording follows; later nobody expects it."""
FRESH = timedelta(days=2)
"""Age up to which editions are looked at; notes are kept a day longer."""


class RecordingSender:
    """Sends recordings on one channel that plays them."""

    def __init__(self, store: Store, session: Session, find: FindRecording) -> None:
        """Raises TypeError for a channel that plays nothing."""
        if not isinstance(session.channel, Playing):
            raise TypeError(f"{session.channel.name} plays no recordings")
        self._store = store
        self._session = session
        self._player: Playing = session.channel
        self._find = find

    @property
    def role(self) -> str:
        """The lock under which they are sent."""
        return role_of(FOLLOW, self._session.channel.name)

    async def step(self, now: datetime) -> bool:
        """Send the recordings that are there and wanted. Returns whether any was sent."""
        async with self._store.read() as connection:
            newest = [await edition_queries.latest(connection, cadence) for cadence in Cadence]
        sent = 0
        for edition in newest:
            if edition is not None and edition.closed_at > now - FRESH:
                sent += await self._follow(edition, now)
        if sent:
            log.info("recordings sent", extra={"channel": self._session.channel.name, "count": sent})
            async with self._store.write() as connection:
                await sent_recordings.forget(connection, now - FRESH - timedelta(days=1))
        return sent > 0

    async def once(self, now: datetime) -> bool:
        """The same for a program that runs once."""
        return await self.step(now)

    async def _follow(self, edition: Edition, now: datetime) -> int:
        """Send one edition's recordings, until the service asks us to wait. Returns how many were sent."""
        assert edition.id is not None
        async with self._store.read() as connection:
            name = self._session.channel.name
            listeners = await sent_recordings.waiting(connection, name, edition.id, since=now - LATEST)
        found: dict[tuple[str, Style], Recording | None] = {}
        sent = 0
        for each in listeners:
            wanted = (each.language, each.style)
            if wanted not in found:
                found[wanted] = await self._find(edition.cadence, edition.day, *wanted)
            recording = found[wanted]
            if recording is None:
                continue
            outcome = await self._send(edition.id, each, recording, now)
            sent += isinstance(outcome, Sent)
            if isinstance(outcome, Deferred) and outcome.scope == "channel":
                break
        return sent

    async def _send(self, edition_id: int, to: Listener, recording: Recording, now: datetime) -> object:
        """Send one recording in its turn. Returns the outcome; None where it was noted before."""
        try:
            await self._session.open()
        except LoginError:
            return Deferred("login refused", scope="channel")  # the dispatcher tells the operator
        except Exception:  # one unreachable service must not stop the others
            log.exception("channel unreachable, its recordings wait", extra={"channel": self._session.channel.name})
            return Deferred("unreachable", scope="channel")
        await self._session.rate_limiter.acquire(to.recipient)
        try:
            return await self._play(edition_id, to, recording, now)
        finally:
            self._session.rate_limiter.ended(paid=False)

    async def _play(self, edition_id: int, to: Listener, recording: Recording, now: datetime) -> object:
        """Note and play one recording. Returns the outcome; None where it was noted before."""
        async with self._store.write() as connection:
            if not await sent_recordings.note(connection, edition_id, to.subscriber_id, now):
                return None
        key = f"{edition_id}.{to.subscriber_id}.recording"
        outcome = await self._player.play(to.recipient, recording, Personal(key, extras=to.extras))
        if isinstance(outcome, Deferred) and outcome.scope == "channel":
            async with self._store.write() as connection:
                await sent_recordings.take_back(connection, edition_id, to.subscriber_id)
        if not isinstance(outcome, Sent):
            fields = {"channel": self._session.channel.name, "subscriber": to.subscriber_id}
            log.warning("recording not sent", extra={**fields, "outcome": type(outcome).__name__})
        return outcome


def recording_sender(
    store: Store, locks: Locks, session: Session, find: FindRecording | None
) -> RecordingSender | None:
    """The sender of a channel that plays recordings, with a store that writes under its lock alone; else None."""
    if find is None or not isinstance(session.channel, Playing):
        return None
    role = role_of(FOLLOW, session.channel.name)
    return RecordingSender(store.fenced(locks, partial(list, [role])), session, find)
