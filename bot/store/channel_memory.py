"""Channel memory: a small key-value store for each channel."""

from __future__ import annotations

from sqlalchemy import select

from bot.store.database import Store
from bot.store.schema import channel_memory
from bot.store.upsert import put


class ChannelMemory:
    """One channel's memory (implements bot.channel.Memory)."""

    def __init__(self, store: Store, channel: str) -> None:
        self._store = store
        self._channel = channel

    async def get(self, key: str) -> str | None:
        """The value of `key`, None where there is none."""
        async with self._store.read() as connection:
            value: str | None = await connection.scalar(
                select(channel_memory.c.value).where(
                    channel_memory.c.channel == self._channel, channel_memory.c.key == key
                )
            )
        return value

    async def put(self, key: str, value: str) -> None:
        """Set `key` to `value`."""
        async with self._store.write() as connection:
            await put(connection, channel_memory, {"channel": self._channel, "key": key, "value": value})
