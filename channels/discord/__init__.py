"""Discord channel (discord.py): slash commands, and editions in channels, threads, forums and direct messages.

A recipient is `channel:ID`, `forum:ID` or `user:ID` (see `destinations`). Section names in comments, such as
"topics/rate-limits", are pages below https://discord.com/developers/docs/.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.channel import Kit
from channels.discord.settings import Settings

if TYPE_CHECKING:
    from channels.discord.channel import Discord

__all__ = ["Settings", "open"]


def open(settings: Settings, kit: Kit) -> Discord:  # noqa: A001
    """Create the channel, not yet logged in. Imports its libraries here: most commands need only the settings."""
    from channels.discord.channel import Discord

    return Discord(settings, kit)
