"""Pages that were fitted a moment ago: many ask for the same papers within the same minute, and each reads the same."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable

from bot.channel import Message, Page
from bot.render.fit import Fitted

KEPT = 64
"""So many pages are kept, those that were asked for last."""

Key = tuple[str, str, str, str]


class FittedPages:
    """Fits each page once for each channel, off the event loop, for as long as it says the same."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Key, tuple[Page, Fitted[Message]]] = OrderedDict()

    async def fitted(self, channel: str, page: Page, asked: str, fit: Callable[[], Fitted[Message]]) -> Fitted[Message]:
        """The part of a page that is `asked` for, as `fit` makes it for a channel; made only where it is not kept."""
        key = (channel, page.language, page.style.value, asked)
        known = self._kept.get(key)
        if known is not None and known[0] == page:
            self._kept.move_to_end(key)
            return known[1]
        made = await asyncio.to_thread(fit)
        self._kept[key] = (page, made)
        self._kept.move_to_end(key)
        if len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return made
