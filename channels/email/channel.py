"""E-mail over any SMTP relay, with list headers, VERP return paths and one-click unsubscription.

A recipient is a mail address, `local@domain` in lower case, its domain in ASCII (channels.email.address).
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
    N_,
    Channel,
    Deferred,
    Feedback,
    FeedbackHandler,
    Finding,
    Gone,
    Kind,
    Kit,
    Limits,
    LoginError,
    Message,
    Outcome,
    Pace,
    Page,
    Personal,
    Preference,
    Sent,
    Unknown,
)
from bot.model import OFF
from channels.email.address import domain, is_normalised, normalise
from channels.email.dkim_signature import KeyFaultError, Signer
from channels.email.doctor import check_email
from channels.email.errors import RETRY_SECONDS, outcome_of
from channels.email.headers import header
from channels.email.intake import MailCounts, process_mailbox
from channels.email.message import (
    CHARTS,
    FEWER,
    MAX_HTML_BYTES,
    PICTURE,
    SETTINGS,
    UNSUBSCRIBE,
    WEB,
    WELCOME_HTML,
    WELCOME_TEXT,
    Composer,
    Mail,
)
from channels.email.pool import ConnectionPool, LoginRefusedError
from channels.email.settings import TOKEN, Settings
from channels.email.smtp import BrokenError, RefusedError, SmtpSession
from channels.email.verdicts import Spoken, Verdict, verdict

PICTURES = Preference(
    "picture",
    "picture",
    Kind.SWITCH,
    N_("preference.picture"),
    N_("help.picture"),
    choices=(True, False),
    examples=("{off}",),
)
"""Whether mails show the first paper's picture: they do unless it is turned off."""


