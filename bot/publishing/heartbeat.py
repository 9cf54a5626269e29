"""Pings the operator's monitor while all is well. The monitor (Healthchecks, for example) alerts when pings stop."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from bot.channel import Channel
from bot.runtime.http import Fetcher, FetchError
from bot.store import Store, channel_state, listening_outages

log = logging.getLogger(__name__)

SECONDS = 10.0
"""Seconds that the monitor may take to answer."""


async def beat(store: Store, channels: Sequence[Channel], url: str) -> None:
    """Request `url`, unless one of these channels is halted or its operator was told that it does not listen.

    Call it after a successful poll; a failed request is only logged.
    """
    async with store.read() as connection:
        if any([(await channel_state.load(connection, channel.name)).halted_at for channel in channels]):
            return
        outages = await listening_outages.load(connection)
        if any(channel.name in outages and outages[channel.name].told for channel in channels):
            return
    try:
        async with Fetcher(total=SECONDS) as fetcher:
            await fetcher.get(url)
    except FetchError as error:
        log.warning("heartbeat failed", extra={"reason": str(error)})
