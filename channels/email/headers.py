"""Mail headers: encoded words (RFC 2047) and folding (RFC 5322 section 2.2.3), safe from header injection.

Every header value goes through here; no control character comes out, since a line break in a title would start a header
of a stranger's choosing.
"""

from __future__ import annotations

import re
from email.header import Header
from email.utils import quote

from bot.runtime.text import one_line
from channels.email.address import Mailbox

WIDTH = 76
"""Characters per line (RFC 5322 section 2.1.1 advises 78 with the line break)."""
MAX_CHARACTERS = 120
"""Characters of a text in a header; inboxes show about sixty of a subject."""
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
_DIRECTION_MARKS = str.maketrans("", "", "\u200e\u200f")
"""Direction marks, with which one sender's name can be made to look like another's."""
_ATOMS = re.compile(r"[A-Za-z0-9 !#$%&'*+/=?^_`{|}~-]*")


def clean(text: str) -> str:
    """Text made safe for a header: one line of at most MAX_CHARACTERS, without control characters."""
    shown = one_line(text.translate(_DIRECTION_MARKS))
    return shown if len(shown) <= MAX_CHARACTERS else shown[: MAX_CHARACTERS - 1].rstrip() + "…"


def text_header(name: str, text: str) -> bytes:
    """An unstructured header, such as Subject, in any script. Returns the line with CRLF."""
    return _line(name, _words(clean(text), len(name) + 2))


def mailbox_header(name: str, mailbox: Mailbox) -> bytes:
    """A header of one address with its display name, such as From. Returns the line with CRLF."""
    shown = clean(mailbox.name)
    if not shown:
        return _line(name, mailbox.address)
    if shown.isascii() and "=?" not in shown:
        phrase = shown if _ATOMS.fullmatch(shown) else f'"{quote(shown)}"'
    else:
        phrase = _words(shown, len(name) + 2)
    return _folded(name, phrase, f"<{mailbox.address}>")


def header(name: str, *tokens: str) -> bytes:
    """A structured header, folded between `tokens`. Raises ValueError for a token with a space or a line break."""
    if any(_CONTROL.search(token) or " " in token for token in tokens):
        raise ValueError(f"{name} would hold a space or a line break")
    return _folded(name, *tokens)


def _words(text: str, used: int) -> str:
    """Text as it is where it is short ASCII, else as encoded words (RFC 2047)."""
    if text.isascii() and "=?" not in text and len(text) + used <= WIDTH:
        return text
    return Header(text, "utf-8", maxlinelen=WIDTH, header_name="x" * max(1, used - 2)).encode(linesep="\r\n")


def _line(name: str, value: str) -> bytes:
    return f"{name}: {value}\r\n".encode()


def _folded(name: str, *tokens: str) -> bytes:
    """A header folded between tokens so that lines keep within WIDTH; a longer token gets a line of its own."""
    lines = [f"{name}:"]
    for token in tokens:
        if (
            len(lines[-1].rpartition("\r\n")[2]) + 1 + len(token.partition("\r\n")[0]) > WIDTH
            and lines[-1] != f"{name}:"
        ):
            lines.append(f" {token}")
        else:
            lines[-1] += f" {token}"
    return ("\r\n".join(lines) + "\r\n").encode()
