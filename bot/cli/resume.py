"""`papers resume`: a channel set going again."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from bot.cli.console import say
from bot.cli.deliveries import hide_addresses
from bot.cli.open_store import stored
from bot.cli.options import require_channel
from bot.cli.startup import command
from bot.model import channel_of
from bot.rules.outcomes import ChannelState
from bot.runtime.supervisor import clock
from bot.store import channel_state


@command
async def resume(channel: Annotated[str, typer.Argument(metavar="CHANNEL", help="Such as telegram.")]) -> None:
    """Resume a waiting or halted channel now.

    Renderings that its service refused are tried again as well.
    """
    require_channel(channel_of(channel))
    async with stored() as store, store.write() as connection:
        before = await channel_state.resume(connection, channel)
    was = _in_words(before, clock())
    say(f"{channel} {was}; it delivers again." if was else f"{channel} was neither halted nor waiting.")


def _in_words(before: ChannelState, now: datetime) -> str:
    """Why a channel did not deliver, "" if it did."""
    if before.halted_at is not None:
        return f"was halted since {_minute(before.halted_at)} UTC ({_reason(before.halted_for)})"
    if before.waits_until is not None and before.waits_until > now:
        return f"was to wait until {_minute(before.waits_until)} UTC ({_reason(before.waits_for)})"
    return ""


def _reason(written: str | None) -> str:
    return hide_addresses(written) or "no reason given"


def _minute(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"
