"""The channel on Discord: slash commands, editions in channels, threads, forums and direct messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.channel import Kit
from channels.discord.settings import Settings

if TYPE_CHECKING:
    from channels.discord.channel import Discord

__all__ = ["Settings", "open"]


def open(settings: Settings, kit: Kit) -> Discord:  # noqa: A001
    """The channel as configured, not yet logged in. The library is loaded here: most commands can do without it."""
    from channels.discord.channel import Discord

    return Discord(settings, kit)
