"""The part of SMTP that is repeated for every mail, pipelined (RFC 2920): two round trips, and no copy of the message.

aiosmtplib opens the connection, secures it and logs in; then its transport is handed over to this protocol.
"""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import Container, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import cast

MAIL_SECONDS = 300.0
"""How long MAIL, RCPT and DATA's first answer may take together (RFC 5321 section 4.5.3.2: 5, 5 and 2 minutes)."""
DOT_SECONDS = 600.0
"""How long the answer to the final dot may take; who gives up sooner sends mails twice."""
GOODBYE = 421
"""The relay ends the conversation with it, whenever it comes (RFC 5321 section 3.8)."""
GOODBYE_SECONDS = 2.0
LONGEST_REPLY = 32_768
_LINE = re.compile(rb"([2-5][0-9][0-9])([ -]?)([^\r\n]*)\r?\n")
_ENHANCED = re.compile(r"([245])\.(\d{1,3})\.(\d{1,3})\b")


class Stage(StrEnum):
    """How far a mail had come when it was answered."""

    LOGIN = "login"
    MAIL = "MAIL"
    RCPT = "RCPT"
    DATA = "DATA"
    DOT = "the text"


@dataclass(frozen=True, slots=True)
class Reply:
    """What a relay answered to one command."""

    code: int
    text: str

    @property
    def enhanced(self) -> tuple[int, int, int] | None:
        """The enhanced status code (RFC 3463) at the reply's beginning."""
        found = _ENHANCED.match(self.text)
        return None if found is None else (int(found[1]), int(found[2]), int(found[3]))

    def __str__(self) -> str:
        return f"{self.code} {self.text}"


class RefusedError(Exception):
    """The relay said no, and to what."""

    def __init__(self, stage: Stage, reply: Reply) -> None:
        super().__init__(f"{stage}: {reply}")
        self.stage, self.reply = stage, reply
        self.opening = False
        """Whether no connection could be had, rather than one lost."""


class BrokenError(Exception):
    """The connection ended; `asked` says whether the whole text had been handed over, so that it may have arrived."""

    def __init__(self, why: str, *, asked: bool) -> None:
        super().__init__(why)
        self.asked = asked
        self.opening = False
        """Whether no connection could be had, rather than one lost."""


