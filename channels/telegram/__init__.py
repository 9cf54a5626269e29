"""Telegram channel (python-telegram-bot): editions in chats, groups, topics and channels, and readers' commands.

A recipient is a chat id, perhaps with a topic id: `42`, `-1001234567890`, `-1001234567890/45` (see `chats`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.channel import Kit
from channels.telegram.settings import Settings

if TYPE_CHECKING:
    from channels.telegram.channel import Telegram

__all__ = ["Settings", "open"]


def open(settings: Settings, kit: Kit) -> Telegram:  # noqa: A001
    """Create the channel, not yet logged in. Imports its libraries here: most commands need only the settings."""
    from channels.telegram.channel import Telegram

    return Telegram(settings, kit)
