"""The call that tells the operator's watch that all is well; it is noticed by staying away."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from bot.channel import Channel
from bot.runtime.http import Fetcher, FetchError
from bot.store import Store, channel_state

log = logging.getLogger(__name__)

SECONDS = 10.0
"""So long the watch may take to answer."""


async def beat(store: Store, channels: Sequence[Channel], url: str) -> None:
    """Tell the watch at `url` that this round was a good one: the feed was read, and no channel has halted."""
    async with store.read() as connection:
        if any([(await channel_state.load(connection, channel.name)).halted_at for channel in channels]):
            return
    try:
        async with Fetcher(total=SECONDS) as fetcher:
            await fetcher.get(url)
    except FetchError as error:
        log.warning("heartbeat failed", extra={"reason": str(error)})
