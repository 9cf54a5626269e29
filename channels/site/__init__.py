"""Site channel: writes web sites as Markdown, HTML and JSON into a folder, with git commits where wanted.

A recipient is a folder below `SITE_DIR`: lower-case letters, digits, dots, hyphens and underscores, with slashes
between folders. The style that its subscriber chose decides the layout.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.channel import Kit
from channels.site.settings import Settings

if TYPE_CHECKING:
    from channels.site.channel import Site

__all__ = ["Settings", "open"]


def open(settings: Settings, kit: Kit) -> Site:  # noqa: A001
    """Create the channel, not yet logged in. Its libraries are imported here: most commands need only the settings."""
    from channels.site.channel import make

    return make(settings, kit)
