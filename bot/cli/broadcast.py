"""`papers broadcast`: an announcement sent from the command line, as operators send one from a chat."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Annotated

import typer

from bot.channel import Reply, Requester
from bot.channel_loader import configured, open_channel
from bot.cli.configuration import configuration
from bot.cli.console import complain, say
from bot.cli.open_store import stored
from bot.cli.options import Channel, Yes, require_channel
from bot.cli.startup import DONE, FAILED, WRONG, command
from bot.commands import announce
from bot.commands.context import Context, Services
from bot.model import Address, Preferences
from bot.render.catalogue import DEFAULT
from bot.render.words import words
from bot.runtime.supervisor import clock


@command
async def broadcast(
    text: Annotated[str, typer.Argument(metavar="TEXT", help="The announcement; line breaks are kept.")],
    channel: Channel = None,
    yes: Yes = False,
) -> int:
    """Send an announcement to all readers.

    It goes out in each reader's waking hours, at most one a day. You see it as readers will and are asked first;
    without a terminal nothing is sent unless --yes is given.
    """
    if channel is not None:
        require_channel(channel)
    here = configuration()
    preferences = Preferences(timezone=here.core.default_timezone)
    requester = Requester(Address("papers", "broadcast"))
    async with stored() as store:
        channels = {name: open_channel(name, here.environ, here.home, store) for name in configured(here.environ)}
        context = Context(requester, None, preferences, words(DEFAULT), clock(), Services(store, channels))
        shown = await announce.preview(context, text, channel)
        if not _print(shown):
            return FAILED
        key = shown.options[0].line.rpartition(" ")[2]
        asked = yes or sys.stdin.isatty()
        if not (yes or (asked and typer.confirm("Send it?", err=True))):
            await announce.cancel(context, key)
            complain("Nothing was sent." if asked else "Nothing was sent: without a terminal it needs --yes.")
            return DONE if asked else WRONG
        made = await announce.confirm(replace(context, now=clock()), key)
    return DONE if _print(made) else FAILED


def _print(answer: Reply) -> bool:
    """Print a command's answer. Returns whether the command was carried out."""
    write = say if answer.ok else complain
    for line in answer.says:
        write(line)
    for row in answer.rows:
        write(f"{row.label}: {row.value}")
    return answer.ok
