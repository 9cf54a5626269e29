"""A page as one container of Components V2: the lead with its picture, a text for each other paper, the foot.

A message of Components V2 has neither content nor embeds, and stays one for good (components/reference).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import discord

from bot.channel import utf16_units
from channels.discord.components import BUTTONS, ROWS, Menu, RoleMenu, Row, StoredLines, cut, items_of

COMPONENTS, CHARACTERS = 40, 4_000
"""In one message: its components, and the characters of all its texts."""
MENTION = 30
"""Characters that are left for the mention of a role, which has a text of its own."""
ALT = 1_024
"""Characters of a picture's description."""


@dataclass(frozen=True, slots=True)
class Container:
    """The texts of a container, as Markdown; an empty one is left out, with the line before it."""

    head: str
    lead: str = ""
    picture: str | None = None
    """The address of the picture beside the lead."""
    alt: str = ""
    papers: tuple[str, ...] = ()
    foot: str = ""
    colour: int | None = None
    """The colour beside it, as Discord has colours: 0xRRGGBB."""

    @property
    def texts(self) -> Sequence[str]:
        """Its texts from the top."""
        return [each for each in (self.head, self.lead, *self.papers, self.foot) if each]

    @property
    def characters(self) -> int:
        """The length of all its texts."""
        return sum(map(utf16_units, self.texts))

    def fits(self, rows: Sequence[Row], above: str = "") -> bool:
        """Whether a message holds it with these rows and with a text above it."""
        components = self._components(rows) + bool(above)
        return components <= COMPONENTS and utf16_units(above) + self.characters <= CHARACTERS

    def _components(self, rows: Sequence[Row]) -> int:
        lines = bool(self.lead) + bool(self.papers) + bool(self.foot)
        pictured = 2 if self.lead and self.picture else 0  # the section and its thumbnail
        in_rows = sum(2 if isinstance(row, Menu | RoleMenu) else 1 + len(row[:BUTTONS]) for row in rows[:ROWS])
        return 1 + len(self.texts) + lines + pictured + in_rows


def layout_of(
    container: Container, rows: Sequence[Row], stored_lines: StoredLines, above: str = ""
) -> discord.ui.LayoutView:
    """The container as discord.py's view, made on its event loop; what is above it may mention a role.

    It is stopped: presses are handled by `custom_id`.
    """
    view = discord.ui.LayoutView(timeout=None)
    if above:
        view.add_item(discord.ui.TextDisplay(above))
    view.add_item(discord.ui.Container(*_items(container, rows, stored_lines), accent_colour=container.colour))
    view.stop()
    return view


def _items(container: Container, rows: Sequence[Row], stored_lines: StoredLines) -> Iterator[discord.ui.Item[Any]]:
    yield discord.ui.TextDisplay(container.head)
    if container.lead:
        yield discord.ui.Separator()
        if container.picture:
            thumbnail: discord.ui.Thumbnail[Any]
            thumbnail = discord.ui.Thumbnail(container.picture, description=cut(container.alt, ALT) or None)
            yield discord.ui.Section(container.lead, accessory=thumbnail)
        else:
            yield discord.ui.TextDisplay(container.lead)
    if container.papers:
        yield discord.ui.Separator()
        yield from map(discord.ui.TextDisplay, container.papers)
    for row in rows[:ROWS]:
        yield discord.ui.ActionRow(*items_of(row, stored_lines))
    if container.foot:
        yield discord.ui.Separator()
        yield discord.ui.TextDisplay(container.foot)
