"""Remembers messages whose delivery is unconfirmed: the next attempt looks for them before it sends."""

from __future__ import annotations

import json

from bot.channel import Memory

MOST = 500
"""Messages that are remembered, the newest."""
KEY = "doubts"
"""The memory's key for the list; it is stored, so the name stays."""


class UnconfirmedMessages:
    """The nonces of unconfirmed messages, the newest last; they survive a restart."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._nonces: dict[str, None] = {}

    async def load(self) -> None:
        """Read what earlier processes stored."""
        self._nonces = dict.fromkeys(json.loads(await self._memory.get(KEY) or "[]"))

    def __contains__(self, nonce: str) -> bool:
        return nonce in self._nonces

    async def add(self, nonce: str) -> None:
        """Remember a message that may have arrived."""
        self._nonces.pop(nonce, None)
        self._nonces[nonce] = None
        await self._save()

    async def resolve(self, nonce: str) -> None:
        """Forget a message whose outcome is known."""
        if nonce in self._nonces:
            del self._nonces[nonce]
            await self._save()

    async def _save(self) -> None:
        await self._memory.put(KEY, json.dumps(list(self._nonces)[-MOST:]))
