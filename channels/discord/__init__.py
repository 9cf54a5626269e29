"""Discord channel (discord.py): slash commands, and editions in channels, threads, forums and direct messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.channel import Kit
from channels.discord.settings import Settings

if TYPE_CHECKING:
    from channels.discord.channel import Discord

__all__ = ["Settings", "open"]


def open(settings: Settings, kit: Kit) -> Discord:  # noqa: A001
    """Create the channel, not yet logged in. Its libraries are imported here: most commands need only the settings."""
    from channels.discord.channel import make

    return make(settings, kit)
