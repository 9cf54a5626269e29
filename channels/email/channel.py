"""E-mail: mail that people like to read and mail systems trust, over any SMTP relay.

A recipient is a mail address, `local@domain` in small letters, its domain in ASCII (channels.email.address).
"""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache
from typing import Self

from bot.channel import (
    LEAVE,
    MAIL,
    Commands,
    Deferred,
    FeedbackHandler,
    Finding,
    Gone,
    Kit,
    Limits,
    LoginError,
    Message,
    Outcome,
    Pace,
    Page,
    Personal,
    Sent,
    Unknown,
)
from bot.model import Extra
from channels.email.address import domain, is_normalised, normalise
from channels.email.dkim_signature import KeyFaultError, Signer
from channels.email.doctor import check_email
from channels.email.errors import RETRY_SECONDS, outcome_of
from channels.email.headers import header
from channels.email.intake import process_mailbox
from channels.email.message import MAX_HTML_BYTES, SETTINGS, UNSUBSCRIBE, WEB, Composer, Mail
from channels.email.pool import LoginRefusedError, ConnectionPool
from channels.email.settings import TOKEN, Settings
from channels.email.smtp import BrokenError, RefusedError, SmtpSession


class Email:
    """Sends mails."""

    name = "email"
    limits = Limits(maxima={"bytes of HTML": MAX_HTML_BYTES})
    repeats_unknown = True  # with the same Message-ID, of which many receivers keep one
    rehearsal = False
    extras: Sequence[Extra] = ()
    residents: Sequence[str] = ()

    def __init__(self, settings: Settings, kit: Kit, tls: ssl.SSLContext | None) -> None:
        self.settings = settings
        self.pace = Pace(concurrency=settings.connections, account=settings.rate, exclusive=False)
        self._kit = kit
        self._tls = tls
        self._pool = ConnectionPool(settings, tls=tls)
        self._signer: Signer | None = None
        self._composer = Composer(settings.own, settings.reply_to, kit)

    def recipient(self, written: str) -> str:
        return normalise(written)

    async def __aenter__(self) -> Self:
        own = self.settings
        try:
            if own.dkim_key is not None:
                self._signer = Signer(own.dkim_key.get_secret_value(), own.dkim_selector, own.own.domain)
            async with self._pool.connection():
                pass
        except (LoginRefusedError, KeyFaultError) as error:
            raise LoginError(str(error)) from None
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._pool.close()

    async def listen(self, commands: Commands) -> None:
        """What is written to us is read by `papers email bounces`."""

    def compose(self, page: Page) -> Mail:
        return self._composer.compose(page)

    def letter(self, page: Page) -> Mail:
        """A mail to somebody who may not be subscribed, because they were asked for on the web."""
        return self._composer.compose(page, letter=True)

    async def send(self, to: str, message: Message, personal: Personal) -> Outcome:
        assert isinstance(message, Mail)
        if not is_normalised(to):
            return Gone("what is stored is no mail address")
        token = self._token(personal)
        sender = self.settings.bounces.replace(TOKEN, token) if self.settings.bounces else self.settings.own.address
        text = self._text(to, message, personal, token)
        if self._signer is not None:
            text.insert(0, await self._signer.sign(text))
        outcome, anew = await self._try(to, sender, text)
        if anew:
            outcome, _ = await self._try(to, sender, text)
        return outcome

    async def _try(self, to: str, sender: str, text: Sequence[bytes]) -> tuple[Outcome, bool]:
        """Send one mail over one connection; whether another connection may do better at once."""
        try:
            async with self._pool.connection() as session:
                if not to.isascii() and "smtputf8" not in session.extensions:
                    return Deferred("the relay takes no addresses in other scripts (SMTPUTF8)", RETRY_SECONDS), False
                reply = await session.send(_envelope(session, sender, to, text), text)
        except RefusedError as error:
            # A relay that has had enough of a connection says 421, and takes the next one.
            return outcome_of(error.reply, error.stage, domain(to)), error.reply.code == 421 and not error.while_connecting
        except BrokenError as error:
            if error.handed_over:
                return Unknown(str(error)), False
            return Deferred(str(error), scope="channel"), not error.while_connecting
        except LoginRefusedError as error:
            return Deferred(str(error), scope="channel"), False
        self._pool.record_success()
        return Sent(reply.text[:200] or None), False

    async def check(self) -> Sequence[Finding]:
        return await check_email(self.settings, self._pool, self._kit.links.public)

    async def process_mailbox(self, place: str, returns: FeedbackHandler, *, dry_run: bool = False) -> list[str]:
        """Deal with the mails at a place, EMAIL_INBOX where none is named; a line for each kind there was.

        Raises InboxError.
        """
        inbox = self.settings.inbox
        place = place or (inbox.get_secret_value() if inbox is not None else "")
        return await process_mailbox(place, self._kit.links, returns, self._kit.memory, dry_run=dry_run)

    def _token(self, personal: Personal) -> str:
        """What a mail is known by when it comes back, in its Message-ID and its envelope's sender."""
        if not personal.reader:
            return personal.key
        edition = personal.key.partition(".")[0]
        return self._kit.links.sign(MAIL, f"{edition}.{personal.reader}")

    def _text(self, to: str, mail: Mail, personal: Personal, token: str) -> list[bytes]:
        """The whole mail as it goes over the wire."""
        links = dict(personal.links)
        lines = [
            mail.headers,
            f"To: <{to}>\r\n".encode(),
            _date(int(datetime.now(UTC).timestamp())),
            header("Message-ID", f"<{token}@{self.settings.own.domain}>"),
        ]
        if mail.transactional:
            return [b"".join(lines), *mail.with_links({})]
        letter = self._leaving(personal)
        one_click = links.get(UNSUBSCRIBE)
        lines.append(header("List-Unsubscribe", *([f"<{one_click}>,"] if one_click else []), f"<{letter}>"))
        if one_click and one_click.startswith("https://"):  # RFC 8058 section 3.1
            lines.append(b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n")
        if WEB in links:
            lines.append(header("Archived-At", f"<{links[WEB]}>"))
        links.setdefault(UNSUBSCRIBE, letter)
        for name in (SETTINGS, WEB):
            links.setdefault(name, self._kit.links.public or "")
        return [b"".join(lines), *mail.with_links(links)]

    def _leaving(self, personal: Personal) -> str:
        """The mailto link that unsubscribes."""
        own = self.settings
        answers = (own.reply_to or own.own).address
        if not personal.reader:
            return f"mailto:{answers}?subject=unsubscribe"
        token = self._kit.links.sign(LEAVE, personal.reader)
        if own.bounces:
            return f"mailto:{own.bounces.replace(TOKEN, token)}?subject=unsubscribe"
        return f"mailto:{answers}?subject=unsubscribe%20{token}"


def make(settings: Settings, kit: Kit, *, tls: ssl.SSLContext | None = None) -> Email:
    """The channel as configured. `tls` is whom to trust: the system's authorities, or a test's own."""
    return Email(settings, kit, tls)


def _envelope(session: SmtpSession, sender: str, to: str, text: Sequence[bytes]) -> tuple[bytes, bytes]:
    """MAIL and RCPT as they go over the wire."""
    size = f" SIZE={sum(map(len, text))}" if "size" in session.extensions else ""
    utf8 = "" if to.isascii() else " SMTPUTF8"
    return f"MAIL FROM:<{sender}>{size}{utf8}\r\n".encode(), f"RCPT TO:<{to}>\r\n".encode()


@lru_cache(maxsize=4)
def _date(second: int) -> bytes:
    """The Date header of mails that leave in this second."""
    return f"Date: {format_datetime(datetime.fromtimestamp(second, UTC))}\r\n".encode()
