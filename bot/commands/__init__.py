"""What readers and operators may ask, once for every channel: each command is one object in its group's file."""

from bot.commands.context import WITHOUT_MODEL, PastList, styles_with
from bot.commands.reader_commands import ReaderCommands

__all__ = ["WITHOUT_MODEL", "PastList", "ReaderCommands", "styles_with"]
