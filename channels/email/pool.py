"""Connection pool: opens SMTP sessions on demand, keeps them for a while, and renews them after some mails."""

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

MAILS_PER_CONNECTION = 500
"""Mails per connection. Relays have a limit of their own and may cut the connection there without a word."""
IDLE_SECONDS = 30.0
"""Seconds before an unused connection is closed; relays close theirs after a minute or more."""
CONNECT_SECONDS = 60.0
"""Seconds that connecting, greeting, TLS and login may each take."""
MAILS_BEFORE_GROWTH = 100
"""Mails accepted before a relay that had refused another connection is asked for one more."""


class LoginRefusedError(Exception):
    """The relay refuses the login, and retrying would not help; the message says what to do."""


class ConnectionPool:
    """Lends logged-in sessions, at most `settings.connections` at a time and fewer where the relay takes fewer."""

    def __init__(self, settings: Settings, *, tls: ssl.SSLContext | None = None) -> None:
        self._settings = settings
        self._tls = tls
        self._hostname = ""
        self._idle: list[SmtpSession] = []
        self._sweeper: asyncio.TimerHandle | None = None
        self._waiters: deque[asyncio.Future[None]] = deque()
        self._in_use = 0
        self._limit = settings.connections
        self._sent_since_limit = 0
        """Mails accepted since the relay last refused another connection."""
        self._quitting: set[asyncio.Task[None]] = set()
        self._closed = False

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[SmtpSession]:
        """Borrow a session; one left in an unknown state is dropped. Raises what `open` raises."""
        session = await self._acquire()
        try:
            yield session
        except RefusedError as error:
            if error.reply.code == 421:  # the relay closes the connection (RFC 5321 section 3.8)
                session.close()
            raise
        except BaseException:
            session.close()  # its state is unknown
            raise
        finally:
            self._in_use -= 1
            self._release(session)
            self._wake_next()

    async def _acquire(self) -> SmtpSession:
        """An idle session or a new one. Where the relay refuses one more, the limit becomes what is in use."""
        while True:
            await self._wait_for_room()
            self._in_use += 1
            try:
                return self._take() or await self.open()
            except (BrokenError, RefusedError) as error:
                self._in_use -= 1
                error.while_connecting = True
                if not self._in_use:  # the relay takes none at all: the tasks in the queue fail with this one
                    self._limit = self._settings.connections
                    self._fail_waiters(error)
                    raise
                self._limit = max(1, min(self._limit, self._in_use))
                self._sent_since_limit = 0
            except BaseException:
                self._in_use -= 1
                self._wake_next()
                raise

    async def _wait_for_room(self) -> None:
        """Wait until another session may be in use."""
        while self._in_use >= self._limit:
            waiter = asyncio.get_running_loop().create_future()
            self._waiters.append(waiter)
            try:
                await waiter
            except asyncio.CancelledError:
                if waiter.done() and not waiter.cancelled():
                    self._wake_next()  # pass the turn on
                raise
            finally:
                if waiter in self._waiters:
                    self._waiters.remove(waiter)

    def _fail_waiters(self, error: BrokenError | RefusedError) -> None:
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_exception(error)

    def _wake_next(self) -> None:
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return

    async def open(self) -> SmtpSession:
        """Open a session: connect, TLS, login.

        Raises:
            LoginRefusedError: retrying would not help (credentials, certificate, missing STARTTLS).
            RefusedError: the relay refused for now.
            BrokenError: the connection failed.
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
            raise BrokenError(f"{type(error).__name__}: {error}", handed_over=False) from None
        except BaseException:
            client.close()
            raise
        if client.transport is None:
            raise BrokenError("the relay hung up after the login", handed_over=False)
        return SmtpSession.take_over(cast("asyncio.Transport", client.transport), client.esmtp_extensions)

    async def _log_in(self, client: SMTP) -> None:
        """Connect, secure and log in. Raises LoginRefusedError and what aiosmtplib raises."""
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

    def record_success(self) -> None:
        """Count an accepted mail; after MAILS_BEFORE_GROWTH of them the limit grows by one connection."""
        if self._limit < self._settings.connections:
            self._sent_since_limit += 1
            if self._sent_since_limit >= MAILS_BEFORE_GROWTH:
                self._sent_since_limit = 0
                self._limit += 1

    async def close(self) -> None:
        """Quit every idle session; those in use quit when they are released."""
        self._closed = True
        if self._sweeper is not None:
            self._sweeper.cancel()
        for session in self._idle:
            self._quit_later(session)
        self._idle = []
        await asyncio.gather(*self._quitting)

    def _take(self) -> SmtpSession | None:
        """The most recently used idle session that is alive, None without one."""
        while self._idle:
            session = self._idle.pop()
            if session.alive:
                return session
            session.close()
        return None

    def _release(self, session: SmtpSession) -> None:
        if not session.alive or session.mails >= MAILS_PER_CONNECTION or self._closed:
            self._quit_later(session)
            return
        session.used_at = asyncio.get_running_loop().time()
        self._idle.append(session)
        if self._sweeper is None:
            self._sweeper = asyncio.get_running_loop().call_later(IDLE_SECONDS, self._sweep)

    def _sweep(self) -> None:
        """Quit sessions that have been idle for too long."""
        loop = asyncio.get_running_loop()
        before = loop.time() - IDLE_SECONDS
        stale = [session for session in self._idle if session.used_at <= before]
        self._idle = [session for session in self._idle if session.used_at > before]
        for session in stale:
            self._quit_later(session)
        self._sweeper = loop.call_later(IDLE_SECONDS / 2, self._sweep) if self._idle else None

    def _quit_later(self, session: SmtpSession) -> None:
        """Quit in the background."""
        task = asyncio.get_running_loop().create_task(session.quit())
        self._quitting.add(task)
        task.add_done_callback(self._quitting.discard)


def _own_name() -> str:
    """The name for EHLO: this machine's full name, else an address literal (RFC 5321 section 4.1.3)."""
    name = socket.getfqdn()
    return name if "." in name and re.fullmatch(r"[A-Za-z0-9.-]+", name) else "[127.0.0.1]"
