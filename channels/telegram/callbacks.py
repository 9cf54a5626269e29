"""Callback data of buttons and payloads of deep links: a command line, and where its answer goes.

Callback data holds at most 64 bytes (https://core.telegram.org/bots/api#inlinekeyboardbutton), a deep link's payload
at most 64 characters of `A-Za-z0-9_-` (https://core.telegram.org/bots/features#deep-linking). All state is in there or
in the database, so buttons below old messages work after a restart. The format is stored in messages already sent:
extend it, never change it.
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass, replace
from typing import Self

from bot.channel import CommandName, Memory
from channels.telegram.chats import ChatAddress

LONGEST_DATA = 64  # bytes
LONGEST_PAYLOAD = 64  # characters
READ_ONLY = frozenset(
    {
        CommandName.TODAY,
        CommandName.DATE,
        CommandName.WEEK,
        CommandName.MONTH,
        CommandName.TOP,
        CommandName.SEARCH,
        CommandName.PAPER,
        CommandName.LISTEN,
        CommandName.FOLLOW,
    }
)
"""The commands that show papers, or ask first, and change nothing."""
LOCATION = "location"
"""The line of a button that asks for the place where a person is; the channel answers it, not the core."""
_NEW_MESSAGE = "+"
_ABOUT = "@"
_STORED = "#"
_BACK = "<"
"""Before a line, and again before the line that leads back from its answer."""
_PLAIN_PAYLOAD = re.compile("[A-Za-z0-9][A-Za-z0-9_-]*")
_LINE = "_"
"""First character of a payload that holds a line; an invitation code may contain the others."""


@dataclass(frozen=True, slots=True)
class Callback:
    """A command line; `new_message` answers in a new message, `about` runs it for another chat than the button's.

    `back` is the line that shows again what the answer took the place of.
    """

    line: str
    new_message: bool = False
    about: ChatAddress | None = None
    back: str = ""

    @property
    def data(self) -> str:
        """The callback data, of any length."""
        about = "" if self.about is None else f"{_ABOUT}{self.about} "
        line = f"{_BACK}{self.line}{_BACK}{self.back}" if self.back else self.line
        return f"{_NEW_MESSAGE if self.new_message else ''}{about}{line}"

    @classmethod
    def parse(cls, data: str) -> Self:
        """Read callback data, whatever it is; one for another person's private chat becomes an empty line."""
        new_message, data = data.startswith(_NEW_MESSAGE), data.removeprefix(_NEW_MESSAGE)
        if data.startswith(_BACK):
            line, _, back = data.removeprefix(_BACK).partition(_BACK)
            return cls(line, new_message, back=back)
        if not data.startswith(_ABOUT):
            return cls(data, new_message)
        written, _, line = data.removeprefix(_ABOUT).partition(" ")
        try:
            chat = ChatAddress.parse(written)
        except ValueError:
            return cls("")
        return cls(line, new_message, chat) if chat.is_shared else cls("")


async def encode(callback: Callback, memory: Memory) -> str:
    """Callback data within Telegram's limit: a longer line is stored in `memory`, and the button holds its key."""
    if len(callback.data.encode()) <= LONGEST_DATA:
        return callback.data
    if callback.back:  # its line is short
        return replace(callback, back=await _kept(callback.back, memory)).data
    return replace(callback, line=await _kept(callback.line, memory)).data


async def _kept(line: str, memory: Memory) -> str:
    """The key under which a line is stored."""
    key = f"{_STORED}{hashlib.sha256(line.encode()).hexdigest()[:16]}"
    await memory.put(key, line)
    return key


async def decode(data: str, memory: Memory) -> Callback:
    """The callback that `encode` made this data from; its line is empty if it is not stored any more."""
    callback = Callback.parse(data)
    if callback.line.startswith(_STORED):
        return replace(callback, line=await memory.get(callback.line) or "")
    if callback.back.startswith(_STORED):
        return replace(callback, back=await memory.get(callback.back) or "")
    return callback


def deep_link(username: str, line: str) -> str | None:
    """A link that runs a line in the reader's private chat with the bot; None if the line is too long for one.

    What follows `subscribe` is a payload as it is (`?start=ko-abstract`), since Start subscribes.
    """
    name, _, rest = line.partition(" ")
    if name == CommandName.SUBSCRIBE and _PLAIN_PAYLOAD.fullmatch(rest):
        payload = rest
    else:
        payload = _LINE + base64.urlsafe_b64encode(line.encode()).decode().rstrip("=")
    return None if len(payload) > LONGEST_PAYLOAD else f"https://t.me/{username}?start={payload}"


def line_of_payload(payload: str) -> str | None:
    """The line in the payload of `/start`, None if it holds none that is allowed.

    Anybody can make such a link, and tapping one is no consent: only commands that change nothing are allowed.
    """
    if not payload.startswith(_LINE):
        return None
    encoded = payload.removeprefix(_LINE)
    try:
        line = base64.b64decode(encoded + "=" * (-len(encoded) % 4), b"-_", validate=True).decode()
    except ValueError:  # neither base64 nor text
        return None
    return line if line.partition(" ")[0] in READ_ONLY else None
