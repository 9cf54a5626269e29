"""Connections to the relay: opened when they are needed, kept for a while, renewed before the relay tires of them."""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

from aiosmtplib import SMTP, SMTPAuthenticationError, SMTPException, SMTPResponseException

from channels.email.settings import Settings
from channels.email.smtp import BrokenError, RefusedError, Reply, SmtpSession, Stage

MAILS = 500
"""So many mails over one connection; relays cut it after a number of their own, and say so late or never."""
IDLE_SECONDS = 30.0
"""A connection that was not used for so long is closed: relays do so themselves after a minute or more."""
CONNECT_SECONDS = 60.0
"""How long connecting, greeting, TLS and login may each take."""
GROWTH = 100
"""After so many mails a relay that had taken no more connections is asked for one more."""


class LoginRefusedError(Exception):
    """The relay does not know us: one sentence that says what to do."""


class Pool:
    """Lends connections that are logged in."""

    def __init__(self, settings: Settings, *, tls: ssl.SSLContext | None = None) -> None:
        self._settings = settings
        self._tls = tls
        self._hostname = ""
        self._idle: list[SmtpSession] = []
        self._sweeper: asyncio.TimerHandle | None = None
        self._queue: deque[asyncio.Future[None]] = deque()
        self._lent = 0
        self._allowed = settings.connections
        self._calm = 0
        """Mails since the relay took no more connections."""
        self._parting: set[asyncio.Task[None]] = set()
        self._closed = False

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[SmtpSession]:
        """Lend a connection; one that cannot be used on afterwards is dropped. Raises what `open` raises."""
        session = await self._lend()
        try:
            yield session
        except RefusedError as error:
            if error.reply.code == 421:  # the relay closes the connection (RFC 5321 section 3.8)
                session.close()
            raise
        except BaseException:
            session.close()  # nobody knows what it is in the middle of
            raise
        finally:
            self._lent -= 1
            self._give_back(session)
            self._call_next()

    async def _lend(self) -> SmtpSession:
        """One of ours, or a new one. A relay that takes no more of them is content with those it has."""
        while True:
            await self._room()
            self._lent += 1
            try:
                return self._take() or await self.open()
            except (BrokenError, RefusedError) as error:
                self._lent -= 1
                error.opening = True
                if not self._lent:  # nobody has a connection: whoever waits for one need not try the same
                    self._allowed = self._settings.connections
                    self._turn_away(error)
                    raise
                self._allowed = max(1, min(self._allowed, self._lent))
                self._calm = 0
            except BaseException:
                self._lent -= 1
                self._call_next()
                raise

    async def _room(self) -> None:
        """Wait until one more connection may be used."""
        while self._lent >= self._allowed:
            waiter = asyncio.get_running_loop().create_future()
            self._queue.append(waiter)
            try:
                await waiter
            except asyncio.CancelledError:
                if waiter.done() and not waiter.cancelled():
                    self._call_next()  # it was somebody's turn, and is the next one's now
                raise
            finally:
                if waiter in self._queue:
                    self._queue.remove(waiter)

    def _turn_away(self, error: BrokenError | RefusedError) -> None:
        while self._queue:
            waiter = self._queue.popleft()
            if not waiter.done():
                waiter.set_exception(error)

    def _call_next(self) -> None:
        while self._queue:
            waiter = self._queue.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return

    async def open(self) -> SmtpSession:
        """A new connection, secured and logged in.

        Raises LoginRefusedError where trying again would not help, else RefusedError, BrokenError.
        """
        given = self._settings
        if not self._hostname:
            self._hostname = await asyncio.to_thread(_own_name)
        client = SMTP(
            hostname=given.host,
            port=given.relay_port,
            local_hostname=self._hostname,
            timeout=CONNECT_SECONDS,
            use_tls=given.security == "tls",
            start_tls=False,
            tls_context=self._tls,
        )
        try:
            await self._log_in(client)
        except SMTPAuthenticationError as error:
            client.close()
            if error.code >= 500:
                raise LoginRefusedError(
                    f"The mail relay {given.host} refuses the login ({error.code}); "
                    "check SMTP_USERNAME and SMTP_PASSWORD."
                ) from None
            raise RefusedError(Stage.LOGIN, Reply(error.code, error.message)) from None
        except SMTPResponseException as error:
            client.close()
            raise RefusedError(Stage.LOGIN, Reply(error.code, error.message)) from None
        except (SMTPException, OSError, TimeoutError) as error:
            client.close()
            if isinstance(error, ssl.SSLCertVerificationError) or isinstance(
                error.__cause__, ssl.SSLCertVerificationError
            ):
                raise LoginRefusedError(
                    f"The certificate of the mail relay {given.host} cannot be trusted; check SMTP_HOST, "
                    "or let SSL_CERT_FILE name the authority that made it."
                ) from None
            raise BrokenError(f"{type(error).__name__}: {error}", asked=False) from None
        except BaseException:
            client.close()
            raise
        if client.transport is None:
            raise BrokenError("the relay hung up after the login", asked=False)
        return SmtpSession.take_over(cast("asyncio.Transport", client.transport), client.esmtp_extensions)

    async def _log_in(self, client: SMTP) -> None:
        """Connect, secure, greet, log in."""
        given = self._settings
        await client.connect()
        await client.ehlo()
        if given.security == "starttls":
            if not client.supports_extension("starttls"):
                client.close()
                raise LoginRefusedError(
                    f"The mail relay {given.host} offers no STARTTLS on port {given.relay_port}; "
                    "check SMTP_PORT, or say SMTP_SECURITY=tls."
                )
            await client.starttls()
            await client.ehlo()
        if given.username:
            if not client.supported_auth_methods:
                client.close()
                raise LoginRefusedError(
                    f"The mail relay {given.host} offers no login on port {given.relay_port}; "
                    "check SMTP_PORT, or take SMTP_USERNAME away."
                )
            await client.login(given.username, given.password.get_secret_value() if given.password else "")

    def went_well(self) -> None:
        """A mail was taken: after a calm while, dare one connection more."""
        if self._allowed < self._settings.connections:
            self._calm += 1
            if self._calm >= GROWTH:
                self._calm = 0
                self._allowed += 1

    async def close(self) -> None:
        """Say goodbye on every connection; those that are lent follow when they come back."""
        self._closed = True
        if self._sweeper is not None:
            self._sweeper.cancel()
        for session in self._idle:
            self._part_from(session)
        self._idle = []
        await asyncio.gather(*self._parting)

    def _take(self) -> SmtpSession | None:
        """The connection that was used last and is still good."""
        while self._idle:
            session = self._idle.pop()
            if session.alive:
                return session
            session.close()
        return None

    def _give_back(self, session: SmtpSession | None) -> None:
        if session is None:
            return
        if not session.alive or session.mails >= MAILS or self._closed:
            self._part_from(session)
            return
        session.used_at = asyncio.get_running_loop().time()
        self._idle.append(session)
        if self._sweeper is None:
            self._sweeper = asyncio.get_running_loop().call_later(IDLE_SECONDS, self._sweep)

    def _sweep(self) -> None:
        """Part from connections that nobody has used for a while."""
        loop = asyncio.get_running_loop()
        before = loop.time() - IDLE_SECONDS
        stale = [session for session in self._idle if session.used_at <= before]
        self._idle = [session for session in self._idle if session.used_at > before]
        for session in stale:
            self._part_from(session)
        self._sweeper = loop.call_later(IDLE_SECONDS / 2, self._sweep) if self._idle else None

    def _part_from(self, session: SmtpSession) -> None:
        """Say goodbye without keeping anybody waiting."""
        task = asyncio.get_running_loop().create_task(session.quit())
        self._parting.add(task)
        task.add_done_callback(self._parting.discard)


def _own_name() -> str:
    """What this machine calls itself in EHLO: its full name, else an address literal (RFC 5321 section 4.1.3)."""
    name = socket.getfqdn()
    return name if "." in name and re.fullmatch(r"[A-Za-z0-9.-]+", name) else "[127.0.0.1]"
