"""Mails that web pages send: queued, sent in the background through the mail channel, retried."""

from __future__ import annotations

import asyncio
import logging
import uuid
from contextlib import suppress
from dataclasses import dataclass

from bot.channel import Barred, Gone, LoginError, Mailing, Page, Personal, Rejected, Sent
from bot.delivery.session import Session

log = logging.getLogger(__name__)

MOST_WAITING = 500
"""Mails that the queue holds."""
WORKERS = 2
"""Mails that are sent at the same time."""
SEND_SECONDS = 60.0
"""Seconds that sending one mail may take."""
RETRY_AFTER = (10.0, 60.0, 300.0, 900.0)
"""Seconds between the attempts to send a mail; after the last one it is given up."""


@dataclass(frozen=True, slots=True)
class _QueuedMail:
    to: str
    page: Page
    key: str
    attempts: int = 0


class OutgoingMail:
    """Sends mails through a channel's session. `post()` only enqueues; `run()` sends in the background."""

    def __init__(self, session: Session) -> None:
        assert isinstance(session.channel, Mailing)
        self._session = session
        self._waiting: asyncio.Queue[_QueuedMail] = asyncio.Queue(MOST_WAITING)
        self._sending = 0
        self._later: dict[asyncio.TimerHandle, _QueuedMail] = {}
        """Mails that wait for their next attempt, by its timer."""

    @property
    def busy(self) -> bool:
        """Whether any mail is queued or being sent."""
        return bool(self._sending) or not self._waiting.empty()

    def post(self, to: str, page: Page) -> None:
        """Enqueue a page as a mail to a recipient. If the queue is full the mail is dropped, and the log says so."""
        self._put(_QueuedMail(to, page, uuid.uuid4().hex))

    async def run(self) -> None:
        """Send queued mails, for ever."""
        try:
            await asyncio.gather(*(self._work() for _ in range(WORKERS)))
        finally:
            for handle in self._later:
                handle.cancel()

    async def finish(self, patience: float) -> None:
        """Send what is queued before the program stops, retries included, for at most `patience` seconds."""
        for handle, mail in list(self._later.items()):
            handle.cancel()
            self._put(mail)
        self._later.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await self._waiting.join()
        if left := self._waiting.qsize() + self._sending + len(self._later):
            log.warning("stopping, queued mails dropped", extra={"count": left})

    async def _work(self) -> None:
        while True:
            mail = await self._waiting.get()
            self._sending += 1
            try:
                async with asyncio.timeout(SEND_SECONDS):
                    done = await self._send(mail)
            except LoginError:
                done = False  # the dispatcher has logged it
            except Exception:  # one failed mail must not stop the others
                log.exception("sending a mail failed, retrying later")
                done = False
            finally:
                self._sending -= 1
                self._waiting.task_done()
            if not done and mail.attempts < len(RETRY_AFTER):
                self._retry_later(mail)

    async def _send(self, mail: _QueuedMail) -> bool:
        """Send one mail. Returns False if it should be retried."""
        channel = await self._session.open()
        assert isinstance(channel, Mailing)
        await self._session.rate_limiter.acquire(mail.to, urgent=True)
        outcome = await channel.send(mail.to, channel.letter(mail.page), Personal(key=mail.key))
        if not isinstance(outcome, Sent):
            # Not the reason: it is the service's own words, which may name the reader.
            log.warning("mail not sent", extra={"outcome": type(outcome).__name__, "attempts": mail.attempts + 1})
        return isinstance(outcome, Sent | Gone | Barred | Rejected)

    def _retry_later(self, mail: _QueuedMail) -> None:
        retry = _QueuedMail(mail.to, mail.page, mail.key, mail.attempts + 1)

        def put() -> None:
            self._later.pop(handle, None)
            self._put(retry)

        handle = asyncio.get_running_loop().call_later(RETRY_AFTER[mail.attempts], put)
        self._later[handle] = retry

    def _put(self, mail: _QueuedMail) -> None:
        try:
            self._waiting.put_nowait(mail)
        except asyncio.QueueFull:
            log.error("mail queue full, message dropped")
