"""The queue of updates, read with getUpdates or posted to a webhook."""

import asyncio
from collections import deque
from typing import Any

from tests.support.telegram_server.bell import Bell
from tests.support.telegram_server.refusal import RefusalError, conflict

Update = dict[str, Any]

LONGEST_HOLD = 50  # seconds that a getUpdates is held at most, whatever it asks for
UNASKED = {"chat_member", "message_reaction", "message_reaction_count"}
"""Not sent unless named in allowed_updates, core.telegram.org/bots/api#getupdates."""


class Updates:
    """Updates in order, kept until they are confirmed. One reader at a time: a second one ends the first."""

    def __init__(self, bell: Bell) -> None:
        self.bell = bell
        self.pending: deque[Update] = deque()
        self.allowed: list[str] = []
        self.webhook = self.secret = self.last_error = ""
        self.last_error_date = 0
        self.closing = False
        self.told = 0  # updates made so far
        self._next = 1000
        self._reader: asyncio.Future[None] | None = None

    def add(self, kind: str, payload: dict[str, Any]) -> Update:
        """Queue an update and give it back; one that the bot did not ask for is given back but not queued."""
        update = {"update_id": self._next, kind: payload}
        self._next += 1
        self.told += 1
        if kind in self.allowed if self.allowed else kind not in UNASKED:
            self.pending.append(update)
            self.wake()
            self.bell.ring()
        return update

    def wake(self) -> None:
        if self._reader and not self._reader.done():
            self._reader.set_result(None)

    @property
    def polling(self) -> bool:
        """Whether a getUpdates call is waiting."""
        return self._reader is not None and not self._reader.done()

    async def get(self, offset: int, limit: int, timeout: float, allowed: list[str] | None) -> list[Update]:
        """What getUpdates answers; the call may be ended by another one. Raises RefusalError."""
        if self.webhook:
            raise conflict(
                "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
            )
        self.end_reader("terminated by other getUpdates request; make sure that only one bot instance is running")
        if allowed is not None:
            self.allowed = allowed
        self.confirm(offset)
        limit = limit if 1 <= limit <= 100 else 100
        if not self.pending and timeout > 0 and not self.closing:
            await self._hold(min(timeout, LONGEST_HOLD))
        return [update for update, _ in zip(self.pending, range(limit), strict=False)]

    def confirm(self, offset: int) -> None:
        """Drop the updates before an offset; a negative one keeps that many from the end."""
        if offset < 0:
            while len(self.pending) > -offset:
                self.pending.popleft()
        while offset > 0 and self.pending and self.pending[0]["update_id"] < offset:
            self.pending.popleft()

    async def _hold(self, seconds: float) -> None:
        reader = self._reader = asyncio.get_running_loop().create_future()
        self.bell.ring()
        try:
            async with asyncio.timeout(seconds):
                await reader
        except TimeoutError:
            pass
        finally:
            if self._reader is reader:
                self._reader = None

    def end_reader(self, words: str) -> None:
        """End a waiting getUpdates call with status 409."""
        if self._reader and not self._reader.done():
            self._reader.set_exception(conflict(words))

    def close(self) -> None:
        self.closing = True
        self.wake()


def settings_of_reading(given: Any) -> list[str] | None:
    """The allowed_updates of a call; None leaves them as they are. Raises RefusalError."""
    if given is None:
        return None
    if not isinstance(given, list) or any(not isinstance(kind, str) for kind in given):
        raise RefusalError(400, "Bad Request: allowed_updates must be an Array of String")
    return given
