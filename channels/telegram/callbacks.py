"""What buttons and deep links hold: the line that is asked when somebody presses them, and where its answer goes.

A button's data is at most 64 bytes (https://core.telegram.org/bots/api#inlinekeyboardbutton), a deep link's payload at
most 64 characters of `A-Za-z0-9_-` (https://core.telegram.org/bots/features#deep-linking). All state is in there or in
the database, so that buttons under old messages work after a restart.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, replace

from bot.channel import Command, Memory
from channels.telegram.chats import ChatAddress

LONGEST_DATA = 64
LONGEST_PAYLOAD = 64
SHOWING = frozenset(
    {Command.TODAY, Command.DATE, Command.WEEK, Command.MONTH, Command.TOP, Command.SEARCH, Command.PAPER}
)
"""The commands that show papers and change nothing."""
_APART = "+"
_OF = "@"
_KEPT = "#"
_ASKED = "_"
"""How a payload begins that holds a line; an invite code may hold the other characters as well."""


@dataclass(frozen=True, slots=True)
class Callback:
    """A line to ask; `apart` answers in a message of its own, `of` asks it for another place than the button's."""

    line: str
    apart: bool = False
    of: ChatAddress | None = None

    @property
    def data(self) -> str:
        """What a button holds, at whatever length."""
        of = "" if self.of is None else f"{_OF}{self.of} "
        return f"{_APART if self.apart else ''}{of}{self.line}"


def read(data: str) -> Callback:
    """What a button held. Whatever comes from outside is read as something; the core makes sense of the line."""
    apart, data = data.startswith(_APART), data.removeprefix(_APART)
    if data.startswith(_OF):
        written, _, line = data.removeprefix(_OF).partition(" ")
        try:
            place = ChatAddress.parse(written)
        except ValueError:
            return Callback("")
        return Callback(line, apart, place) if place.is_shared else Callback("")  # nobody asks for another person
    return Callback(data, apart)


async def held(callback: Callback, memory: Memory) -> str:
    """A button's data as long as Telegram takes it: a line that is longer is kept, and the button holds its key."""
    if len(callback.data.encode()) <= LONGEST_DATA:
        return callback.data
    key = f"{_KEPT}{hashlib.sha256(callback.line.encode()).hexdigest()[:16]}"
    await memory.put(key, callback.line)
    return replace(callback, line=key).data


async def released(data: str, memory: Memory) -> Callback:
    """The press that a button's data stands for."""
    callback = read(data)
    if callback.line.startswith(_KEPT):
        return replace(callback, line=await memory.get(callback.line) or "")
    return callback


def link(username: str, line: str) -> str | None:
    """A link that asks a line in the reader's own chat with the bot; None where the line is too long for one."""
    payload = _ASKED + base64.urlsafe_b64encode(line.encode()).decode().rstrip("=")
    return None if len(payload) > LONGEST_PAYLOAD else f"https://t.me/{username}?start={payload}"


def followed(payload: str) -> str | None:
    """The line that the payload of `/start` asks, None where it is none of ours.

    Whoever made the link chose the line, and a tap on a link agrees to nothing: only what shows papers is asked.
    """
    if not payload.startswith(_ASKED):
        return None
    held_part = payload.removeprefix(_ASKED)
    try:
        line = base64.b64decode(held_part + "=" * (-len(held_part) % 4), b"-_", validate=True).decode()
    except ValueError:  # no base64, or no text
        return None
    return line if line.partition(" ")[0] in SHOWING else None
