"""Messages that may have arrived although the service failed: they are looked for before they are repeated."""

from __future__ import annotations

import json

from bot.channel import Memory

MOST = 500
KEY = "doubts"


class UnconfirmedPosts:
    """The keys of such messages, the newest last; they outlive the process."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._keys: dict[str, None] = {}

    async def load(self) -> None:
        """Read what earlier processes put down."""
        self._keys = dict.fromkeys(json.loads(await self._memory.get(KEY) or "[]"))

    def __contains__(self, key: str) -> bool:
        return key in self._keys

    async def add(self, key: str) -> None:
        """Put one down."""
        self._keys.pop(key, None)
        self._keys[key] = None
        await self._memory.put(KEY, json.dumps(list(self._keys)[-MOST:]))

    async def settle(self, key: str) -> None:
        """What became of it is known."""
        if key in self._keys:
            del self._keys[key]
            await self._memory.put(KEY, json.dumps(list(self._keys)[-MOST:]))
