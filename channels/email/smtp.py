"""SMTP session: sends mail after mail over one connection, pipelined (RFC 2920), in two round trips each.

aiosmtplib connects, secures and logs in; then its transport is handed to `SmtpSession`, which never copies a message.
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
"""Seconds for the replies to MAIL, RCPT and DATA together (RFC 5321 section 4.5.3.2: 5, 5 and 2 minutes)."""
DOT_SECONDS = 600.0
"""Seconds for the reply to the final dot (RFC 5321 section 4.5.3.2.6). A shorter timeout sends mails twice."""
CLOSING = 421
"""The reply code with which a relay closes the connection, at any point (RFC 5321 section 3.8)."""
QUIT_SECONDS = 2.0
"""Seconds to wait for the reply to QUIT."""
MAX_REPLY_BYTES = 32_768
"""Bytes of one reply before the peer is taken to speak something other than SMTP."""
_LINE = re.compile(rb"([2-5][0-9][0-9])([ -]?)([^\r\n]*)\r?\n")
_ENHANCED = re.compile(r"([245])\.(\d{1,3})\.(\d{1,3})\b")


class Stage(StrEnum):
    """The command that a reply answers; the value is shown to operators."""

    LOGIN = "login"
    MAIL = "MAIL"
    RCPT = "RCPT"
    DATA = "DATA"
    DOT = "the message"


@dataclass(frozen=True, slots=True)
class Reply:
    """A relay's reply to one command."""

    code: int
    text: str

    @property
    def enhanced(self) -> tuple[int, int, int] | None:
        """The enhanced status code (RFC 3463) that the reply begins with, None without one."""
        found = _ENHANCED.match(self.text)
        return None if found is None else (int(found[1]), int(found[2]), int(found[3]))

    def __str__(self) -> str:
        return f"{self.code} {self.text}"


class RefusedError(Exception):
    """The relay refused a command."""

    def __init__(self, stage: Stage, reply: Reply) -> None:
        super().__init__(f"{stage}: {reply}")
        self.stage, self.reply = stage, reply
        self.while_connecting = False
        """Whether connecting failed, as opposed to an established session."""


class BrokenError(Exception):
    """The connection ended; `handed_over`: the whole message had been sent and may have arrived."""

    def __init__(self, why: str, *, handed_over: bool) -> None:
        super().__init__(why)
        self.handed_over = handed_over
        self.while_connecting = False
        """Whether connecting failed, as opposed to an established session."""


