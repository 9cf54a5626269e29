"""Where mails that came back are found: a Maildir, an mbox, an IMAP mailbox, standard input. Nothing is deleted.

What was understood is marked as seen where that is possible; everything else stays as it was for people to read.
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

from channels.email.bounces import MOST

IMAP_SECONDS = 60.0
LOOPBACK = {"localhost", "127.0.0.1", "::1"}


class InboxError(Exception):
    """An inbox cannot be read; one sentence that says why and what to do."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """One mail, and what marks it as dealt with."""

    raw: bytes
    mark: Callable[[], None]


def unmarked() -> None:
    """What marks a mail where nothing can be marked."""


def arrived(place: str, standard_input: BinaryIO, *, tls: ssl.SSLContext | None = None) -> Iterator[Arrived]:
    """The mails at a place: a folder (Maildir), a file (mbox), `imaps://user:password@host/INBOX`, or `-`.

    Raises InboxError.
    """
    if place == "-":
        yield from _of_stream(standard_input)
    elif place.casefold().startswith(("imap://", "imaps://")):
        yield from _of_imap(place, tls)
    elif Path(place).is_dir():
        yield from _of_maildir(Path(place))
    elif Path(place).is_file():
        yield from _of_mbox(Path(place))
    else:
        shown = "of that name" if "@" in place or "://" in place else place  # it may hold a password
        raise InboxError(f"There is no folder and no file {shown}.")


def _of_stream(stream: BinaryIO) -> Iterator[Arrived]:
    """One mail, as a mail system pipes it into a program."""
    raw = stream.read(MOST)
    if raw.startswith(b"From "):
        raw = raw.partition(b"\n")[2]
    if raw.strip():
        yield Arrived(raw, unmarked)


def _of_maildir(folder: Path) -> Iterator[Arrived]:
    if not (folder / "new").is_dir():
        raise InboxError(f"{folder} is no Maildir: it has no folder named new.")
    inbox = mailbox.Maildir(folder, create=False)
    for key in sorted(inbox.iterkeys()):
        try:
            message = inbox.get_message(key)
            if "S" in message.get_flags():
                continue
            with inbox.get_file(key) as file:
                raw = file.read(MOST)
        except (KeyError, OSError):  # somebody else moved it
            continue
        yield Arrived(raw, lambda key=key, message=message: _see(inbox, key, message))  # type: ignore[misc]


def _see(inbox: mailbox.Maildir, key: str, message: mailbox.MaildirMessage) -> None:
    message.set_subdir("cur")
    message.add_flag("S")
    inbox[key] = message


def _of_mbox(file: Path) -> Iterator[Arrived]:
    """Only read: other programs write to the file, and what was dealt with once changes nothing a second time."""
    inbox = mailbox.mbox(file, create=False)
    try:
        for key in inbox.iterkeys():
            with inbox.get_file(key) as mail:
                yield Arrived(mail.read(MOST), unmarked)
    finally:
        inbox.close()


def _of_imap(place: str, tls: ssl.SSLContext | None) -> Iterator[Arrived]:
    with _logged_in(place, tls) as (inbox, folder):
        try:
            _ask(inbox.select(f'"{folder}"'))
            [numbers] = _ask(inbox.uid("SEARCH", "UNSEEN"))
            for number in numbers.split() if isinstance(numbers, bytes) else ():
                uid = number.decode()
                answer = _ask(inbox.uid("FETCH", uid, f"(BODY.PEEK[]<0.{MOST}>)"))
                raw = next((part[1] for part in answer if isinstance(part, tuple)), b"")
                yield Arrived(raw, lambda uid=uid: _flag(inbox, uid))  # type: ignore[misc]
        except (imaplib.IMAP4.error, OSError) as error:
            raise InboxError(f"The mailbox cannot be read ({type(error).__name__}).") from None


def _flag(inbox: imaplib.IMAP4, uid: str) -> None:
    try:
        inbox.uid("STORE", uid, "+FLAGS", r"(\Seen)")  # where it may not be marked, it is known by its content
    except (imaplib.IMAP4.error, OSError) as error:
        raise InboxError(f"The mailbox cannot be read ({type(error).__name__}).") from None


@contextmanager
def _logged_in(place: str, tls: ssl.SSLContext | None) -> Iterator[tuple[imaplib.IMAP4, str]]:
    """A connection to an IMAP server that is logged in, and the mailbox's name. Raises InboxError."""
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
    """What an IMAP server answered. Raises imaplib's error where that is no."""
    status, data = answer
    if status != "OK":
        raise imaplib.IMAP4.error(status)
    return data
