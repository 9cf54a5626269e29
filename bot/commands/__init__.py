"""Commands of readers and operators, once for all channels: each is one object in the file of its group."""

from bot.commands.context import WITHOUT_MODEL, PastList, styles_with
from bot.commands.reader_commands import ReaderCommands

__all__ = ["WITHOUT_MODEL", "PastList", "ReaderCommands", "styles_with"]
