"""Health check. It reads the database, so that the answer covers all processes of the program."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from bot.channel import Finding
from bot.delivery.listening import TOLD_AFTER
from bot.store import DatabaseFault, NoConnectionError, Store, closing_state, health_figures, listening_outages

LATE_POLLS = 3
"""Polls that may be missed before the feed counts as stale."""
LEEWAY = timedelta(minutes=10)
"""Time that a poll may take beyond that."""
MOST_FAILURES = 2
"""Failures of a channel's service in a row; the second comes a minute after the first, which may be any restart."""
LONGEST_OVERDUE = timedelta(minutes=15)
"""Time that a delivery may be due; one that is overdue for longer means that nothing is delivered."""
PATIENCE = 2.0
"""Seconds that a probe of life waits for the database: if that is gone, no restart mends it."""


async def examine(store: Store, channels: Sequence[str], interval: timedelta, now: datetime) -> list[Finding]:
    """Check the database, the poller and each channel. `interval` is the time between two polls.

    Findings name no reader.
    """
    try:
        async with store.read() as connection:
            state = await closing_state.load(connection)
            overdue = await health_figures.overdue(connection, now)
            halted = await health_figures.halted(connection)
            unanswered = await health_figures.unanswered(connection, MOST_FAILURES)
            outages = await listening_outages.load(connection)
    except (DatabaseFault, OSError) as error:
        return [Finding("database", False, f"cannot be read ({type(error).__name__})")]
    found = [Finding("database", True, "answers"), _feed(state.polled_at, interval, now)]
    for channel in channels:
        since = overdue.get(channel)
        if channel in halted:
            found.append(Finding(channel, False, f"halted at {halted[channel]:%Y-%m-%dT%H:%M:%SZ}"))
        elif channel in unanswered:
            found.append(Finding(channel, False, f"failed {unanswered[channel]} times in a row, and waits"))
        elif since is not None and now - since > LONGEST_OVERDUE:
            found.append(Finding(channel, False, f"deliveries overdue since {since:%Y-%m-%dT%H:%M:%SZ}"))
        elif channel in outages:  # a short one is normal while a new deployment replaces an old one
            found.append(Finding(channel, now - outages[channel].since < TOLD_AFTER, outages[channel].says))
        else:
            found.append(Finding(channel, True, "delivers"))
    return found


def _feed(polled_at: datetime | None, interval: timedelta, now: datetime) -> Finding:
    if polled_at is None:
        return Finding("feed", False, "has not been polled yet")
    said = f"{polled_at:%Y-%m-%dT%H:%M:%SZ}"
    return Finding("feed", now - polled_at <= LATE_POLLS * interval + LEEWAY, f"last polled at {said}")


async def listening(store: Store) -> dict[str, str]:
    """Outages of listening, by channel; empty where the database cannot be read, or not soon."""
    asked = asyncio.create_task(_outages(store), name="listening outages")
    asked.add_done_callback(lambda ended: ended.cancelled() or ended.exception())  # perhaps nobody asks for it any more
    # Not a timeout around it: a driver may take long to give up, and a probe has to be answered meanwhile.
    await asyncio.wait([asked], timeout=PATIENCE)
    if not asked.done():
        asked.cancel()
        return {}
    try:
        outages = asked.result()
    except (DatabaseFault, NoConnectionError, OSError):
        return {}
    return {channel: f"not listening since {outage.since:%Y-%m-%dT%H:%M:%SZ}" for channel, outage in outages.items()}


async def _outages(store: Store) -> Mapping[str, listening_outages.ListeningOutage]:
    async with store.read() as connection:
        return await listening_outages.load(connection)
