"""Watches whether channels receive what readers write: an outage is stored, and told to the operator once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from bot.delivery.alerts import Alert
from bot.rules.outcomes import short
from bot.store import DatabaseFault, Store, listening_outages
from bot.store.listening_outages import ListeningOutage

log = logging.getLogger(__name__)

TOLD_AFTER = timedelta(minutes=3)
"""How long an outage lasts before the operator is told: two deployments may overlap for a moment."""


class ListeningMonitor:
    """Takes note of what a process's channels say about listening."""

    def __init__(self, store: Store, alert: Alert) -> None:
        self._store = store
        self._alert = alert
        self._lock = asyncio.Lock()
        """Held while news are noted: they may overlap, and the memory must end as the database does."""
        self._is_working: dict[str, bool] = {}
        """What was noted last, by channel, so that the same news again costs nothing."""
        self._refusals: set[tuple[str, str]] = set()
        """Logins that services refused, as (channel, reason), since the channel last listened."""

    def begin(self, channel: str) -> None:
        """Forget what is known of a channel: another process may have listened meanwhile."""
        self._is_working.pop(channel, None)

    async def working(self, channel: str, now: datetime) -> None:
        """Note that a channel receives; if it did not before, log that, and tell an operator who was told so."""
        async with self._lock:
            self._refusals = {each for each in self._refusals if each[0] != channel}
            if self._is_working.get(channel):
                return
            try:
                async with self._store.write() as connection:
                    outage = await listening_outages.end(connection, channel)
            except (DatabaseFault, OSError):
                log.exception("end of a listening outage not stored", extra={"channel": channel})
                return
            self._is_working[channel] = True
            if outage is not None:
                minutes = round((now - outage.since).total_seconds() / 60)
                log.info("channel listens again", extra={"channel": channel, "minutes": minutes})
            if outage is not None and outage.told:
                self._alert("channel listens again", now, channel=channel)

    async def failed(self, channel: str, reason: str, now: datetime, *, told: bool = False) -> None:
        """Note that a channel receives nothing at the moment; `told` says that the operator was told already."""
        async with self._lock:
            reason = short(reason)
            if self._is_working.get(channel, True):
                log.warning(
                    "channel not listening, tried again until it does", extra={"channel": channel, "reason": reason}
                )
            self._is_working[channel] = False
            try:
                async with self._store.write() as connection:
                    await listening_outages.begin(connection, channel, ListeningOutage(now, reason, told))
                await tell_long_outages(self._store, self._alert, [channel], now)
            except (DatabaseFault, OSError):
                log.exception("listening outage not stored", extra={"channel": channel})

    def refused(self, channel: str, reason: str, now: datetime) -> None:
        """Tell the operator, once, that a service refuses our login: listening and delivering meet the same refusal."""
        if (channel, reason) not in self._refusals:
            self._refusals.add((channel, reason))
            self._alert("login refused", now, level=logging.ERROR, channel=channel, reason=reason)


async def tell_long_outages(store: Store, alert: Alert, channels: Collection[str], now: datetime) -> bool:
    """Tell the operator of each outage of these channels that lasts, once. Returns whether there was one to tell.

    Outages of channels that are no longer configured are ignored.
    """
    async with store.read() as connection:
        if not _to_tell(await listening_outages.load(connection), channels, now):
            return False
    async with store.write() as connection:
        long = _to_tell(await listening_outages.load(connection, lock=True), channels, now)
        for channel, outage in long.items():
            await listening_outages.begin(connection, channel, replace(outage, told=True))
    for channel, outage in long.items():
        since = f"{outage.since:%Y-%m-%d %H:%M} UTC"
        alert("channel not listening", now, level=logging.ERROR, channel=channel, since=since, reason=outage.reason)
    return bool(long)


def _to_tell(
    outages: Mapping[str, ListeningOutage], channels: Collection[str], now: datetime
) -> dict[str, ListeningOutage]:
    ours = {name: each for name, each in outages.items() if name in channels}
    return {name: each for name, each in ours.items() if not each.told and now - each.since >= TOLD_AFTER}
