"""Header lines by the book: encoded words (RFC 2047), folding (RFC 5322 section 2.2.3), lists (RFC 2369, 2919, 8058).

Whatever is put into a header goes through here, and no control character comes out: a line break in a title would
be a header of somebody else's making.
"""

from __future__ import annotations

import re
from email.header import Header
from email.utils import quote

from bot.runtime.text import one_line
from channels.email.address import Mailbox

WIDTH = 76
MOST = 120
"""Characters of a text in a header; a subject line shows some sixty of them."""
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
_DIRECTION_MARKS = str.maketrans("", "", "\u200e\u200f")
"""They could make one sender's name look like another's."""
_ATOMS = re.compile(r"[A-Za-z0-9 !#$%&'*+/=?^_`{|}~-]*")


def clean(text: str) -> str:
    """A text that can stand in a header: one line, without control characters, bounded."""
    shown = one_line(text.translate(_DIRECTION_MARKS))
    return shown if len(shown) <= MOST else shown[: MOST - 1].rstrip() + "…"


def text_header(name: str, text: str) -> bytes:
    """A header of words in any script, such as a subject."""
    return _line(name, _words(clean(text), len(name) + 2))


def mailbox_header(name: str, mailbox: Mailbox) -> bytes:
    """A header of one address, with the name that is shown for it."""
    shown = clean(mailbox.name)
    if not shown:
        return _line(name, mailbox.address)
    if shown.isascii() and "=?" not in shown:
        phrase = shown if _ATOMS.fullmatch(shown) else f'"{quote(shown)}"'
    else:
        phrase = _words(shown, len(name) + 2)
    return _folded(name, phrase, f"<{mailbox.address}>")


def header(name: str, *tokens: str) -> bytes:
    """A header of tokens that hold neither spaces nor line breaks, folded between them."""
    if any(_CONTROL.search(token) or " " in token for token in tokens):
        raise ValueError(f"{name} holds what would end it")
    return _folded(name, *tokens)


def _words(text: str, used: int) -> str:
    """Text as it is where it is plain, else as encoded words."""
    if text.isascii() and "=?" not in text and len(text) + used <= WIDTH:
        return text
    return Header(text, "utf-8", maxlinelen=WIDTH, header_name="x" * max(1, used - 2)).encode(linesep="\r\n")


def _line(name: str, value: str) -> bytes:
    return f"{name}: {value}\r\n".encode()


def _folded(name: str, *tokens: str) -> bytes:
    """Tokens on as many lines as keep each within the width, where a token is not wider by itself."""
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
