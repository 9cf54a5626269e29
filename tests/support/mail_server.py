"""An SMTP server for tests (aiosmtpd): it keeps the mails that it accepts, and can fail at any command on demand.

    async with Relay() as relay:
        relay.answer = lambda verb, to: "550 5.1.1 nobody" if verb == "RCPT" and to == "gone@example.org" else None
        ...                                  # a client of 127.0.0.1, relay.port
        assert relay.letters[0].to == ["ada@example.org"]

Verbs are EHLO, AUTH, MAIL, RCPT, DATA (before the text), TEXT (in the middle of it) and DOT (after it).
"""

from __future__ import annotations

import asyncio
import ssl
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import SMTPUTF8
from typing import Any, Self

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

DROP = "drop"
"""In place of a reply: close the connection at once."""
SILENCE = "silence"
"""In place of a reply: hang."""
LOST = "lost"
"""In place of the reply to the final dot: accept the mail and close the connection."""

Answer = Callable[[str, str], str | None]
"""Gives the reply to a command and the address in it; None for the usual reply."""


@dataclass(frozen=True, slots=True)
class Letter:
    """One accepted mail."""

    sender: str
    to: list[str]
    raw: bytes
    options: list[str] = field(default_factory=list)
    connection: int = 0
    secure: bool = False

    @property
    def mail(self) -> EmailMessage:
        """The mail, parsed by the standard library."""
        parsed = BytesParser(policy=SMTPUTF8).parsebytes(self.raw)
        assert isinstance(parsed, EmailMessage)
        return parsed


def _usual(verb: str, address: str) -> str | None:
    return None


@dataclass
class Relay:
    """An SMTP server; `answer` chooses its faults."""

    answer: Answer = _usual
    tls: ssl.SSLContext | None = None
    implicit: bool = False
    """Whether TLS begins with the connection."""
    login: tuple[str, str] | None = None
    extensions: Sequence[str] = ("PIPELINING",)
    """Extensions that are offered beside those of aiosmtpd."""
    utf8: bool = True
    letters: list[Letter] = field(default_factory=list)
    verbs: Counter[str] = field(default_factory=Counter)
    connections: int = 0
    most_at_once: int = 0
    port: int = 0
    _open: set[Any] = field(default_factory=set)
    _server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        context = self.tls if self.implicit else None
        make = lambda: _Conversation(self)  # noqa: E731
        self._server = await asyncio.get_running_loop().create_server(make, "127.0.0.1", 0, ssl=context)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *exc: object) -> None:
        assert self._server is not None
        self._server.close()
        self.hang_up()
        await self._server.wait_closed()

    def hang_up(self) -> None:
        """Close every connection."""
        for conversation in list(self._open):
            conversation.hang_up()

    async def settle(self, verb: str, server: Any, address: str = "") -> str | None:
        """Count a command. Returns the reply that `answer` chooses, None for the usual one."""
        self.verbs[verb] += 1
        answer = self.answer(verb, address)
        if answer == DROP:
            server.hang_up()
            return "451 never seen"
        if answer == SILENCE:
            await asyncio.Event().wait()
        return answer

    # aiosmtpd's hooks

    async def handle_EHLO(  # noqa: N802 - aiosmtpd's name
        self, server: Any, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        answer = await self.settle("EHLO", server)
        return [answer] if answer else [*(f"250-{name}" for name in self.extensions), *responses]

    async def handle_MAIL(  # noqa: N802
        self, server: Any, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        answer = await self.settle("MAIL", server, address)
        if answer is None:
            envelope.mail_from = address
            envelope.mail_options.extend(options)
        return answer or "250 2.1.0 OK"

    async def handle_RCPT(  # noqa: N802
        self, server: Any, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        answer = await self.settle("RCPT", server, address)
        if answer is None:
            envelope.rcpt_tos.append(address)
        return answer or "250 2.1.5 OK"

    async def handle_DATA(self, server: Any, session: Session, envelope: Envelope) -> str:  # noqa: N802
        answer = await self.settle("DOT", server, envelope.rcpt_tos[0])
        if answer is None or answer == LOST or answer.startswith("2"):
            assert isinstance(envelope.content, bytes)
            self.letters.append(
                Letter(
                    envelope.mail_from or "",
                    list(envelope.rcpt_tos),
                    envelope.content,
                    list(envelope.mail_options),
                    server.number,
                    session.ssl is not None or self.implicit,
                )
            )
        if answer == LOST:
            server.hang_up()
            return "451 never seen"
        return answer or f"250 2.0.0 taken as {len(self.letters)}"

    def check(self, server: Any, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        """Check a login (aiosmtpd's authenticator)."""
        self.verbs["AUTH"] += 1
        answer = self.answer("AUTH", "")
        if answer is not None:
            return AuthResult(success=False, handled=False, message=answer)
        assert isinstance(data, LoginPassword)
        return AuthResult(success=(data.login.decode(), data.password.decode()) == self.login, handled=False)


class _Conversation(SMTP):
    """One connection."""

    def __init__(self, relay: Relay) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # about logins in the clear, which stay on this machine
            super().__init__(
                relay,
                hostname="relay.example.org",
                enable_SMTPUTF8=relay.utf8,
                tls_context=None if relay.implicit else relay.tls,
                require_starttls=relay.tls is not None and not relay.implicit,
                authenticator=relay.check if relay.login else None,
                auth_required=relay.login is not None,
                auth_require_tls=False,
                loop=asyncio.get_running_loop(),
            )
        self._relay = relay
        self.number = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if self.number == 0:  # STARTTLS calls this again
            self._relay.connections += 1
            self.number = self._relay.connections
            self._relay._open.add(self)
            self._relay.most_at_once = max(self._relay.most_at_once, len(self._relay._open))

    def connection_lost(self, error: Exception | None) -> None:
        self._relay._open.discard(self)
        super().connection_lost(error)

    def hang_up(self) -> None:
        if self.transport is not None:
            self.transport.abort()  # type: ignore[attr-defined]

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802
        to = self.envelope.rcpt_tos[0] if self.envelope is not None and self.envelope.rcpt_tos else ""
        if to:
            answer = await self._relay.settle("DATA", self, to)
            if answer is not None:
                await self.push(answer)
                return
            if self._relay.answer("TEXT", to) == DROP:
                await self.push("354 go ahead")
                await self._reader.readline()
                self.hang_up()
                return
        await super().smtp_DATA(arg)
