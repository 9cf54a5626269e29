"""Cache of fitted pages: many readers ask for the same papers within the same minute."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from bot.channel import Message, Page
from bot.render.fit import Fitted
from bot.runtime.recent import Recent

KEPT = 64
"""Pages that are kept, the least recently used dropped first."""

Key = tuple[str, str, str, str]


class FittedPages:
    """Fits each page once per channel, in a thread, until the page changes."""

    def __init__(self) -> None:
        self._kept: Recent[Key, tuple[Page, Fitted[Message]]] = Recent(KEPT)

    async def fitted(self, channel: str, page: Page, asked: str, fit: Callable[[], Fitted[Message]]) -> Fitted[Message]:
        """A page fitted to its channel's limits, cached by the command line that asked for it."""
        key = (channel, page.language, page.about.style.value, asked)
        known = self._kept.get(key)
        if known is not None and known[0] == page:
            return known[1]
        return self._kept.put(key, (page, await asyncio.to_thread(fit)))[1]
