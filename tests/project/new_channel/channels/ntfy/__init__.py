"""ntfy channel: posts each edition to a topic of an ntfy server (https://docs.ntfy.sh/publish/).

A recipient is a topic's name: letters, digits, `_` and `-`, at most 64.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.channel import Kit
from channels.ntfy.settings import Settings

if TYPE_CHECKING:
    from channels.ntfy.channel import Ntfy

__all__ = ["Settings", "open"]


def open(settings: Settings, kit: Kit) -> Ntfy:  # noqa: A001
    """Create the channel, not yet logged in. aiohttp is imported here: most commands need only the settings."""
    from channels.ntfy.channel import Ntfy

    return Ntfy(settings, kit)
