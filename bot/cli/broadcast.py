"""`papers broadcast`: what operators ask in a chat, asked on the command line."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.deliveries import Yes
from bot.cli.open_store import stored
from bot.cli.startup import DONE, FAILED, WRONG, execute

if TYPE_CHECKING:  # see bot.cli.startup
    from bot.channel import Answer


def broadcast(
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What to say; line breaks are kept.")],
    channel: Annotated[str | None, typer.Option(metavar="NAME", help="To the readers on this channel alone.")] = None,
    yes: Yes = False,
) -> None:
    """Send words of your own to every reader, in waking hours by their own clock. At most one announcement a day.

    Shows what readers will see and who they are, and asks; where nobody can be asked, nothing is sent without --yes.
    """
    execute(_broadcast(text, channel, yes=yes))


async def _broadcast(text: str, channel: str | None, *, yes: bool) -> int:
    from bot import settings
    from bot.app import CHANNELS, configured, open_channel
    from bot.channel import Asker, BroadcastCancelled, BroadcastConfirmed
    from bot.cli.console import complain
    from bot.commands import announce as announcing
    from bot.commands.context import Context
    from bot.delivery.alerts import log_alert
    from bot.model import Address, Preferences
    from bot.render.words import DEFAULT, words
    from bot.runtime.supervisor import clock

    if channel is not None and channel not in CHANNELS:
        complain(f"There is no channel named {channel}; there are: {', '.join(CHANNELS)}.")
        return WRONG
    home = settings.home(os.environ)
    environ = settings.environment(home, os.environ)
    here = Preferences(timezone=settings.read(settings.Settings, environ).default_timezone)
    asker = Asker(Address("papers", "broadcast"))
    async with stored() as store:
        channels = {name: open_channel(name, environ, home, store) for name in configured(environ)}
        case = Context(asker, None, here, words(DEFAULT), clock(), [], is_operator=True)
        shown = await announcing.look_at(case, text, channel, store, channels)
        if not _alert(shown):
            return FAILED
        key = next(option.request.key for option in shown.options if isinstance(option.request, BroadcastConfirmed))
        asked = yes or sys.stdin.isatty()
        if not (yes or (asked and typer.confirm("Send it?", err=True))):
            await announcing.cancel(case, BroadcastCancelled(key), store)
            complain("Nothing was sent." if asked else "Nothing was sent: there is nobody to ask, and no --yes.")
            return DONE if asked else WRONG
        made = await announcing.confirm(replace(case, now=clock()), BroadcastConfirmed(key), store, log_alert)
    return DONE if _alert(made) else FAILED


def _alert(answer: Answer) -> bool:
    """Say what is answered; whether something was done."""
    from bot.cli.console import complain, say

    alert = say if answer.ok else complain
    for line in answer.says:
        alert(line)
    for row in answer.rows:
        alert(f"{row.label}: {row.value}")
    return answer.ok
