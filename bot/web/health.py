"""Is the program well? Looked at in the database, so that the answer holds for all its processes together."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.channel import Finding
from bot.store import DatabaseFault, Store, closing_state, health_figures

LATE_POLLS = 3
"""So many polls may be missed before the feed's papers count as stale."""
LEEWAY = timedelta(minutes=10)
LONGEST_OVERDUE = timedelta(minutes=15)
"""A delivery that has been due for longer means that nobody delivers."""


async def examine(store: Store, channels: Sequence[str], interval: timedelta, now: datetime) -> list[Finding]:
    """Database, poller and channels, each with what is wrong with it. Names no reader."""
    try:
        async with store.read() as connection:
            known = await closing_state.load(connection)
            overdue = await health_figures.overdue(connection, now)
            halted = await health_figures.halted(connection)
    except (DatabaseFault, OSError) as error:
        return [Finding("database", False, f"cannot be read ({type(error).__name__})")]
    found = [Finding("database", True, "answers"), _feed(known.polled_at, interval, now)]
    for channel in channels:
        since = overdue.get(channel)
        if channel in halted:
            found.append(Finding(channel, False, f"has halted at {halted[channel]:%Y-%m-%dT%H:%M:%SZ}"))
        elif since is not None and now - since > LONGEST_OVERDUE:
            found.append(Finding(channel, False, f"owes since {since:%Y-%m-%dT%H:%M:%SZ}"))
        else:
            found.append(Finding(channel, True, "delivers"))
    return found


def _feed(polled_at: datetime | None, interval: timedelta, now: datetime) -> Finding:
    if polled_at is None:
        return Finding("feed", False, "has not been read yet")
    said = f"{polled_at:%Y-%m-%dT%H:%M:%SZ}"
    return Finding("feed", now - polled_at <= LATE_POLLS * interval + LEEWAY, f"was read last at {said}")
