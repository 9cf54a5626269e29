"""What a reader may ask, once, for every channel."""

from __future__ import annotations

from datetime import datetime

from bot.model import Address, Preferences
from bot.schedule import Rhythm
from bot.store import Store, audience, editions, subscribers


class Readers:
    """The readers' wishes, carried out (bot.channel.Commands)."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def permitted(self, address: Address) -> bool:
        """A place that did not let us post lets us again; whether it was paused for that, and is not any more."""
        async with self._store.write() as connection:
            return await subscribers.permit(connection, address)

    async def subscribe(self, address: Address, wanted: Preferences, now: datetime) -> bool:
        """Subscribe an address and owe it the latest edition, at once; False where it is known already."""
        async with self._store.write() as connection:
            subscriber_id = await subscribers.add(connection, address, wanted, now=now)
            if subscriber_id is None:
                return False
            edition = await editions.latest(connection, wanted.cadence)
            if edition is not None and edition.id is not None:
                rhythm = Rhythm(wanted.timezone, wanted.hour, wanted.weekdays)
                await audience.greet(connection, edition.id, subscriber_id, address.channel, rhythm, now=now)
        return True
