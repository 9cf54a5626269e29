"""`papers <channel> …`: what only one channel can do. A channel that has a file commands.py mounts it here.

Nothing of a channel is imported before one of its commands is asked for.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperGroup

from bot.cli.startup import DONE, execute, opened

if TYPE_CHECKING:  # see bot.cli.startup
    from bot.channel import Channel, FeedbackHandler


class CommandContext:
    """What a channel's own commands are lent (bot.channel.Operator)."""

    def __init__(self, channel: str) -> None:
        self._channel = channel

    def execute(self, work: Callable[[Channel, FeedbackHandler], Awaitable[None]]) -> None:
        """Open the program with this channel alone, do `work`, and end."""
        execute(self._execute(work))

    async def _execute(self, work: Callable[[Channel, FeedbackHandler], Awaitable[None]]) -> int:
        async with opened(only=self._channel) as app:
            await work(app.channels[0], app.returns)
        return DONE

    def say(self, line: str) -> None:
        """Say a line on standard output."""
        from bot.cli.console import say

        say(line)


class ChannelGroup(TyperGroup):
    """The commands of one channel, imported when they are looked at."""

    channel = ""

    @property
    def commands(self) -> dict[str, Any]:
        """The channel's own commands, by name."""
        from bot.app import channel_commands

        return dict(typer.main.get_group(channel_commands(self.channel)).commands)

    @commands.setter
    def commands(self, found: object) -> None:
        """Click's constructor puts in what it was given, which is nothing."""


def mount(app: typer.Typer) -> None:
    """Give `papers` a group for each channel that has commands of its own."""
    spec = importlib.util.find_spec("channels")
    places = list(spec.submodule_search_locations or []) if spec is not None else []
    for place in places:
        for file in sorted(Path(place).glob("*/commands.py")):
            _mount_one(app, file.parent.name)


def _mount_one(app: typer.Typer, name: str) -> None:
    group = typer.Typer(cls=type("Group", (ChannelGroup,), {"channel": name}), help=f"What only {name} can do.")

    @group.callback()
    def lend(context: typer.Context) -> None:
        context.obj = CommandContext(name)

    app.add_typer(group, name=name)