class SmtpSession(asyncio.Protocol):
    """A logged-in connection to the relay. Used by one task at a time."""

    def __init__(self, extensions: Container[str]) -> None:
        """`extensions` are the keywords of the relay's EHLO reply, in lower case."""
        self.extensions = extensions
        self._transport: asyncio.Transport | None = None
        self._buffer = b""
        self._lines: list[str] = []
        self._replies: deque[Reply] = deque()
        self._expected = 0
        self._waiter: asyncio.Future[None] | None = None
        self._over = False
        self._in_transaction = False
        self.mails = 0
        """Mails sent so far."""
        self.used_at = 0.0
        """The event loop's time in seconds when it was last released to the pool."""

    @classmethod
    def take_over(cls, transport: asyncio.Transport, extensions: Container[str]) -> SmtpSession:
        """Create a session on a connection that is already logged in."""
        session = cls(extensions)
        session.connection_made(transport)
        transport.set_protocol(session)
        return session

    @property
    def alive(self) -> bool:
        """Whether a mail can be sent; an unsolicited reply means that the relay is closing the connection."""
        return not self._over and not self._replies and self._transport is not None

    async def send(self, envelope: Sequence[bytes], text: Sequence[bytes]) -> Reply:
        """Send one mail. `envelope` is MAIL and RCPT as bytes, `text` the dot-stuffed message that ends with CRLF.

        Returns the reply to the final dot.

        Raises:
            RefusedError: the relay refused; the session can be used again.
            BrokenError: the connection is lost.
        """
        commands = [*envelope, b"DATA\r\n"]
        stages = (Stage.MAIL, Stage.RCPT, Stage.DATA)
        if self._in_transaction:
            commands.insert(0, b"RSET\r\n")
        await self._start(commands, stages)
        self._write([*text, b".\r\n"])
        self._in_transaction = False
        [reply] = await self._read(1, DOT_SECONDS, handed_over=True)
        self.mails += 1
        if reply.code != 250:
            raise RefusedError(Stage.DOT, reply)
        return reply

    async def probe_sender(self, sender: str) -> Reply | None:
        """Ask whether the relay accepts mail from `sender`; sends nothing. Returns the refusal, None if accepted."""
        self._write([f"MAIL FROM:<{sender}>\r\n".encode()])
        [reply] = await self._read(1, MAIL_SECONDS, handed_over=False)
        self._write([b"RSET\r\n"])
        await self._read(1, MAIL_SECONDS, handed_over=False)
        return None if _accepts(reply, 250) else reply

    @property
    def tls_version(self) -> str | None:
        """The TLS version, such as "TLSv1.3"; None for a connection in the clear."""
        held = None if self._transport is None else self._transport.get_extra_info("ssl_object")
        return None if held is None else str(held.version())

    async def _start(self, commands: Sequence[bytes], stages: Sequence[Stage]) -> None:
        """Send everything before the message. Raises RefusedError for the first refusal, BrokenError."""
        expected = (250,) * (len(commands) - 1) + (354,)
        self._in_transaction = True
        if "pipelining" in self.extensions:
            self._write(commands)
            replies = await self._read(len(commands), MAIL_SECONDS, handed_over=False)
        else:
            replies = []
            for command, code in zip(commands, expected, strict=True):
                self._write([command])
                replies += await self._read(1, MAIL_SECONDS, handed_over=False)
                if not _accepts(replies[-1], code):
                    break
        refused = next((n for n, reply in enumerate(replies) if not _accepts(reply, expected[n])), None)
        if refused is None:
            return
        if len(replies) == len(commands) and replies[-1].code == 354:
            # The relay accepted DATA although a recipient was refused: send an empty message (RFC 2920 section 3.1).
            try:
                self._write([b".\r\n"])
                await self._read(1, MAIL_SECONDS, handed_over=False)
            except BrokenError:  # the refusal is known already
                self.close()
        stage = (Stage.MAIL, *stages)[refused] if len(commands) > len(stages) else stages[refused]
        raise RefusedError(stage, replies[refused])

    async def quit(self) -> None:
        """Send QUIT, wait briefly for its reply, and close."""
        if self.alive:
            try:
                self._write([b"QUIT\r\n"])
                async with asyncio.timeout(QUIT_SECONDS):
                    await self._read(1, QUIT_SECONDS, handed_over=False)
            except (BrokenError, TimeoutError):
                pass
        self.close()

    def close(self) -> None:
        """Drop the connection."""
        self._over = True
        if self._transport is not None:
            self._transport.abort()
            self._transport = None

    # asyncio.Protocol

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
        if b"\n" in self._buffer or len(self._buffer) + sum(map(len, self._lines)) > MAX_REPLY_BYTES:
            self.close()  # this is not SMTP
        closing = bool(self._replies) and self._replies[-1].code == CLOSING
        if self._over or closing or len(self._replies) >= self._expected:
            self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _write(self, parts: Sequence[bytes]) -> None:
        if self._over or self._transport is None:
            raise BrokenError("the connection was lost", handed_over=False)
        self._transport.writelines(parts)

    async def _read(self, count: int, seconds: float, *, handed_over: bool) -> list[Reply]:
        """Read `count` replies; fewer where a 421 ends the session. Raises BrokenError."""
        if len(self._replies) < count and not self._over:
            self._expected = count
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                async with asyncio.timeout(seconds):
                    await self._waiter
            except TimeoutError:
                self.close()
                raise BrokenError(f"no answer in {seconds:.0f} s", handed_over=handed_over) from None
            except asyncio.CancelledError:
                self.close()
                raise
            finally:
                self._waiter = None
        replies = [self._replies.popleft() for _ in range(min(count, len(self._replies)))]
        if len(replies) < count:
            self.close()
            last = replies[-1] if replies else None
            if last is not None and last.code == CLOSING:
                return replies
            raise BrokenError("the connection was lost before the answer", handed_over=handed_over)
        return replies


def _accepts(reply: Reply, code: int) -> bool:
    """Whether a reply has the expected code; 251 is a recipient that is forwarded (RFC 5321 section 4.2.2)."""
    return reply.code == code or (code == 250 and reply.code == 251)
