"""Telegram, by python-telegram-bot: editions in chats, groups, topics and channels, and all that readers ask.

A recipient is a chat's id and perhaps a topic's: `42`, `-1001234567890`, `-1001234567890/45` (see `places`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.channel import Kit
from channels.telegram.settings import Settings

if TYPE_CHECKING:  # the library takes half a second to load, and most commands need no more than the settings
    from channels.telegram.channel import Telegram

__all__ = ["Settings", "open"]


def open(settings: Settings, kit: Kit) -> Telegram:  # noqa: A001
    """The bot as configured, not yet logged in."""
    from channels.telegram.channel import make

    return make(settings, kit)
