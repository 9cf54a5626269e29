"""Letters that pages send: written down for the channel that takes them, sent beside everything else, tried again."""

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
WORKERS = 2
SEND_SECONDS = 60.0
AGAIN = (10.0, 60.0, 300.0, 900.0)
"""Seconds after which a letter is tried again that could not be sent."""


@dataclass(frozen=True, slots=True)
class _QueuedMail:
    to: str
    page: Page
    key: str
    tries: int = 0


class OutgoingMail:
    """Sends letters through a channel's session. `post` costs nothing and waits for nobody."""

    def __init__(self, session: Session) -> None:
        assert isinstance(session.channel, Mailing)
        self._session = session
        self._waiting: asyncio.Queue[_QueuedMail] = asyncio.Queue(MOST_WAITING)
        self._sending = 0
        self._later: dict[asyncio.TimerHandle, _QueuedMail] = {}
        """What is tried again after a while."""

    @property
    def busy(self) -> bool:
        """Whether any letter waits or is being sent."""
        return bool(self._sending) or not self._waiting.empty()

    def post(self, to: str, page: Page) -> None:
        """Have a page sent to a recipient. Where too many wait, it is left out, and the log says so."""
        self._put(_QueuedMail(to, page, uuid.uuid4().hex))

    async def run(self) -> None:
        """Send what is waiting, for ever."""
        try:
            await asyncio.gather(*(self._work() for _ in range(WORKERS)))
        finally:
            for handle in self._later:
                handle.cancel()

    async def finish(self, patience: float) -> None:
        """Let what waits be sent before the program stops, in at most so many seconds; what was put off, once more."""
        for handle, letter in list(self._later.items()):
            handle.cancel()
            self._put(letter)
        self._later.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await self._waiting.join()
        if left := self._waiting.qsize() + self._sending + len(self._later):
            log.warning("letters are left behind", extra={"count": left})

    async def _work(self) -> None:
        while True:
            letter = await self._waiting.get()
            self._sending += 1
            try:
                async with asyncio.timeout(SEND_SECONDS):
                    settled = await self._send(letter)
            except LoginError:
                settled = False  # said already, by whoever delivers
            except Exception:  # one letter that fails costs no other
                log.exception("letter failed")
                settled = False
            finally:
                self._sending -= 1
                self._waiting.task_done()
            if not settled and letter.tries < len(AGAIN):
                self._try_again(letter)

    async def _send(self, letter: _QueuedMail) -> bool:
        """Whether there is nothing more to be done about a letter."""
        channel = await self._session.open()
        assert isinstance(channel, Mailing)
        await self._session.rate_limiter.acquire(letter.to, urgent=True)
        outcome = await channel.send(letter.to, channel.letter(letter.page), Personal(key=letter.key))
        if not isinstance(outcome, Sent):
            # Reasons are a service's own words, which may name the reader.
            log.warning("letter not sent", extra={"outcome": type(outcome).__name__, "tries": letter.tries + 1})
        return isinstance(outcome, Sent | Gone | Barred | Rejected)

    def _try_again(self, letter: _QueuedMail) -> None:
        again = _QueuedMail(letter.to, letter.page, letter.key, letter.tries + 1)

        def put() -> None:
            self._later.pop(handle, None)
            self._put(again)

        handle = asyncio.get_running_loop().call_later(AGAIN[letter.tries], put)
        self._later[handle] = again

    def _put(self, letter: _QueuedMail) -> None:
        try:
            self._waiting.put_nowait(letter)
        except asyncio.QueueFull:
            log.error("too many letters wait, and one is left out")