class SmtpSession(asyncio.Protocol):
    """One connection that is logged in, mail after mail. Used by one task at a time."""

    def __init__(self, extensions: Container[str]) -> None:
        """`extensions` are what the relay offered to EHLO, in small letters."""
        self.extensions = extensions
        self._transport: asyncio.Transport | None = None
        self._buffer = b""
        self._lines: list[str] = []
        self._replies: deque[Reply] = deque()
        self._wanted = 0
        self._waiter: asyncio.Future[None] | None = None
        self._over = False
        self._open_transaction = False
        self.mails = 0
        self.used_at = 0.0
        """When it was last given back, by the loop's clock."""

    @classmethod
    def take_over(cls, transport: asyncio.Transport, extensions: Container[str]) -> SmtpSession:
        """Go on with a connection that somebody else opened."""
        session = cls(extensions)
        session.connection_made(transport)
        transport.set_protocol(session)
        return session

    @property
    def alive(self) -> bool:
        """Whether a mail can be sent; a relay that spoke unasked wants to be rid of us."""
        return not self._over and not self._replies and self._transport is not None

    async def send(self, envelope: Sequence[bytes], text: Sequence[bytes]) -> Reply:
        """Send one mail: MAIL and RCPT as they go over the wire, and a text that is dot-stuffed and ends with a line.

        Gives back the answer to the final dot. Raises RefusedError, after which the connection can be used on, and
        BrokenError, after which it cannot.
        """
        commands = [*envelope, b"DATA\r\n"]
        stages = (Stage.MAIL, Stage.RCPT, Stage.DATA)
        if self._open_transaction:
            commands.insert(0, b"RSET\r\n")
        await self._start(commands, stages)
        self._write([*text, b".\r\n"])
        self._open_transaction = False
        [reply] = await self._read(1, DOT_SECONDS, asked=True)
        self.mails += 1
        if reply.code != 250:
            raise RefusedError(Stage.DOT, reply)
        return reply

    async def ask_for(self, sender: str) -> Reply | None:
        """Whether the relay would take mail from `sender`: None, else what it says. Nothing is sent."""
        self._write([f"MAIL FROM:<{sender}>\r\n".encode()])
        [reply] = await self._read(1, MAIL_SECONDS, asked=False)
        self._write([b"RSET\r\n"])
        await self._read(1, MAIL_SECONDS, asked=False)
        return None if _agrees(reply, 250) else reply

    @property
    def tls_version(self) -> str | None:
        """How the connection is secured: "TLSv1.3", None where it is not."""
        held = None if self._transport is None else self._transport.get_extra_info("ssl_object")
        return None if held is None else str(held.version())

    async def _start(self, commands: Sequence[bytes], stages: Sequence[Stage]) -> None:
        """Say what goes before the text; raise RefusedError for the first refusal."""
        expected = (250,) * (len(commands) - 1) + (354,)
        self._open_transaction = True
        if "pipelining" in self.extensions:
            self._write(commands)
            replies = await self._read(len(commands), MAIL_SECONDS, asked=False)
        else:
            replies = []
            for command, code in zip(commands, expected, strict=True):
                self._write([command])
                replies += await self._read(1, MAIL_SECONDS, asked=False)
                if not _agrees(replies[-1], code):
                    break
        refused = next((n for n, reply in enumerate(replies) if not _agrees(reply, expected[n])), None)
        if refused is None:
            return
        if len(replies) == len(commands) and replies[-1].code == 354:
            # It wants a text all the same: an empty one to nobody (RFC 2920 section 3.1).
            try:
                self._write([b".\r\n"])
                await self._read(1, MAIL_SECONDS, asked=False)
            except BrokenError:  # whatever it thinks of that, it has said what was the matter
                self.close()
        stage = (Stage.MAIL, *stages)[refused] if len(commands) > len(stages) else stages[refused]
        raise RefusedError(stage, replies[refused])

    async def quit(self) -> None:
        """Say goodbye, without waiting long for an answer."""
        if self.alive:
            try:
                self._write([b"QUIT\r\n"])
                async with asyncio.timeout(GOODBYE_SECONDS):
                    await self._read(1, GOODBYE_SECONDS, asked=False)
            except (BrokenError, TimeoutError):
                pass
        self.close()

    def close(self) -> None:
        """Drop the connection."""
        self._over = True
        if self._transport is not None:
            self._transport.abort()
            self._transport = None

    # What the event loop tells

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none of asyncio's classes

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the base class's signature
        self._over = True
        self._transport = None
        self._wake()

    def eof_received(self) -> bool:
        self._over = True
        self._wake()
        return False

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        at = 0
        while found := _LINE.match(self._buffer, at):
            at = found.end()
            self._lines.append(found[3].decode("utf-8", "replace"))
            if found[2] != b"-":
                self._replies.append(Reply(int(found[1]), " ".join(self._lines)))
                self._lines = []
        self._buffer = self._buffer[at:]
        if b"\n" in self._buffer or len(self._buffer) + sum(map(len, self._lines)) > LONGEST_REPLY:
            self.close()  # that is no SMTP
        goes = bool(self._replies) and self._replies[-1].code == GOODBYE
        if self._over or goes or len(self._replies) >= self._wanted:
            self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _write(self, parts: Sequence[bytes]) -> None:
        if self._over or self._transport is None:
            raise BrokenError("the connection was lost", asked=False)
        self._transport.writelines(parts)

    async def _read(self, count: int, seconds: float, *, asked: bool) -> list[Reply]:
        """The next `count` answers. A 421 ends the conversation whenever it comes (RFC 5321 section 3.8)."""
        if len(self._replies) < count and not self._over:
            self._wanted = count
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                async with asyncio.timeout(seconds):
                    await self._waiter
            except TimeoutError:
                self.close()
                raise BrokenError(f"no answer in {seconds:.0f} s", asked=asked) from None
            except asyncio.CancelledError:
                self.close()
                raise
            finally:
                self._waiter = None
        replies = [self._replies.popleft() for _ in range(min(count, len(self._replies)))]
        if len(replies) < count:
            self.close()
            last = replies[-1] if replies else None
            if last is not None and last.code == GOODBYE:
                return replies
            raise BrokenError("the connection was lost before the answer", asked=asked)
        return replies


def _agrees(reply: Reply, code: int) -> bool:
    """Whether a reply is the one hoped for; 251 says that a recipient is forwarded."""
    return reply.code == code or (code == 250 and reply.code == 251)
