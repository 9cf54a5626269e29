"""Reads bounce mailboxes: Maildir, mbox, IMAP or standard input. Deletes nothing.

Processed mails are marked as seen where the mailbox allows it; all others stay unread for people.
"""

from __future__ import annotations

import imaplib
import mailbox
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import unquote, urlsplit

from channels.email.bounces import MAX_BYTES

IMAP_SECONDS = 60.0
"""Seconds to wait for the IMAP server."""
LOOPBACK = {"localhost", "127.0.0.1", "::1"}


class InboxError(Exception):
    """A mailbox cannot be read; the message is one sentence for operators."""


@dataclass(frozen=True, slots=True)
class InboxMail:
    """One mail as bytes, and a function that marks it as seen."""

    raw: bytes
    mark: Callable[[], None]


def mark_nothing() -> None:
    """Do nothing: mails in an mbox and on standard input cannot be marked."""


def read_inbox(place: str, standard_input: BinaryIO, *, tls: ssl.SSLContext | None = None) -> Iterator[InboxMail]:
    """Yield the unread mails of a mailbox, each cut at MAX_BYTES.

    `place` is a folder (Maildir), a file (mbox), `imaps://user:password@host/INBOX`, or `-` for one mail on standard
    input. Raises InboxError.
    """
    if place == "-":
        yield from _of_stream(standard_input)
        return
    if place.casefold().startswith(("imap://", "imaps://")):
        yield from _of_imap(place, tls)
        return
    shown = "of that name" if "@" in place or "://" in place else place  # a mistyped URL may hold a password
    try:
        if Path(place).is_dir():
            yield from _of_maildir(Path(place))
        elif Path(place).is_file():
            yield from _of_mbox(Path(place))
        else:
            raise InboxError(f"There is no folder and no file {shown}.")
    except OSError as error:
        raise InboxError(f"The mailbox {shown} cannot be read ({error.strerror}).") from None


def _of_stream(stream: BinaryIO) -> Iterator[InboxMail]:
    """One mail, as a mail system pipes it to a command."""
    raw = stream.read(MAX_BYTES)
    if raw.startswith(b"From "):
        raw = raw.partition(b"\n")[2]
    if raw.strip():
        yield InboxMail(raw, mark_nothing)


def _of_maildir(folder: Path) -> Iterator[InboxMail]:
    if not (folder / "new").is_dir():
        raise InboxError(f"{folder} is no Maildir: it has no folder named new.")
    inbox = mailbox.Maildir(folder, create=False)
    for key in sorted(inbox.iterkeys()):
        try:
            message = inbox.get_message(key)
            if "S" in message.get_flags():
                continue
            with inbox.get_file(key) as file:
                raw = file.read(MAX_BYTES)
        except (KeyError, OSError):  # another program moved it
            continue
        yield InboxMail(raw, lambda key=key, message=message: _see(inbox, key, message))  # type: ignore[misc]


def _see(inbox: mailbox.Maildir, key: str, message: mailbox.MaildirMessage) -> None:
    message.set_subdir("cur")
    message.add_flag("S")
    inbox[key] = message


def _of_mbox(file: Path) -> Iterator[InboxMail]:
    """Read only: other programs write to the file, and a processed mail is recognised by its hash."""
    inbox = mailbox.mbox(file, create=False)
    try:
        for key in inbox.iterkeys():
            with inbox.get_file(key) as mail:
                yield InboxMail(mail.read(MAX_BYTES), mark_nothing)
    finally:
        inbox.close()


def _of_imap(place: str, tls: ssl.SSLContext | None) -> Iterator[InboxMail]:
    with _logged_in(place, tls) as (inbox, folder):
        try:
            _ask(inbox.select(f'"{folder}"'))
            [numbers] = _ask(inbox.uid("SEARCH", "UNSEEN"))
            for number in numbers.split() if isinstance(numbers, bytes) else ():
                uid = number.decode()
                answer = _ask(inbox.uid("FETCH", uid, f"(BODY.PEEK[]<0.{MAX_BYTES}>)"))
                raw = next((part[1] for part in answer if isinstance(part, tuple)), b"")
                yield InboxMail(raw, lambda uid=uid: _flag(inbox, uid))  # type: ignore[misc]
        except (imaplib.IMAP4.error, OSError) as error:
            raise InboxError(f"The mailbox cannot be read ({type(error).__name__}).") from None


def _flag(inbox: imaplib.IMAP4, uid: str) -> None:
    try:
        inbox.uid("STORE", uid, "+FLAGS", r"(\Seen)")  # may be refused: a processed mail is recognised by its hash
    except (imaplib.IMAP4.error, OSError) as error:
        raise InboxError(f"The mailbox cannot be read ({type(error).__name__}).") from None


@contextmanager
def _logged_in(place: str, tls: ssl.SSLContext | None) -> Iterator[tuple[imaplib.IMAP4, str]]:
    """Log in to an IMAP server. Yields the connection and the mailbox's name. Raises InboxError."""
    url = urlsplit(place)
    host = url.hostname or ""
    if not host or not url.username:
        raise InboxError("An IMAP mailbox is written imaps://user:password@host/INBOX.")
    if url.scheme == "imap" and host not in LOOPBACK:
        raise InboxError("imap:// would send the password in the clear: use imaps://.")
    try:
        if url.scheme == "imaps":
            context = tls or ssl.create_default_context()
            inbox: imaplib.IMAP4 = imaplib.IMAP4_SSL(host, url.port or 993, ssl_context=context, timeout=IMAP_SECONDS)
        else:
            inbox = imaplib.IMAP4(host, url.port or 143, timeout=IMAP_SECONDS)
    except (imaplib.IMAP4.error, OSError) as error:
        raise InboxError(f"The IMAP server {host} cannot be reached ({type(error).__name__}).") from None
    try:
        try:
            inbox.login(unquote(url.username), unquote(url.password or ""))
        except imaplib.IMAP4.error:
            raise InboxError(f"The IMAP server {host} refuses the login; check user and password.") from None
        yield inbox, unquote(url.path.strip("/")).replace('"', "") or "INBOX"
    finally:
        try:
            inbox.logout()
        except (imaplib.IMAP4.error, OSError):
            inbox.shutdown()


def _ask(answer: tuple[str, Any]) -> Any:
    """The data of an IMAP reply. Raises imaplib's error unless its status is OK."""
    status, data = answer
    if status != "OK":
        raise imaplib.IMAP4.error(status)
    return data