class Email(Channel):
    """The e-mail channel."""

    name = "email"
    limits = Limits(maxima={"bytes of HTML": MAX_HTML_BYTES})
    extras = (PICTURES,)
    repeats_unknown = True  # with the same Message-ID, by which many receivers drop duplicates

    def __init__(self, settings: Settings, kit: Kit, tls: ssl.SSLContext | None) -> None:
        self.settings = settings
        self.pace = Pace(concurrency=settings.connections, account=settings.rate, exclusive=False)
        self._kit = kit
        self._pool = ConnectionPool(settings, tls=tls)
        self._signer: Signer | None = None
        self._composer = Composer(settings.own, settings.reply_to, kit, inline=settings.pictures == "inline")
        self.shows_pictures = settings.pictures == "inline"

    def recipient(self, written: str) -> str:
        return normalise(written)

    def judge(self, recipient: str) -> str:
        return domain(recipient)

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

    def compose(self, page: Page) -> Mail:
        return self._composer.compose(page)

    def letter(self, page: Page) -> Mail:
        """Compose transactional mail, such as the confirmation that was asked for on the web."""
        return self._composer.compose(page, letter=True)

    async def send(self, to: str, message: Message, personal: Personal) -> Outcome:
        assert isinstance(message, Mail)
        if not is_normalised(to):
            return Gone("the stored recipient is not a mail address")
        token = self._token(personal)
        sender = self.settings.bounces.replace(TOKEN, token) if self.settings.bounces else self.settings.own.address
        text = self._wire_message(to, message, personal, token)
        if self._signer is not None:
            text.insert(0, await self._signer.sign(text))
        outcome, retry_now = await self._send_once(to, sender, text)
        if retry_now:
            outcome, _ = await self._send_once(to, sender, text)
        return outcome

    async def _send_once(self, to: str, sender: str, text: Sequence[bytes]) -> tuple[Outcome, bool]:
        """Send one mail over one connection. Returns the outcome, and whether to retry at once over another."""
        try:
            async with self._pool.connection() as session:
                if not to.isascii() and "smtputf8" not in session.extensions:
                    return Deferred("the relay does not support internationalised addresses", RETRY_SECONDS), False
                reply = await session.send(_envelope(session, sender, to, text), text)
        except RefusedError as error:
            # 421 may close this connection alone (a limit of mails per connection): another one may do.
            retry_now = error.reply.code == 421 and not error.while_connecting
            return outcome_of(error.reply, error.stage, domain(to)), retry_now
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

    def weigh(self, declared: Feedback, reason: str) -> Feedback | None:
        """Classify a bounce that a mail service reports: its words win over what the service declares."""
        judged = verdict(reason, spoken=Spoken.RCPT if declared is Feedback.GONE else Spoken.UNKNOWN)
        if judged in {Verdict.SENDER, Verdict.QUOTA, Verdict.LATER}:
            return None
        return Feedback.STRIKE if judged in {Verdict.UNSURE, Verdict.FULL} else declared

    async def process_mailbox(self, place: str, feedback: FeedbackHandler, *, dry_run: bool = False) -> MailCounts:
        """Process the mails of a mailbox, by default EMAIL_INBOX, and count them. Raises InboxError."""
        inbox = self.settings.inbox
        place = place or (inbox.get_secret_value() if inbox is not None else "")
        return await process_mailbox(place, self._kit.links, feedback, self._kit.memory, dry_run=dry_run)

    def _token(self, personal: Personal) -> str:
        """The signed token of one mail, in its Message-ID and its return path (VERP)."""
        if not personal.reader:
            return personal.key
        edition = personal.key.partition(".")[0]
        return self._kit.links.sign(MAIL, f"{edition}.{personal.reader}")

    def _wire_message(self, to: str, mail: Mail, personal: Personal, token: str) -> list[bytes]:
        """The whole mail as it goes over the wire, in pieces."""
        links = dict(personal.links)
        lines = [
            mail.headers,
            f"To: <{to}>\r\n".encode(),
            _date(int(datetime.now(UTC).timestamp())),
            header("Message-ID", f"<{token}@{self.settings.own.domain}>"),
        ]
        if mail.transactional:
            return [b"".join(lines), *mail.with_links({})]
        mailto = self._unsubscribe_mailto(personal)
        one_click = links.get(UNSUBSCRIBE)
        lines.append(header("List-Unsubscribe", *([f"<{one_click}>,"] if one_click else []), f"<{mailto}>"))
        if one_click and one_click.startswith("https://"):  # RFC 8058 section 3.1
            lines.append(b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n")
        if WEB in links:
            lines.append(header("Archived-At", f"<{links[WEB]}>"))
        links.setdefault(UNSUBSCRIBE, mailto)
        shown = personal.extras.get(PICTURES.name, PICTURES.unset) != OFF
        links |= {
            PICTURE: mail.picture if shown else "",
            CHARTS: mail.charts if shown else "",
            WELCOME_HTML: "",
            WELCOME_TEXT: "",
        }
        if personal.welcome:
            links |= self._composer.welcome(mail, personal.welcome, links.get(SETTINGS, ""))
        for name in (SETTINGS, FEWER, WEB):
            links.setdefault(name, self._kit.links.public or "")
        return [b"".join(lines), *mail.with_links(links)]

    def _unsubscribe_mailto(self, personal: Personal) -> str:
        """The mailto link that unsubscribes."""
        own = self.settings
        reply_address = (own.reply_to or own.own).address
        if not personal.reader:
            return f"mailto:{reply_address}?subject=unsubscribe"
        token = self._kit.links.sign(LEAVE, personal.reader)
        if own.bounces:
            return f"mailto:{own.bounces.replace(TOKEN, token)}?subject=unsubscribe"
        return f"mailto:{reply_address}?subject=unsubscribe%20{token}"


def make(settings: Settings, kit: Kit, *, tls: ssl.SSLContext | None = None) -> Email:
    """Create the channel. `tls` replaces the system's certificate authorities, for tests."""
    return Email(settings, kit, tls)


def _envelope(session: SmtpSession, sender: str, to: str, text: Sequence[bytes]) -> tuple[bytes, bytes]:
    """MAIL and RCPT as they go over the wire."""
    size = f" SIZE={sum(map(len, text))}" if "size" in session.extensions else ""
    utf8 = "" if to.isascii() else " SMTPUTF8"
    return f"MAIL FROM:<{sender}>{size}{utf8}\r\n".encode(), f"RCPT TO:<{to}>\r\n".encode()


@lru_cache(maxsize=4)
def _date(second: int) -> bytes:
    """The Date header of mails sent in a second, given as a Unix time."""
    return f"Date: {format_datetime(datetime.fromtimestamp(second, UTC))}\r\n".encode()
