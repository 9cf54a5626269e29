"""Outbox channel: shows editions on the terminal and writes text and HTML files; needs no account.

A recipient is a name that the operator chose, `[a-z0-9][a-z0-9-]{0,63}`; it is part of the file names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.channel import Kit
from channels.outbox.settings import Settings

if TYPE_CHECKING:
    from channels.outbox.channel import Outbox

__all__ = ["Settings", "open"]


def open(settings: Settings, kit: Kit) -> Outbox:  # noqa: A001
    """Create the channel, not yet logged in. Its libraries are imported here: most commands need only the settings."""
    from channels.outbox.channel import make

    return make(settings, kit)
