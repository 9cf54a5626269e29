"""Email channel: sends editions over any SMTP relay and processes bounces, complaints and unsubscribe requests.

A recipient is a mail address, `local@domain` in lower case, its domain in ASCII (see `address`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.channel import Kit
from channels.email.settings import Settings

if TYPE_CHECKING:
    from channels.email.channel import Email

__all__ = ["Settings", "open"]


def open(settings: Settings, kit: Kit) -> Email:  # noqa: A001
    """Create the channel, not yet logged in. Its libraries are imported here: most commands need only the settings."""
    from channels.email.channel import make

    return make(settings, kit)
